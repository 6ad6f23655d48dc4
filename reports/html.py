"""The report as one self-contained HTML file that needs neither network nor scripts."""

import base64
import hashlib
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from harness.domain.criterion import CriterionResult, Verdict
from harness.domain.measurement import format_quantity
from reports.text import one_line, shorten, visible
from reports.view import ReportView, criterion_anchor

FILE_NAME = "report.html"
MAX_SIGNATURES = 200

_VERDICT_WORDS = {
    Verdict.PASS: "Pass",
    Verdict.FAIL: "Fail",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.ERROR: "Error",
}


def render_html(view: ReportView) -> str:
    """The whole document; every value in it is escaped, and what cannot be seen is written out."""
    style, script = _static("report.css"), _static("report.js")
    return (
        _environment(view)
        .get_template("report.html.j2")
        .render(
            view=view,
            style=Markup(style),  # noqa: S704 - our own file
            script=Markup(script),  # noqa: S704 - our own file
            style_hash=_csp_hash(style),
            script_hash=_csp_hash(script),
            max_signatures=MAX_SIGNATURES,
        )
    )


def evidence_href(path: str, names: frozenset[str]) -> str | None:
    """A link to a file of the run directory, relative to the report beside it; None if it is not one."""
    return quote(path) if path in names else None


def format_measured(result: CriterionResult) -> str:
    """What was measured, with its unit."""
    return _format(result.measured, result.unit)


def _environment(view: ReportView) -> Environment:
    environment = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters.update(
        anchor=criterion_anchor,
        measured=format_measured,
        one_line=one_line,
        quantity=_format,
        shorten=shorten,
        utc=lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S UTC"),
        verdict=lambda verdict: _VERDICT_WORDS[verdict],
        words=lambda name: str(name).replace("_", " "),
        href=lambda path: evidence_href(path, view.files),
        duration=_duration,
    )
    return environment


def _finalize(value: object) -> object:
    """Runs on every printed value, so that no template can forget it."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def _format(value: float | str | None, unit: str) -> str:
    if value is None:
        return "—"
    return value if isinstance(value, str) else format_quantity(value, unit)


def _duration(duration: object) -> str:
    seconds = round(getattr(duration, "total_seconds", lambda: 0)())
    minutes, rest = divmod(seconds, 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _static(name: str) -> str:
    return (files("reports") / "static" / name).read_text(encoding="utf-8")


def _csp_hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
