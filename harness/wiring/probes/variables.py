"""P1.8: each variable that is offered is read, and each that is read is offered.

Told from the files themselves, since the judge never imports the target: the fields of its settings class by their
names, the lines of the example file, the variables that Terraform declares, and those that it gives the functions.
"""

import ast
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from harness.domain.criterion import Check, Criterion, CriterionEvidence
from harness.domain.errors import ConfigurationError
from harness.settings import project_root
from harness.wiring.paths import scenarios_directory, terraform_directory
from harness.wiring.probes.context import ProbeContext, evidence_for_all

_EXAMPLE_LINE = re.compile(r"^([A-Z][A-Z0-9_]*)=", re.MULTILINE)
_DECLARED = re.compile(r'^variable "(\w+)"', re.MULTILINE)
_USED = re.compile(r"\bvar\.(\w+)")


class _Places(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where to look (`scenarios/probes.toml`)."""

    settings_file: str
    settings_class: str
    example_file: str
    read_by_libraries: list[str]


async def gather(context: ProbeContext, criteria: Sequence[Criterion]) -> tuple[CriterionEvidence, ...]:
    """Three comparisons of names; both directions of each are in the detail."""
    places = _load_places()
    root = project_root()
    read = read_fields((root / places.settings_file).read_text(encoding="utf-8"), places.settings_class)
    example = set(_EXAMPLE_LINE.findall((root / places.example_file).read_text(encoding="utf-8")))
    given = {name for function in context.pair.definition.functions for name in function.environment}
    files = sorted(terraform_directory().glob("*.tf"))
    checks = (
        _same("the example file has what is read, and nothing else", example, read),
        _none_left("what Terraform gives the functions is read", given - read - set(places.read_by_libraries)),
        _declared_is_used(files),
    )
    facts = {"read": sorted(read), "example": sorted(example), "given": sorted(given)}
    path = context.write_evidence("variables", facts)
    return evidence_for_all(criteria, checks=checks, paths=[path], samples=len(read | example | given))


def read_fields(source: str, class_name: str) -> set[str]:
    """The annotated fields of that class in capitals, as a settings library reads them from the environment.

    Raises:
        ConfigurationError: the source has no such class.
    """
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            fields = (item.target for item in node.body if isinstance(item, ast.AnnAssign))
            return {target.id.upper() for target in fields if isinstance(target, ast.Name)}
    hint = "Correct settings_class under [variables]."
    raise ConfigurationError(f"there is no class {class_name}", where="scenarios/probes.toml", hint=hint)


def _declared_is_used(files: Iterable[Path]) -> Check:
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return _same(
        "every Terraform variable is used and declared", set(_DECLARED.findall(text)), set(_USED.findall(text))
    )


def _same(name: str, offered: set[str], read: set[str]) -> Check:
    apart = [f"{found} is not read" for found in sorted(offered - read)]
    apart += [f"{found} is not offered" for found in sorted(read - offered)]
    return Check(name=name, passed=bool(read) and not apart, detail="; ".join(apart) or f"{len(read)} variables")


def _none_left(name: str, left: set[str]) -> Check:
    return Check(name=name, passed=not left, detail=", ".join(sorted(left)) or "none is unread")


def _load_places() -> _Places:
    path = scenarios_directory() / "probes.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8"))["variables"], _Places)
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(f"the variables probe is not described: {error}", where=str(path)) from error
