"""A town library in one process with SQLite: what is lent to whom, until when, and what lateness costs.

LIBRARY_DB=library.db python monolith.py PORT
"""

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI, HTTPException, Query
from pydantic import AwareDatetime, BaseModel

LIBRARY_ZONE = ZoneInfo("Australia/Sydney")
LOAN_DAYS = 14
CENTS_A_DAY = 25
SCHEMA = """
CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, times_lent INTEGER NOT NULL);
CREATE TABLE members (id INTEGER PRIMARY KEY, name TEXT NOT NULL, is_student BOOLEAN NOT NULL);
CREATE TABLE loans (
    id INTEGER PRIMARY KEY AUTOINCREMENT, book_id INTEGER NOT NULL, member_id INTEGER NOT NULL,
    lent_at TIMESTAMP NOT NULL, due_on DATE NOT NULL, returned_on DATE
);
INSERT INTO books VALUES (1, 'The Timeless Land', 4), (2, 'Voss', 0), (3, 'Cloudstreet', 11);
INSERT INTO members VALUES (1, 'Ada Moreau', 0), (2, 'Ben Okafor', 1);
INSERT INTO loans VALUES (1, 3, 1, '2026-02-02T01:15:00+00:00', '2026-02-16', '2026-02-14');
"""

app = FastAPI(title="Library")


class NewLoan(BaseModel):
    """What the desk, or a terminal that was offline, sends."""

    book_id: int
    member_id: int
    lent_at: AwareDatetime


class Return(BaseModel):
    """The day on which a book came back."""

    returned_on: date


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A connection for one request; what is not committed is lost."""
    with closing(sqlite3.connect(os.environ["LIBRARY_DB"])) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def find(connection: sqlite3.Connection, table: str, number: int) -> sqlite3.Row:
    """The row of that number, or 404."""
    row = connection.execute(f"SELECT * FROM {table} WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise HTTPException(404, f"no {table} with number {number}")
    return row  # type: ignore[no-any-return]


def shown(loan: sqlite3.Row) -> dict[str, object]:
    """A loan as it is answered."""
    return {name: loan[name] for name in ("id", "book_id", "member_id", "due_on", "returned_on")}


@app.get("/books")
def list_books() -> list[dict[str, object]]:
    """All books, by title."""
    with database() as connection:
        return [dict(row) for row in connection.execute("SELECT id, title FROM books ORDER BY title")]


@app.post("/loans", status_code=201)
def lend(new: NewLoan) -> dict[str, object]:
    """Lends a book; it is due two weeks after the day on which it was lent, here."""
    due_on = new.lent_at.astimezone(LIBRARY_ZONE).date() + timedelta(days=LOAN_DAYS)
    with database() as connection:
        find(connection, "books", new.book_id)
        find(connection, "members", new.member_id)
        number = connection.execute(
            "INSERT INTO loans (book_id, member_id, lent_at, due_on) VALUES (?, ?, ?, ?)",
            (new.book_id, new.member_id, new.lent_at.astimezone(UTC).isoformat(), due_on.isoformat()),
        ).lastrowid
        connection.execute("UPDATE books SET times_lent = times_lent + 1 WHERE id = ?", (new.book_id,))
        connection.commit()
        return shown(find(connection, "loans", number or 0))


@app.get("/loans/{loan_id}")
def read_loan(loan_id: int) -> dict[str, object]:
    """One loan."""
    with database() as connection:
        return shown(find(connection, "loans", loan_id))


@app.get("/loans/{loan_id}/fee")
def fee(loan_id: int, on: Annotated[date, Query()]) -> dict[str, int]:
    """What it costs if the book comes back that day: students pay half, and half a cent is rounded up."""
    with database() as connection:
        loan = find(connection, "loans", loan_id)
        member = find(connection, "members", loan["member_id"])
    days_late = max(0, (on - date.fromisoformat(loan["due_on"])).days)
    cents = days_late * CENTS_A_DAY / (2 if member["is_student"] else 1)
    return {"days_late": days_late, "fee_cents": int(cents + 0.5)}


@app.post("/loans/{loan_id}/return")
def bring_back(loan_id: int, given: Return) -> dict[str, object]:
    """Ends a loan."""
    with database() as connection:
        find(connection, "loans", loan_id)
        connection.execute("UPDATE loans SET returned_on = ? WHERE id = ?", (given.returned_on.isoformat(), loan_id))
        connection.commit()
        return shown(find(connection, "loans", loan_id))


def main() -> None:
    """Serves the library; a database that is not there yet is made."""
    if not os.path.exists(os.environ["LIBRARY_DB"]):  # noqa: PTH110
        with database() as connection:
            connection.executescript(SCHEMA)
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")


if __name__ == "__main__":
    main()
