"""docs/local-cloud.md names tests that exist."""

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]


def test_every_test_that_the_page_names_exists() -> None:
    page = (_ROOT / "docs" / "local-cloud.md").read_text(encoding="utf-8")
    tests = _ROOT / "tests"
    folders = (tests / "integration" / "staging", tests / "unit" / "staging", tests / "unit", tests / "e2e")
    modules = {path.name: path.read_text(encoding="utf-8") for folder in folders for path in folder.glob("test_*.py")}
    everything = "\n".join(modules.values())

    named = set(re.findall(r"::(test_\w+)", page))
    assert len(named) > 40
    assert not [name for name in named if f"def {name}(" not in everything]
    assert set(re.findall(r"\b(test_\w+\.py)", page)) <= modules.keys()


def test_every_row_says_how_faithful_it_is() -> None:
    page = (_ROOT / "docs" / "local-cloud.md").read_text(encoding="utf-8")
    rows = [
        line for line in page.splitlines() if line.startswith("| ") and not line.startswith(("| behaviour", "| ---"))
    ]

    assert rows
    for row in rows:
        assert re.match(r"\| .+ \| (emulated|approximated|absent|ours)", row), row
