"""The Terraform files of a directory, evaluated without the Terraform binary: resources by type, with their place.

What a provider would compute is unknown before an apply; such a value reads as None here.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.domain.errors import ConfigurationError, HarnessError

_PLACE = re.compile(r"(?P<file>[^\s:]+\.tf(?:vars)?):(?P<line>\d+)[,\d-]*: (?P<what>.*)", re.DOTALL)
_EVALUATOR_KEYS = frozenset({"__tfmeta", "depends_on", "for_each"})
_LAST_KEY = re.compile(r'\["([^"]+)"\](?!.*\[)')


_TIMEOUT_S = 60
_PROGRAM = """
import json, sys, tfparse
try:
    found = tfparse.load_from_path(sys.argv[1], stop_on_hcl_error=True, vars_paths=[sys.argv[2]])
    print(json.dumps({"resources": found}))
except tfparse.ParseError as error:
    print(json.dumps({"error": str(error)}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One evaluated resource: `path` is its Terraform address, `place` the file and line that declare it."""

    id: str
    path: str
    place: str
    attributes: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The innermost `for_each` key of its address, or else its own name."""
        match = _LAST_KEY.search(self.path)
        return match[1] if match else self.path.rsplit(".", 1)[-1]

    def find_text(self, name: str) -> str | None:
        """The attribute where it is known text, or else None."""
        value = self.attributes.get(name)
        return value if isinstance(value, str) else None

    def get_text(self, name: str) -> str:
        """The attribute, known before an apply.

        Raises:
            ConfigurationError: it is absent or known only after an apply.
        """
        value = self.find_text(name)
        if value:
            return value
        hint = f"Give {name} a value that is built from locals, not from what the provider computes."
        raise ConfigurationError(f"{self.path} has no {name} known before apply", where=self.place, hint=hint)

    def block(self, name: str) -> Mapping[str, Any]:
        """The nested block of that name (the first where it repeats), or an empty one."""
        value = self.attributes.get(name)
        if isinstance(value, list):
            value = value[0] if value else None
        return value if isinstance(value, Mapping) else {}


class Resources:
    """Everything that one directory declares."""

    def __init__(self, raw: Mapping[str, list[dict[str, Any]]]) -> None:
        self._calls = {entry["__tfmeta"]["path"]: _place(entry) for entry in raw.get("module", [])}
        self._by_type = {
            kind: [self._resource(entry) for entry in entries]
            for kind, entries in raw.items()
            if isinstance(entries, list)
        }
        self._by_id = {resource.id: resource for entries in self._by_type.values() for resource in entries}

    def of_type(self, kind: str) -> Iterator[Resource]:
        """Every resource of that type, ordered by address."""
        return iter(sorted(self._by_type.get(kind, []), key=lambda resource: resource.path))

    def find(self, resource_id: object) -> Resource | None:
        """The resource that a reference was evaluated to, or None."""
        return self._by_id.get(resource_id) if isinstance(resource_id, str) else None

    def _resource(self, entry: dict[str, Any]) -> Resource:
        path = str(entry["__tfmeta"].get("path", ""))
        # A resource inside a module is explained by the call that gave it its values.
        call = next((place for module, place in self._calls.items() if path.startswith(f"{module}.")), None)
        known = {name: _known(value) for name, value in entry.items() if name not in _EVALUATOR_KEYS}
        return Resource(id=str(entry.get("id")), path=path, place=call or _place(entry), attributes=known)


def load_resources(directory: Path, variables_file: Path) -> Resources:
    """Evaluates `directory` with the variables of `variables_file`; takes about 50 ms and runs no other program.

    Raises:
        ConfigurationError: a directory or file is missing, or is not valid Terraform; names the file and line.
    """
    _require_files(directory, variables_file)
    # tfparse looks for the variables below the directory that it evaluates.
    relative = os.path.relpath(variables_file.resolve(), directory.resolve())
    answer = _evaluate(directory, relative)
    if "error" in answer:
        raise _syntax_error(directory, answer["error"])
    return Resources(answer["resources"])


def _evaluate(directory: Path, variables_file: str) -> dict[str, Any]:
    """Runs the evaluator in a process of its own: its runtime takes part in signals, which are ours to handle."""
    argv = [sys.executable, "-c", _PROGRAM, str(directory.resolve()), variables_file]
    try:
        done = subprocess.run(argv, capture_output=True, timeout=_TIMEOUT_S, check=True, stdin=subprocess.DEVNULL)
        answer: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.SubprocessError, OSError, ValueError) as error:
        raise HarnessError(f"tfparse gave no answer: {error}", where=str(directory)) from error
    return answer


def whole(value: object) -> int | None:
    """The number as Terraform writes it, or None for anything else."""
    return int(value) if isinstance(value, int | float) else None


def _require_files(directory: Path, variables_file: Path) -> None:
    if not any(directory.glob("*.tf")):
        hint = "Name the directory that holds main.tf."
        raise ConfigurationError("no Terraform files", where=str(directory), hint=hint)
    if not variables_file.is_file():
        known = ", ".join(sorted(path.stem for path in variables_file.parent.glob("*.tfvars"))) or "none"
        hint = f"Write it, or choose one of the environments that exist: {known}."
        raise ConfigurationError("no variables for this environment", where=str(variables_file), hint=hint)


def _syntax_error(directory: Path, message: str) -> ConfigurationError:
    match = _PLACE.search(message)
    if match is None:
        return ConfigurationError(f"Terraform files cannot be read: {message}", where=str(directory))
    file = Path(match["file"])
    where = file if file.is_absolute() else directory / file
    hint = "Correct that line; `terraform fmt` and `terraform validate` check the rest."
    return ConfigurationError(
        f"not valid Terraform: {match['what'].strip()}", where=f"{where}:{match['line']}", hint=hint
    )


def _known(value: Any) -> Any:
    """The value, with None for every part of it that only an apply would know."""
    if isinstance(value, list):
        return [_known(part) for part in value]
    if not isinstance(value, dict):
        return value
    if "__attribute__" in value:
        return None
    return {name: _known(part) for name, part in value.items()}


def _place(entry: Mapping[str, Any]) -> str:
    meta = entry["__tfmeta"]
    return f"{meta.get('filename', '?')}:{meta.get('line_start', '?')}"
