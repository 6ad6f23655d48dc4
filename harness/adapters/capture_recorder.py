"""Takes exchanges as they pass and writes them down: split into sessions, redacted, with references."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.adapters.capture_journal import CaptureJournal
from harness.domain.capture.references import References
from harness.domain.capture.splitting import SessionSplitter, Splitting
from harness.domain.capture.steps import Captured, Unsendable, recorded_step
from harness.domain.redaction import Redactor

_TENDED_EVERY = 256
"""Exchanges between two looks for sessions that have ended, whose values are then forgotten."""


@dataclass(slots=True, kw_only=True)
class RecordingCounts:
    """What became of the exchanges that passed; `left_out` by reason, with the first request of each as an example."""

    recorded: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    withheld: int = 0
    """Requests without the credentials that they came with."""
    with_secret: int = 0
    """Requests in whose URL or body the mark of a secret is left."""
    lost: int = 0
    """Exchanges after the disk refused one."""


@dataclass(slots=True, kw_only=True)
class _Session:
    references: References
    steps: int = 0


class Recorder:
    """Writes exchanges to a journal, one after the other; it belongs to one thread.

    Once the journal refuses an exchange, nothing more is recorded: what follows would miss what went before. The
    reason is told to `on_failure` once.
    """

    def __init__(
        self,
        journal: CaptureJournal,
        splitting: Splitting,
        redactor: Redactor,
        on_failure: Callable[[OSError], None],
    ) -> None:
        self.counts = RecordingCounts()
        self.failure: OSError | None = None
        self._journal = journal
        self._redactor = redactor
        self._on_failure = on_failure
        self._sessions: dict[int, _Session] = {}
        self._splitter = SessionSplitter(splitting, gave_out=self._gave_out)
        self._taken = 0

    def take(self, captured: Captured) -> int:
        """Records an exchange; the number of its session."""
        exchange = captured.exchange
        number = self._splitter.assign(exchange.request, captured.address, exchange.sent_at)
        session = self._sessions.get(number)
        if session is None:
            session = self._sessions[number] = _Session(references=References(self._redactor.secret))
        session.steps += 1
        if self.failure is None:
            self._record(captured, number, session)
        else:
            self.counts.lost += 1
        self._tend(captured)
        return number

    def _record(self, captured: Captured, number: int, session: _Session) -> None:
        try:
            recorded = recorded_step(captured, session.steps, session.references, self._redactor)
        except Unsendable as reason:
            request = captured.exchange.request
            self.counts.left_out[str(reason)] += 1
            self.counts.examples.setdefault(str(reason), f"{request.method} {self._redactor.url(request.url)}")
            return
        try:
            self._journal.append(number, recorded, captured.exchange.sent_at.isoformat(timespec="microseconds"))
        except OSError as error:
            self.failure = error
            self.counts.lost += 1
            self._on_failure(error)
            return
        self.counts.recorded += 1
        self.counts.withheld += bool(recorded.withheld)
        self.counts.with_secret += recorded.has_secret

    def _gave_out(self, number: int, text: str) -> bool:
        session = self._sessions.get(number)
        return session is not None and session.references.gave_out(text)

    def _tend(self, captured: Captured) -> None:
        self._taken += 1
        if self._taken % _TENDED_EVERY == 0:
            for number in self._splitter.close_idle(captured.exchange.sent_at):
                self._sessions.pop(number, None)
