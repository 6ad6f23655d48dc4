"""What schemathesis does with a document, event by event, and how another thread ends it."""

import threading
from collections.abc import Callable, Iterator

from schemathesis.engine import from_schema
from schemathesis.engine.events import EngineEvent
from schemathesis.schemas import BaseSchema


class StopSignal:
    """Asks whoever sends cases in another thread to end; safe to give at any time, and more than once."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._is_given = False
        self._stop: Callable[[], None] = lambda: None

    def give(self) -> None:
        """No case is sent behind the one that is under way."""
        with self._turn:
            self._is_given = True
            self._stop()

    def reach(self, stop: Callable[[], None]) -> None:
        """Has `stop` called when the signal is given, at once where it was."""
        with self._turn:
            self._stop = stop
            if self._is_given:
                stop()


def engine_events(schema: BaseSchema, signal: StopSignal) -> Iterator[EngineEvent]:
    """Sends the cases that the schema's configuration asks for; they end early once the signal is given."""
    stream = from_schema(schema).execute()
    signal.reach(stream.stop)
    yield from stream
