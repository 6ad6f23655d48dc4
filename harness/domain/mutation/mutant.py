"""A mutant: one source file with one small stretch of it replaced."""

import difflib
from dataclasses import dataclass

_CONTEXT_LINES = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an operator proposes: bytes `start` to `end` of a file replaced by `text`."""

    operator: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One fault in one file; `id` is `file:line:operator`, with `#2` and so on where a line has several of a kind."""

    id: str
    path: str
    line: int
    operator: str
    edit: Edit
    original: str
    """The text that is replaced."""
    code: str
    """The line that it stands in, without its indent: what an exemption names, since line numbers move."""
    function: str
    """The innermost function or class, empty at the module's level."""
    first_line: int
    last_line: int
    """The statement that has to run for the fault to act."""

    @property
    def key(self) -> str:
        """What names the mutant wherever its line has moved to."""
        return f"{self.path}|{self.operator}|{self.code}|{self.original}|{self.edit.text}"


def mutate(source: bytes, edit: Edit) -> bytes:
    """The file's text with the fault in it."""
    return source[: edit.start] + edit.text.encode() + source[edit.end :]


def render_diff(source: bytes, mutant: Mutant) -> str:
    """The fault as a unified diff with a line of context."""
    before, after = (text.decode().splitlines() for text in (source, mutate(source, mutant.edit)))
    lines = difflib.unified_diff(before, after, mutant.path, mutant.path, lineterm="", n=_CONTEXT_LINES)
    return "\n".join(lines)
