"""The report as Markdown, short enough for a job summary."""

import re
from collections.abc import Iterable, Sequence

from harness.domain.criterion import Decision, Verdict
from harness.domain.difference import Outcome
from reports.benchmark_view import Figure
from reports.findings_view import SignatureView
from reports.text import Piece, excerpt, one_line
from reports.view import DECISION_WORDS, Headlines, ReportView

FILE_NAME = "report.md"
MAX_SIGNATURES = 20
_VALUE_CHARACTERS = 120
_PUNCTUATION = re.compile(r"([\\`*_{}\[\]|~$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", "@": "&#64;", "://": ":&#47;/"}
_ICONS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.ERROR: "⚠️"}
_DECISION_ICONS = {Decision.GO: "✅", Decision.NO_GO: "❌", Decision.INCONCLUSIVE: "❔"}


def render_markdown(view: ReportView) -> str:
    """The decision, why, the benchmarks, parity and the worst signatures; every value is escaped."""
    parts = [
        *_head(view),
        *_left_out(view),
        *_headlines("What blocks", view.blockers),
        *_headlines("What would settle the rest", view.unsettled),
        *(_phases(view) if view.phases else ()),
        *(_benchmarks(view) if view.benchmarks else ()),
        *_parity(view),
        *_signatures(view),
        *_coverage(view),
    ]
    return "\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line, in a table too."""
    safe = one_line(text)
    for active, entity in _ENTITIES.items():
        safe = safe.replace(active, entity)
    return _PUNCTUATION.sub(r"\\\1", safe)


def code(text: str, limit: int = _VALUE_CHARACTERS) -> str:
    """A code span that holds any text; in a table cell a bar would end the cell, so it is written as U+2502."""
    content = one_line(text, limit).replace("|", "│")
    longest = max((len(run) for run in re.findall("`+", content)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {content} {fence}" if longest or not content.strip() else f"`{content}`"


def _head(view: ReportView) -> list[str]:
    took = "not finished" if view.duration is None else f"{view.duration.total_seconds():,.0f} s"
    facts = (
        f"commit {code(view.manifest.commit[:12] or 'none')}",
        f"started {view.manifest.started_at:%Y-%m-%d %H:%M:%S} UTC",
        f"took {took}",
        f"profile {escape(view.profile)}",
    )
    title = f"# {_DECISION_ICONS[view.decision]} {view.word} for {escape(view.environment)}"
    return [title, "", f"**{escape(view.why)}**", "", " · ".join(facts), ""]


def _left_out(view: ReportView) -> list[str]:
    left_out = view.left_out
    note = "A GO for local never authorises production." if view.environment == "local" else ""
    if not left_out.count:
        return [note, ""] if note else []
    names = [f"all of phase {phase.phase} ({escape(phase.title)})" for phase in left_out.phases]
    names += [escape(result.id) for result in left_out.criteria]
    return [f"Left out of this decision: {left_out.count} of {left_out.total} criteria: {', '.join(names)}. {note}", ""]


def _headlines(title: str, headlines: Headlines) -> list[str]:
    if not headlines.shown:
        return []
    lines = [f"- **{escape(h.criterion.id)}** {escape(h.criterion.title)}: {escape(h.criterion.reason)}"
             for h in headlines.shown]  # fmt: skip
    more = [f"- and {headlines.more} more"] if headlines.more else []
    return [f"## {title}", "", *lines, *more, ""]


def _phases(view: ReportView) -> list[str]:
    rows = []
    for phase in view.phases:
        passed = sum(result.verdict is Verdict.PASS for result in phase.criteria)
        decision = f"{_DECISION_ICONS[phase.decision]} {DECISION_WORDS[phase.decision]}"
        rows.append((str(phase.phase), escape(phase.title), decision, f"{passed} of {len(phase.criteria)}"))
    return ["## Phases", "", *_table(("Phase", "Title", "Decision", "Pass"), rows), ""]


def _benchmarks(view: ReportView) -> list[str]:
    rows = [
        (escape(row.metric), _figure(row.before), _figure(row.after), escape(row.target), _verdict(row.verdict))
        for row in view.benchmarks
    ]
    header = ("Metric", "Before", "After", "Target", "Verdict")
    note = f"Measured on {escape(view.environment)}; 95 % intervals."
    return ["## Benchmarks", "", note, "", *_table(header, rows), ""]


def _parity(view: ReportView) -> list[str]:
    if not view.parity:
        return ["## Parity", "", "Empty: nothing was compared.", ""]
    rows = []
    for bar in view.parity:
        counts = {segment.outcome: segment.count for segment in bar.segments}
        cells = (f"{counts.get(outcome, 0):,}" for outcome in Outcome)
        rows.append((escape(bar.group), f"{bar.total:,}", *cells))
    header = ("Group", "Exchanges", *(outcome.value.replace("_", " ") for outcome in Outcome))
    return ["## Parity", "", *_table(header, rows), ""]


def _signatures(view: ReportView) -> list[str]:
    if view.signatures is None or view.row_signatures is None:
        return ["## Unexplained differences", "", "Empty: this run stored no differences.", ""]
    found = (*view.signatures, *view.row_signatures)
    if not found:
        return ["## Unexplained differences", "", "Empty: every difference is explained.", ""]
    rows = [_signature(signature) for signature in found[:MAX_SIGNATURES]]
    more = len(found) - MAX_SIGNATURES
    header = ("Operation", "Where", "Legacy", "Target", "Count", "First seen")
    tail = [f"{more} more are in report.html.", ""] if more > 0 else []
    return ["## Unexplained differences", "", *_table(header, rows), "", *tail]


def _coverage(view: ReportView) -> list[str]:
    if view.coverage is None:
        return []
    described, never = view.coverage.described, view.coverage.never_exercised
    sentence = f"{described - len(never)} of {described} described operations were exercised." if described else (
        "The system describes no operations, so what was never asked for is not known.")  # fmt: skip
    rates = [
        f"- {escape(rate.operation)}: {rate.mismatched} of {rate.sessions} recorded sessions, at most {rate.upper}"
        for rate in view.coverage.rates
    ]
    missing = [f"- never: {code(name)}" for name in never[:MAX_SIGNATURES]]
    more = [f"- and {len(never) - MAX_SIGNATURES} more"] if len(never) > MAX_SIGNATURES else []
    return ["## Coverage", "", sentence, "", *rates, *missing, *more, *([""] if rates or missing else [])]


def _signature(found: SignatureView) -> tuple[str, ...]:
    example = found.example
    where = f"{example.facet.value} {example.kind.value.replace('_', ' ')}"
    where += f" {code(example.pointer)}" if example.pointer else ""
    legacy, target = (_value(pieces) for pieces in (found.legacy, found.target))
    seen = f"{escape(example.session_id)} step {example.step}"
    return escape(example.operation), where, legacy, target, f"{found.count:,}", seen


def _value(pieces: Sequence[Piece]) -> str:
    return code(excerpt(pieces, _VALUE_CHARACTERS)) if pieces else "absent"


def _figure(figure: Figure) -> str:
    if not figure.is_measured:
        return escape(figure.text)
    return f"**{escape(figure.text)}** ({escape(figure.interval)}, {escape(figure.samples)})"


def _verdict(verdict: Verdict) -> str:
    return f"{_ICONS[verdict]} {verdict.value}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]
