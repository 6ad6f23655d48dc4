"""Everything the target refuses or cannot do, as one tree; `target.error_answers` turns it into answers.

TargetError
├── DuplicateTrade (400)
├── UniverseRefused (400)
├── AccessDenied (401)
├── TradeNotFound (404)
├── TradeNotClosable (404)
├── UniverseNotFound (404)
├── StrategyNotFound (404)
├── ResultsNotFound (404)
├── InvalidInput (422)
└── DependencyUnavailable (503, Retry-After)
    ├── DatabaseUnavailable
    ├── QueueUnavailable
    ├── SecretsUnavailable
    ├── StorageUnavailable
    └── MarketUnavailable
"""

from collections.abc import Mapping

RETRY_AFTER_S = 2


class TargetError(Exception):
    """A condition with an answer of its own; `detail` is what the client reads, the message what the log reads."""

    status_code = 500
    headers: Mapping[str, str] | None = None

    @property
    def detail(self) -> object:
        """The value of the body's `detail` key."""
        return str(self)


class DuplicateTrade(TargetError):
    """Another trade carries this trade_id."""

    status_code = 400

    def __init__(self, trade_id: str) -> None:
        super().__init__(f"Trade with ID {trade_id} already exists")


class UniverseRefused(TargetError):
    """A ranking of a universe that does not exist."""

    status_code = 400


class AccessDenied(TargetError):
    """A write without an acceptable token, under AUTH_MODE=strict."""

    status_code = 401
    headers: Mapping[str, str] | None = {"WWW-Authenticate": "Bearer"}


class TradeNotFound(TargetError):
    """No trade has this id."""

    status_code = 404

    def __init__(self, trade_id: int) -> None:
        super().__init__(f"Trade with ID {trade_id} not found")


class TradeNotClosable(TargetError):
    """No trade has this id, or it is not open."""

    status_code = 404

    def __init__(self, trade_id: int) -> None:
        super().__init__(f"Trade with ID {trade_id} not found or already closed")


class UniverseNotFound(TargetError):
    """No universe has this key, or none lies in this region."""

    status_code = 404


class StrategyNotFound(TargetError):
    """The catalogue has no strategy of this name."""

    status_code = 404


class ResultsNotFound(TargetError):
    """No backtest of this strategy has ended yet."""

    status_code = 404

    def __init__(self, strategy_name: str) -> None:
        super().__init__(f"No results found for strategy '{strategy_name}'. Run a backtest first.")


class InvalidInput(TargetError):
    """Input that is well-formed field by field but leads nowhere; answered like a validation error."""

    status_code = 422

    def __init__(self, *, location: tuple[str, ...], kind: str, message: str, given: object, **context: object) -> None:
        super().__init__(message)
        self._error = {"type": kind, "loc": list(location), "msg": message, "input": given}
        if context:
            self._error["ctx"] = context

    @property
    def detail(self) -> object:
        """A validation-style list with one entry."""
        return [self._error]


class DependencyUnavailable(TargetError):
    """Something this process needs does not answer now; a later attempt may succeed."""

    status_code = 503
    headers: Mapping[str, str] | None = {"Retry-After": str(RETRY_AFTER_S)}

    @property
    def detail(self) -> object:
        """A fixed text: what failed, and where, is for the log alone."""
        return "Service temporarily unavailable, please retry"


class DatabaseUnavailable(DependencyUnavailable):
    """The database refuses or drops connections, is restarting, or is out of connections."""


class QueueUnavailable(DependencyUnavailable):
    """The queue of jobs does not accept a message."""


class SecretsUnavailable(DependencyUnavailable):
    """Secrets Manager does not give the credentials."""


class StorageUnavailable(DependencyUnavailable):
    """The object store throttles, refuses or does not answer, still after several tries."""


class MarketUnavailable(DependencyUnavailable):
    """Prices that are not cached cannot be fetched now."""
