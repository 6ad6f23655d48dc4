"""`parakeet.toml` with every key, its default and its meaning, written from the settings' own definition."""

import ast
import inspect
import json
from collections.abc import Iterator, Mapping
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from harness import settings
from harness.settings import Settings

Struct = type[msgspec.Struct]
_WIDTH = 116
_HEAD = """\
# What `parakeet` knows of this migration. Every key is here, with its default; whatever stays as it is may be removed.
# A key with `#` before it is not set. A misspelt key is an error.
"""
_EMPTY: Mapping[type, object] = {str: "", int: 0, float: 0.0, bool: False}


def render_settings() -> str:
    """The file's text; it says nothing that differs from the defaults, and uncommented lines are still valid."""
    return "\n".join([_HEAD, *_table(Settings, ()), ""])


def _table(struct: Struct, path: tuple[str, ...], *, prefix: str = "", is_repeated: bool = False) -> Iterator[str]:
    """The keys of a struct, then its tables; `prefix` is `#` where the whole table is an example."""
    fields = msgspec.structs.fields(struct)
    has_keys = any(_struct_of(field.type) is None for field in fields)
    if has_keys:
        yield from _comment(_meanings(struct)[""])
        name = ".".join(path)
        yield f"{prefix}[[{name}]]" if is_repeated else f"{prefix}[{name}]"
    for field in fields:
        if _struct_of(field.type) is None:
            yield from _comment(_meanings(struct).get(field.name, ""), _choices(field.type))
            yield _key(field, prefix)
    if has_keys:
        yield ""
    for field in fields:
        yield from _inner_table(struct, field, path, prefix)


def _inner_table(owner: Struct, field: msgspec.structs.FieldInfo, path: tuple[str, ...], prefix: str) -> Iterator[str]:
    """A table of its own, or the example of one where there may be several, by name or in order."""
    inner, kind = _struct_of(field.type), get_origin(field.type)
    if inner is None:
        return
    if kind is None:
        yield from _table(inner, (*path, field.name), prefix=prefix)
        return
    yield from _comment(_meanings(owner).get(field.name, ""))
    inner_path = (*path, field.name) if kind is list else (*path, field.name, "NAME")
    yield from _table(inner, inner_path, prefix="#", is_repeated=kind is list)


def _key(field: msgspec.structs.FieldInfo, prefix: str) -> str:
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    if default is msgspec.NODEFAULT or default is None:
        return f"#{field.name} = {toml_value(_example(field.type))}"
    return f"{prefix}{field.name} = {toml_value(default)}"


def toml_value(value: object) -> str:
    """A value as TOML writes it on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(name)} = {toml_value(each)}" for name, each in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _example(declared: Any) -> object:
    """A value that the type takes: one that its definition names, else the empty one."""
    if get_origin(declared) is Annotated:
        plain, meta = get_args(declared)
        return meta.examples[0] if meta.examples else _example(plain)
    options = get_args(declared) if isinstance(declared, UnionType) else (declared,)
    return next(_EMPTY[each] for each in _EMPTY if each in options)


def _struct_of(declared: Any) -> Struct | None:
    """The struct of a table, or of every table in a mapping or a list of such."""
    candidate = get_args(declared)[-1] if get_origin(declared) in {dict, list} else declared
    return candidate if isinstance(candidate, type) and issubclass(candidate, msgspec.Struct) else None


def _choices(declared: Any) -> str:
    if get_origin(declared) is not Literal:
        return ""
    return f"One of: {', '.join(get_args(declared))}."


def _comment(*parts: str) -> Iterator[str]:
    words = " ".join(part for part in parts if part).split()
    line = ""
    for word in words:
        if len(line) + len(word) + 1 > _WIDTH:
            yield f"# {line.strip()}"
            line = ""
        line += f" {word}"
    if line:
        yield f"# {line.strip()}"


@cache
def _meanings(struct: Struct) -> Mapping[str, str]:
    """What the definition says of a struct, under "", and of its fields."""
    module = ast.parse(inspect.getsource(settings))
    node = next(each for each in module.body if isinstance(each, ast.ClassDef) and each.name == struct.__name__)
    found = {"": inspect.cleandoc(ast.get_docstring(node) or "")}
    for statement, following in zip(node.body, node.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = following.value.value if _is_text(following) else ""  # type: ignore[attr-defined]
            found[statement.target.id] = text
    return found


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
