"""Renders a run directory in every format, with this migration's plan."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from harness.domain.criterion import Decision, ReadinessDecision
from harness.domain.errors import ConfigurationError, HarnessError
from harness.domain.evidence import DECISION_FILE, EXCHANGES_FILE, MEASUREMENTS_FILE
from harness.domain.findings import COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE
from harness.domain.phase import Plan
from harness.wiring.plan import judged_plan
from reports import html, junit, markdown, sarif
from reports.json_report import encode_decision
from reports.run_directory import load_decision, load_manifest
from reports.seal import SEAL_FILE, encode_seal
from reports.view import ReportView, load_view

_SEALED = (DECISION_FILE, MEASUREMENTS_FILE, EXCHANGES_FILE, COMPARISONS_FILE, DIFFERENCES_FILE, WAIVERS_FILE)


def render_all(run_dir: Path, formats: Sequence[str] = ()) -> tuple[Path, ...]:
    """Writes the report of a run in the formats asked for, or in all; gives the files in that order.

    Every file is whole or absent. The same run gives the same bytes.

    Raises:
        EvidenceError: the run directory or a file it must have is absent, corrupt or of another version.
        ConfigurationError: there is no such format.
    """
    chosen = tuple(dict.fromkeys(formats or FORMATS))
    unknown = [name for name in chosen if name not in FORMATS]
    if unknown:
        what = f"there is no report format {', '.join(unknown)}"
        raise ConfigurationError(what, hint=f"Choose from {', '.join(FORMATS)}.")
    view = load_view(run_dir, judged_plan())
    return tuple(_render(run_dir, view, name) for name in chosen)


def save_decision(run_dir: Path, decision: ReadinessDecision) -> Path:
    """Writes `decision.json`, whole or not at all, then the seal of it and of what it was made of."""
    path = _write(run_dir / DECISION_FILE, (encode_decision(decision),))
    _write(run_dir / SEAL_FILE, (encode_seal(run_dir, _SEALED),))
    return path


def load_stored_decision(run_dir: Path, plan: Plan | None = None) -> ReadinessDecision:
    """The decision of a run directory.

    Raises:
        EvidenceError: the run directory has no decision that can be read.
    """
    return load_decision(run_dir, plan or judged_plan(), load_manifest(run_dir))


def stored_gate(run_dir: Path, phase: int | None = None) -> Decision:
    """The run's decision, or that of one of its phases.

    Raises:
        EvidenceError: the run directory has no decision that can be read.
        ConfigurationError: the run has no such phase.
    """
    decision = load_stored_decision(run_dir)
    if phase is None:
        return decision.decision
    found = {entry.phase: entry.decision for entry in decision.phases}
    if phase not in found:
        hint = f"Choose from {', '.join(map(str, found))}." if found else "A replay has no phases: leave out --phase."
        raise ConfigurationError(f"there is no phase {phase}", where=str(run_dir / DECISION_FILE), hint=hint)
    return found[phase]


def _html(view: ReportView) -> Iterable[bytes]:
    return (html.render_html(view).encode(),)


def _markdown(view: ReportView) -> Iterable[bytes]:
    return (markdown.render_markdown(view).encode(),)


def _junit(view: ReportView) -> Iterable[bytes]:
    return junit.render_junit(view.phases, view.comparisons, view.manifest.started_at.isoformat())


def _json(view: ReportView) -> Iterable[bytes]:
    decision = ReadinessDecision(
        environment=view.environment, profile=view.profile, decision=view.decision, phases=view.phases
    )
    return (encode_decision(decision),)


def _sarif(view: ReportView) -> Iterable[bytes]:
    found = (*(view.signatures or ()), *(view.row_signatures or ()), *(view.cascaded or ()), *(view.explained or ()))
    return (sarif.render_sarif(found, view.manifest.versions.get("harness", "0")),)


_RENDERERS: Mapping[str, tuple[str, Callable[[ReportView], Iterable[bytes]]]] = {
    "html": (html.FILE_NAME, _html),
    "md": (markdown.FILE_NAME, _markdown),
    "junit": (junit.FILE_NAME, _junit),
    "json": (DECISION_FILE, _json),
    "sarif": (sarif.FILE_NAME, _sarif),
}
FORMATS = tuple(_RENDERERS)


def _render(run_dir: Path, view: ReportView, name: str) -> Path:
    file_name, render = _RENDERERS[name]
    return _write(run_dir / file_name, render(view))


def _write(path: Path, content: Iterable[bytes]) -> Path:
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.writelines(content)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        hint = "Check that the directory can be written and the disk is not full."
        raise HarnessError(f"cannot write it: {error.strerror}", where=str(path), hint=hint) from error
    return path
