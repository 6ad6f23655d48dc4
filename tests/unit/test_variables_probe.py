"""P1.8 finds a variable that is offered and not read, and one that is read and not offered."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.domain.criterion import Check, Criterion
from harness.domain.errors import ConfigurationError
from harness.settings import project_root
from harness.staging.definition import load_definition
from harness.wiring.probes import variables

_CRITERION = Criterion(id="P1.8", phase=1, title="variables", probe="variables")


async def _gather(monkeypatch: pytest.MonkeyPatch, root: Any = None) -> dict[str, Check]:
    if root is not None:
        monkeypatch.setattr(variables, "project_root", lambda: root)
    pair = SimpleNamespace(definition=load_definition(project_root() / "terraform"))
    context: Any = SimpleNamespace(pair=pair, write_evidence=lambda name, _: f"evidence/{name}.json")
    (evidence,) = await variables.gather(context, [_CRITERION])
    assert evidence.samples
    return {check.name: check for check in evidence.checks}


async def test_this_project_offers_what_it_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = await _gather(monkeypatch)
    assert len(checks) == 3
    assert [check for check in checks.values() if not check.passed] == []


async def test_what_is_apart_is_named_in_both_directions(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "settings.py").write_text("class Settings:\n    use_neon: bool = False\n    new: str = ''\n")
    (tmp_path / ".env.example").write_text("USE_NEON=false\nOLD=1\n# COMMENT=1\n")

    example, given, _ = (await _gather(monkeypatch, tmp_path)).values()

    assert example.passed is False
    assert example.detail == "OLD is not read; NEW is not offered"
    assert given.passed is False
    assert "S3_BUCKET_NAME" in given.detail
    assert "USE_NEON" not in given.detail.split(", ")


def test_a_class_that_is_not_there_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="no class Nosuch"):
        variables.read_fields("class Settings:\n    pass\n", "Nosuch")
