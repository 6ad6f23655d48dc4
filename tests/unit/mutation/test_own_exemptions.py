"""The project's own exemptions name code that the target still has."""

from pathlib import Path

from harness.domain.mutation.exemptions import parse_exemptions, require_fresh
from harness.domain.mutation.generate import generate_mutants

_ROOT = Path(__file__).resolve().parents[3]


def test_every_exemption_names_a_fault_that_can_be_planted() -> None:
    path = _ROOT / "scenarios" / "adequacy.toml"
    exemptions = parse_exemptions(path.read_text(encoding="utf-8"), str(path))
    named = {entry.file for entry in exemptions.equivalent}
    sources = sorted((_ROOT / "target").rglob("*.py"))
    patterns = [pattern for entry in exemptions.out_of_scope for pattern in entry.files]
    wanted = [p for p in sources if str(p.relative_to(_ROOT)) in named or _is_named(p, patterns)]
    mutants = [m for p in wanted for m in generate_mutants(str(p.relative_to(_ROOT)), p.read_bytes())]
    require_fresh(exemptions, mutants, str(path))


def _is_named(path: Path, patterns: list[str]) -> bool:
    return any(path.relative_to(_ROOT).match(pattern) for pattern in patterns) or "functions" in path.parts
