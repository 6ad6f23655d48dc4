"""What makes an ingest fail as a whole; each is raised, so that Lambda retries and then sets the event aside.

IngestEventInvalid (a ValueError)
NothingIngested
PostgresqlNeeded
"""


class IngestEventInvalid(ValueError):
    """The event cannot be understood, or names an unknown universe; raised before anything is fetched.

    Lambda and the queue try it again as often as they are set to. That costs milliseconds, and afterwards the event
    lies in the dead-letter queue, where somebody sees it; answering it as done would lose it.
    """


class NothingIngested(RuntimeError):
    """No ticker brought prices, and at least one may later: the sources are away, or the token is refused."""


class PostgresqlNeeded(RuntimeError):
    """The configured database is not PostgreSQL, which alone has `market_data`."""

    def __init__(self, dialect: str) -> None:
        super().__init__(
            f"Prices are kept in PostgreSQL and the database is {dialect}: set USE_NEON=true and NEON_DATABASE_URL."
        )
