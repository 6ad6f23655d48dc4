"""One finding of a stored run, replayed again: its session found, shrunk where asked, sent, stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.adapters.evidence_files import load_lines, load_records
from harness.adapters.evidence_store import require_empty, write_atomically
from harness.adapters.http import utc_now
from harness.adapters.session_files import load_sessions
from harness.adapters.session_writer import encode_session_file
from harness.domain.compare.document import parse_json
from harness.domain.compare.patch import UnpatchableError, export_patch, patch_text
from harness.domain.compare.rules import Rules
from harness.domain.difference import Facet
from harness.domain.errors import ConfigurationError, EvidenceError
from harness.domain.findings import DIFFERENCES_FILE, DifferenceRecord
from harness.domain.record import SessionRecord
from harness.domain.session import Session
from harness.engine.bisect import Cause, find_cause
from harness.engine.shrink import FindingCheck, ShrinkTask, Shrunk, options_for_tries, shrink_session
from harness.settings import Settings
from harness.wiring.replay import open_store, opened_sides, replay_into, replay_options
from harness.wiring.replay_request import ReplayRequest

SESSION_FILE = "session.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFinding:
    """A finding with everything that was observed of its session."""

    difference: DifferenceRecord
    record: SessionRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """What was replayed, and the session file that repeats it."""

    session: Session
    session_file: Path
    shrunk: Shrunk | None
    cause: Cause | None
    """For a difference in rows: the request after which they are apart, found by bisecting."""


def find_stored(run: Path, finding_id: str) -> StoredFinding:
    """The finding of that id.

    Raises:
        EvidenceError: the run cannot be read.
        ConfigurationError: it has no such finding.
    """
    records = load_records(run)
    found = next((line for line in load_lines(run / DIFFERENCES_FILE, DifferenceRecord) if line.id == finding_id), None)
    if found is None:
        hint = "The report and differences.jsonl name them; `parakeet compare --run DIR` brings both up to date."
        raise ConfigurationError(f"there is no finding {finding_id}", where=str(run), hint=hint)
    record = next((each for each in records if each.session_id == found.session_id), None)
    if record is None:
        hint = "Compare the run again: its differences are not of its exchanges."
        raise EvidenceError(f"the session {found.session_id} is not stored", where=str(run), hint=hint)
    return StoredFinding(difference=found, record=record)


def body_patch(stored: StoredFinding) -> str:
    """The RFC 6902 patch from the legacy's body to the target's, or why there is none."""
    pair = next(step.pair for step in stored.record.steps if step.pair.step == stored.difference.step)
    if pair.legacy.response is None or pair.target.response is None:
        return "no patch: a side did not answer"
    legacy, target = (parse_json(response.body) for response in (pair.legacy.response, pair.target.response))
    if legacy is None or target is None:
        return "no patch: a body is not JSON"
    try:
        return patch_text(export_patch(legacy, target))
    except UnpatchableError as error:
        return f"no patch: {error}"


def session_of(stored: StoredFinding, patterns: Sequence[str]) -> Session:
    """The session as its file says it, from the files named or from where the run had it.

    Raises:
        ConfigurationError: it is not there, or is no longer the one that was replayed.
    """
    wanted, hint = stored.difference.session_id, "Name the file that it was replayed from with --sessions."
    sources = tuple(source for source in stored.record.sources if Path(source).is_file())
    if not patterns and not sources:
        raise ConfigurationError(
            f"the file of session {wanted} is gone", where=", ".join(stored.record.sources), hint=hint
        )
    found = next((each for each in load_sessions(tuple(patterns) or sources) if each.id == wanted), None)
    if found is None:
        raise ConfigurationError(f"there is no session {wanted}", where=", ".join(patterns or sources), hint=hint)
    replayed = [(step.pair.step, step.pair.name) for step in stored.record.steps]
    if [(step.n, step.name) for step in found.steps][: len(replayed)] != replayed:
        hint = "Replay it as it is now: the finding is of other steps."
        raise ConfigurationError(f"the session {wanted} has changed since the run", where=found.source, hint=hint)
    return found


async def replay_finding(
    request: ReplayRequest,
    settings: Settings,
    stored: StoredFinding,
    rules: Rules,
    *,
    on_try: Callable[[int, int], None] | None = None,
) -> Reproduction:
    """Replays the finding's session into `request.out`.

    With `on_try`, which is told the number of tries and the steps of the smallest session so far, it is the smallest
    part of the session that shows the same signature.
    With both databases the state at the start is restored before every try, and a difference in rows is traced to the
    request after which they are apart.

    Raises:
        ConfigurationError: something cannot be used; nothing was sent or written.
        SystemUnavailable: a side does not answer.
    """
    session = session_of(stored, request.sessions)
    require_empty(request.out)
    options = replay_options(settings)
    shrunk = cause = None
    async with opened_sides(request, settings, [session]) as sides:
        if on_try is not None:
            check = FindingCheck(stored.difference, sides, rules, options_for_tries(options, stored.record))
            at = next(n for n, step in enumerate(session.steps) if step.n == stored.difference.step)
            name = f"{session.id}~{stored.difference.id}"
            task = ShrinkTask(session=session, at=at, name=name, on_try=on_try)
            shrunk = await shrink_session(task, check)
            session = shrunk.session or session
        if stored.difference.facet is Facet.ROW and sides[0].store is not None:
            cause = await find_cause(session, sides, rules, options)
        store = open_store(request, sides)
        try:
            written = request.out / SESSION_FILE
            description = f"Shows {stored.difference.signature}"
            write_atomically(written, encode_session_file(session, description), mode=0o600)
            await replay_into(store, [session], sides, options=options)
            store.finish(utc_now())
        finally:
            store.close()
    return Reproduction(session=session, session_file=written, shrunk=shrunk, cause=cause)
