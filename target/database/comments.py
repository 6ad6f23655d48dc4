"""Tells the database which request a statement belongs to, in a comment before it."""

from typing import Any

from sqlalchemy import Connection, Engine, event

from target.observability.correlation import correlation_id


def comment_statements(engine: Engine) -> None:
    """Begin each statement with `/* request_id=... */` while there is a correlation id.

    In front, since the server's views of running statements cut long ones at their end. A commented statement is
    new to every cache of prepared ones, which costs a round trip more each on a direct connection and nothing
    behind a pooler, where none are kept (ADR 8).
    """
    event.listen(engine, "before_cursor_execute", _comment, retval=True)


def _comment(
    _connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool
) -> tuple[str, Any]:
    request_id = correlation_id()
    return (f"/* request_id={request_id} */ {statement}" if request_id else statement), parameters
