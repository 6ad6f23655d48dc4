"""Which tickers a universe has today."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from target.catalogue.universes import UnknownUniverse, get_universe
from target.ingest.errors import IngestEventInvalid
from target.repositories.constituents import ConstituentRepository


async def list_tickers(session: AsyncSession, universe: str, moment: datetime) -> tuple[str, ...]:
    """Return the members of the index of that name at that moment (UTC), or else the catalogue's list, each once.

    The database comes first: an index that is kept there, of any size, is more current than a list in the code.

    Raises:
        IngestEventInvalid: neither has it.
    """
    members = await ConstituentRepository(session).list_members_at(universe, moment.replace(tzinfo=None))
    if members:
        return tuple(members)
    try:
        return tuple(dict.fromkeys(get_universe(universe).tickers))
    except UnknownUniverse as error:
        raise IngestEventInvalid(f"universe_key: {error} Or fill index_constituents for it.") from None
