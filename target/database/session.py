"""The session of one request: one that may write, or one whose reads are all as of one moment."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from target.database.engine import Database


async def get_async_db(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield the request's session: committed when its handler returned, rolled back when it raised."""
    database: Database = request.app.state.database
    async with database.session() as session:
        yield session


async def get_snapshot(request: Request) -> AsyncIterator[AsyncSession]:
    """Yield a session for several reads that have to agree; a request that writes takes the other one."""
    database: Database = request.app.state.database
    async with database.session(of_one_moment=True) as session:
        yield session


# Function scope: the commit comes before the answer leaves, so that no client reads a 201 that a failed commit belies.
AsyncDb = Annotated[AsyncSession, Depends(get_async_db, scope="function")]
Snapshot = Annotated[AsyncSession, Depends(get_snapshot, scope="function")]
