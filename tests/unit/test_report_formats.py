"""Every format renders the same run, holds hostile values harmless, and is byte-stable."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree.ElementTree import fromstring

import jsonschema
import orjson
import pytest
from syrupy.assertion import SnapshotAssertion

from harness.domain.errors import ConfigurationError
from harness.domain.phase import Plan
from harness.wiring.report import FORMATS, render_all, stored_gate
from reports.html import evidence_href, render_html
from reports.junit import render_junit
from reports.markdown import render_markdown
from reports.sarif import render_sarif
from reports.schema import build_schemas
from reports.view import ReportView, load_view
from tests.builders.run_directory import RunContent, clean_content, defective_content, seal_run, small_plan, write_run

SCHEMAS = Path(__file__).resolve().parents[2] / "reports" / "schemas"


class Document(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def view_of(directory: Path, content: RunContent, plan: Plan | None = None) -> ReportView:
    plan = plan or small_plan()
    return load_view(write_run(directory, content, plan), plan)


def masked(html: str) -> str:
    """The document without our own style and script, whose hashes move with every touch of them."""
    html = re.sub(r"(<style>).*?(</style>)", r"\1…\2", html, flags=re.DOTALL)
    html = re.sub(r"(<script>).*(</script>)", r"\1…\2", html, flags=re.DOTALL)
    assert html.count("sha256-") == 2
    return re.sub(r"sha256-[A-Za-z0-9+/=]+", "sha256-…", html)


def test_html_of_a_defective_run(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert masked(render_html(view_of(tmp_path, defective_content()))) == snapshot


def test_markdown_of_a_defective_run(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert render_markdown(view_of(tmp_path, defective_content())) == snapshot


def test_markdown_of_a_clean_run(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    assert render_markdown(view_of(tmp_path, clean_content())) == snapshot


def test_html_is_one_file_that_loads_nothing(tmp_path: Path) -> None:
    document = Document(render_html(view_of(tmp_path, defective_content())))
    names = {tag for tag, _ in document.tags}
    assert not names & {"img", "link", "iframe", "object", "embed", "base"}
    assert [attributes for tag, attributes in document.tags if tag == "script"] == [{}]
    hrefs = [attributes.get("href") or "" for _, attributes in document.tags]
    assert not [href for href in hrefs if "://" in href or href.startswith(("//", "javascript:", "data:"))]
    assert not [a for _, attributes in document.tags for a in attributes if a.startswith("on") or a == "style"]


def test_every_link_inside_the_document_arrives(tmp_path: Path) -> None:
    directory = write_run(tmp_path, defective_content())
    document = Document(render_html(load_view(directory, small_plan())))
    ids = [attributes["id"] for _, attributes in document.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    inner = [a["href"][1:] for _, a in document.tags if (a.get("href") or "").startswith("#")]  # type: ignore[index]
    assert set(inner) <= set(ids)


def test_hostile_values_stay_text_in_html(tmp_path: Path) -> None:
    html = render_html(view_of(tmp_path, defective_content()))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "⟦U+202E⟧gnp.exe⟦U+0000⟧" in html
    assert html.count("<script>") == 1
    assert not re.search("[\x00\u202e]", html)


def test_hostile_values_everywhere_else_stay_text(tmp_path: Path) -> None:
    hostile = '"><svg onload=alert(1)>\u202e\x00'
    content = defective_content()
    manifest = replace(content.manifest, run_id=hostile, commit=hostile, versions={hostile: hostile})
    differences = tuple(
        replace(found, session_id=hostile, name=hostile, operation=hostile, pointer=hostile, curl_legacy=hostile)
        for found in content.differences
    )
    comparisons = tuple(replace(record, group=hostile, session_id=hostile) for record in content.comparisons)
    waivers = tuple(replace(w, reason=hostile, owner=hostile, id=hostile) for w in content.waivers)
    view = view_of(
        tmp_path,
        replace(content, manifest=manifest, differences=differences, comparisons=comparisons, waivers=waivers),
    )
    document = Document(render_html(view))
    assert not [a for _, attributes in document.tags for a in attributes if a.startswith("on")]
    outside_code = re.sub(r"(`+).*?\1", "", render_markdown(view))
    assert "<svg" not in outside_code
    assert "&lt;svg" in outside_code
    fromstring(b"".join(render_junit(view.phases, view.comparisons, "2026-03-14T09:26:53+00:00")))


def test_only_files_of_the_run_are_linked() -> None:
    names = frozenset({"evidence/a b.json"})
    assert evidence_href("evidence/a b.json", names) == "evidence/a%20b.json"
    for outside in ("javascript:alert(1)", "../secret", "https://example.org/x", "/etc/passwd"):
        assert evidence_href(outside, names) is None


@pytest.mark.parametrize("name", ["comparisons.jsonl", "differences.jsonl", "measurements.jsonl", "waivers.jsonl"])
def test_an_empty_section_says_why(tmp_path: Path, name: str) -> None:
    directory = write_run(tmp_path, clean_content())
    (directory / name).unlink()
    html = render_html(load_view(directory, small_plan()))
    assert "Empty: this run stored no" in html or "not measured" in html


def test_junit_counts_what_it_holds(tmp_path: Path) -> None:
    view = view_of(tmp_path, defective_content())
    root = fromstring(b"".join(render_junit(view.phases, view.comparisons, "2026-03-14T09:26:53+00:00")))
    assert int(root.get("tests", "")) == len(root.findall("*/testcase"))
    assert int(root.get("failures", "")) == len(root.findall("*/testcase/failure"))
    phase = next(suite for suite in root if suite.get("name") == "Phase 3: Functions")
    assert [case.get("name", "").split()[0] for case in phase if case.find("failure") is not None] == [
        "P3.2",
        "P4.trades.parity",
    ]
    sessions = next(suite for suite in root if suite.get("name") == "Sessions")
    assert sessions.get("tests") == "37"


def test_junit_of_a_run_that_shows_nothing_is_not_green(tmp_path: Path) -> None:
    view = view_of(tmp_path, replace(clean_content(), evidence=()))
    root = fromstring(b"".join(render_junit(view.phases, None, "2026-03-14T09:26:53+00:00")))
    assert root.get("errors") == "3"
    assert root.get("skipped") == "1"


def test_sarif_has_one_result_a_signature_at_its_line(tmp_path: Path) -> None:
    view = view_of(tmp_path, defective_content())
    found = (*(view.signatures or ()), *(view.row_signatures or ()), *(view.cascaded or ()), *(view.explained or ()))
    log = orjson.loads(render_sarif(found, "0.1.0"))
    results = log["runs"][0]["results"]
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    lines = (tmp_path / "differences.jsonl").read_text(encoding="utf-8").splitlines()
    assert log["version"] == "2.1.0"
    assert len(results) == len({(d.outcome, d.signature) for d in view.differences or ()})
    for signature, result in zip(found, results, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
        assert json.loads(lines[line - 1])["id"] == signature.example.id
        assert ("suppressions" in result) == (signature.outcome != "different")
        if signature.example.waiver:
            assert "W-Q4-nul" in result["suppressions"][0]["justification"]


@pytest.mark.parametrize(("name", "content"), sorted(build_schemas().items()))
def test_the_stored_schemas_are_those_of_the_types(name: str, content: bytes) -> None:
    assert (SCHEMAS / name).read_bytes() == content, "run `python -m reports.schema` and commit what it writes"


@pytest.mark.parametrize("content", [clean_content(), defective_content()], ids=["clean", "defective"])
def test_the_files_of_a_run_fit_their_schemas(tmp_path: Path, content: RunContent) -> None:
    directory = write_run(tmp_path, content)
    for schema_file in SCHEMAS.iterdir():
        schema = orjson.loads(schema_file.read_bytes())
        name = schema_file.name.removesuffix(".schema.json")
        whole = directory / f"{name}.json"
        texts = [whole.read_bytes()] if whole.exists() else (directory / f"{name}.jsonl").read_bytes().splitlines()
        assert texts
        for text in texts:
            jsonschema.validate(orjson.loads(text), schema)


def test_rendering_writes_every_format_and_twice_the_same(tmp_path: Path) -> None:
    directory = write_run(tmp_path / "run", defective_content())
    first = {path.name: path.read_bytes() for path in render_all(directory)}
    second = {path.name: path.read_bytes() for path in render_all(directory)}
    assert set(first) == {"report.html", "report.md", "junit.xml", "decision.json", "report.sarif"}
    assert first == second
    assert not list(directory.glob(".*"))


def test_rendering_keeps_the_stored_decision_as_it_is(tmp_path: Path) -> None:
    directory = write_run(tmp_path, clean_content())
    before = (directory / "decision.json").read_bytes()
    render_all(directory, ["json"])
    assert (directory / "decision.json").read_bytes() == before


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    directory = write_run(tmp_path, clean_content())
    with pytest.raises(ConfigurationError, match="no report format pdf"):
        render_all(directory, ["html", "pdf"])
    assert not (directory / "report.html").exists()
    assert "html" in FORMATS


def test_the_gate_of_an_unknown_phase_is_refused(tmp_path: Path) -> None:
    directory = write_run(tmp_path, clean_content())
    assert stored_gate(directory) == "GO"
    assert stored_gate(directory, 2) == "INCONCLUSIVE"
    with pytest.raises(ConfigurationError, match="no phase 9"):
        stored_gate(directory, 9)


@pytest.mark.parametrize(
    ("content", "word", "why"),
    [
        (clean_content(), "GO", "No unexplained difference in 290 compared exchanges"),
        (defective_content(), "NO-GO", "7 unexplained differences of 6 kinds in 290 compared exchanges"),
        (replace(clean_content(), comparisons=()), "INCONCLUSIVE", "No exchange could be compared"),
    ],
    ids=["clean", "defective", "nothing compared"],
)
def test_a_run_that_only_replayed_is_reported_by_its_comparisons(
    tmp_path: Path, content: RunContent, word: str, why: str
) -> None:
    directory = write_run(tmp_path, replace(content, manifest=replace(content.manifest, profile="replay")))
    (directory / "decision.json").unlink()
    (directory / "exchanges.jsonl.gz").touch()
    seal_run(directory)
    render_all(directory)
    html = (directory / "report.html").read_text(encoding="utf-8")
    assert f"<title>{word} for local" in html
    assert why in html
    assert orjson.loads((directory / "decision.json").read_bytes())["phases"] == []
    assert stored_gate(directory) == word.replace("-", "_")
