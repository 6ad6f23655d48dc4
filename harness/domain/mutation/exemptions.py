"""Mutants that no session has to notice, each with the reason: the file `adequacy.toml`.

`[[equivalent]]` names mutants that change nothing that can be observed; they are run all the same, and one that a
session notices is reported. `[[out_of_scope]]` names files whose faults other tests are for; they are not mutated.
"""

import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from harness.domain.errors import ConfigurationError
from harness.domain.mutation.mutant import Mutant

_MIN_REASON = 15


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """By file, line of code (line numbers move) and operators; `replaces` and `function` tell mutants apart."""

    file: str
    code: str
    operators: list[str]
    reason: str
    replaces: str | None = None
    function: str | None = None

    def covers(self, mutant: Mutant) -> bool:
        """Whether this names the mutant."""
        same_place = mutant.path == self.file and mutant.code == self.code and mutant.operator in self.operators
        same_text = self.replaces in (None, mutant.original)
        return same_place and same_text and self.function in (None, mutant.function)


class OutOfScope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """By files, and functions or classes in them; `*` stands for anything."""

    files: list[str]
    reason: str
    functions: list[str] = []
    operators: list[str] = []

    def covers(self, mutant: Mutant) -> bool:
        """Whether this names the mutant."""
        return (
            any(fnmatchcase(mutant.path, pattern) for pattern in self.files)
            and (not self.functions or any(fnmatchcase(mutant.function, pattern) for pattern in self.functions))
            and (not self.operators or mutant.operator in self.operators)
        )


class Exemptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file."""

    equivalent: list[Equivalent] = []
    out_of_scope: list[OutOfScope] = []

    @property
    def entries(self) -> list[Equivalent | OutOfScope]:
        """All of them."""
        return [*self.equivalent, *self.out_of_scope]

    def find(self, mutant: Mutant) -> Equivalent | None:
        """The entry that calls the mutant equivalent."""
        return next((entry for entry in self.equivalent if entry.covers(mutant)), None)

    def in_scope(self, mutants: Iterable[Mutant]) -> tuple[Mutant, ...]:
        """The mutants that sessions are asked to notice."""
        return tuple(mutant for mutant in mutants if not any(entry.covers(mutant) for entry in self.out_of_scope))


def parse_exemptions(text: str, source: str) -> Exemptions:
    """The exemptions of a TOML text.

    Raises:
        ConfigurationError: it is no TOML, has an unknown key, or an entry without a reason.
    """
    hint = "Give file, code, operators and reason for each [[equivalent]]; files and reason for each [[out_of_scope]]."
    try:
        parsed = msgspec.convert(tomllib.loads(text), Exemptions)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(f"the exemptions cannot be used: {error}", where=source, hint=hint) from error
    for entry in parsed.entries:
        if len(entry.reason.strip()) < _MIN_REASON:
            raise ConfigurationError("an exemption has no reason worth the name", where=f"{source}: {entry}", hint=hint)
    return parsed


def require_fresh(exemptions: Exemptions, mutants: Sequence[Mutant], source: str) -> None:
    """Every entry names at least one mutant that the source still has.

    Raises:
        ConfigurationError: one names none; its code has changed or gone.
    """
    hint = "Remove the entry, or correct it: the code must be the whole line without its indent."
    for entry in exemptions.entries:
        if not any(entry.covers(mutant) for mutant in mutants):
            named = f"{entry.file}: {entry.code}" if isinstance(entry, Equivalent) else ", ".join(entry.files)
            raise ConfigurationError(f"an exemption names no mutant: {named}", where=source, hint=hint)
