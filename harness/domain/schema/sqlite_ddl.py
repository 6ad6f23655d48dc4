"""What SQLite tells only in the text of CREATE TABLE and CREATE INDEX: checks, collations, generated columns, terms."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|--[^\n]*|/\*.*?\*/)+)|(?P<string>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\])
    |(?P<word>[^\W\d][\w$]*)|(?P<sign>[(),])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_TABLE_CONSTRAINTS = frozenset({"constraint", "check", "primary", "unique", "foreign"})
_SIDEWAYS = frozenset({"asc", "desc"})

Token = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredTable:
    """Parts of a CREATE TABLE; names of columns are as they were written, in lower case."""

    checks: tuple[str, ...] = ()
    collations: Mapping[str, str] = field(default_factory=dict)
    generated: Mapping[str, str] = field(default_factory=dict)
    """The expression that a column is generated from."""


def read_create_table(sql: str) -> DeclaredTable:
    """The parts of a CREATE TABLE statement that SQLite accepted."""
    checks, collations, generated = list[str](), dict[str, str](), dict[str, str]()
    for definition in _split(_body(_tokens(sql))):
        words = [_name(token) for token in definition if token[0] in {"word", "quoted"}]
        checks += _arguments(definition, "check")
        if not words or (words[0] in _TABLE_CONSTRAINTS and definition[0][0] == "word"):
            continue
        collations.update((words[0], name) for name in _after(definition, "collate"))
        generated.update((words[0], expression) for expression in _arguments(definition, "as"))
    return DeclaredTable(checks=tuple(checks), collations=collations, generated=generated)


def read_create_index(sql: str) -> tuple[tuple[str, ...], str | None]:
    """The terms of a CREATE INDEX statement, without their order and collation, and its condition."""
    tokens = _tokens(sql)
    terms = tuple(_text(_without_order(each)) for each in _split(_body(tokens)))
    where, depth = None, 0
    for at, token in enumerate(tokens):
        depth += (token[1] == "(") - (token[1] == ")")
        if depth == 0 and _is_word(token, "where"):
            where = _text(tokens[at + 1 :])
    return terms, where


def _tokens(sql: str) -> list[Token]:
    found = [(match.lastgroup or "", match[0]) for match in _TOKEN.finditer(sql)]
    return [(kind, " ") if kind == "space" else (kind, text) for kind, text in found]


def _body(tokens: Sequence[Token]) -> Sequence[Token]:
    """What stands in the first parentheses."""
    start = next((at for at, token in enumerate(tokens) if token == ("sign", "(")), len(tokens))
    return tokens[start + 1 : _closing(tokens, start)]


def _closing(tokens: Sequence[Token], opening: int) -> int:
    depth = 0
    for at in range(opening, len(tokens)):
        depth += (tokens[at] == ("sign", "(")) - (tokens[at] == ("sign", ")"))
        if depth == 0:
            return at
    return len(tokens)


def _split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """Between commas outside of parentheses, without white space at the ends."""
    start, depth = 0, 0
    for at, token in enumerate([*tokens, ("sign", ",")]):
        depth += (token == ("sign", "(")) - (token == ("sign", ")"))
        if depth == 0 and token == ("sign", ","):
            yield _trimmed(tokens[start:at])
            start = at + 1


def _trimmed(tokens: Sequence[Token]) -> Sequence[Token]:
    blank = [bool(text.strip()) for _, text in tokens]
    return tokens[blank.index(True) : len(blank) - blank[::-1].index(True)] if True in blank else ()


def _arguments(tokens: Sequence[Token], word: str) -> Iterator[str]:
    """What stands in the parentheses behind a word, at the outermost level."""
    depth = 0
    for at, token in enumerate(tokens):
        if depth == 0 and _is_word(token, word):
            opening = next((n for n in range(at + 1, len(tokens)) if tokens[n][1].strip()), len(tokens))
            if opening < len(tokens) and tokens[opening] == ("sign", "("):
                yield _text(tokens[opening + 1 : _closing(tokens, opening)])
        depth += (token == ("sign", "(")) - (token == ("sign", ")"))


def _after(tokens: Sequence[Token], word: str) -> Iterator[str]:
    """The name behind a word, at the outermost level."""
    depth, is_next = 0, False
    for token in tokens:
        depth += (token == ("sign", "(")) - (token == ("sign", ")"))
        if is_next and token[1].strip():
            yield _name(token)
            is_next = False
        elif depth == 0:
            is_next = is_next or _is_word(token, word)


def _without_order(tokens: Sequence[Token]) -> Sequence[Token]:
    kept = list(tokens)
    while kept and (kept[-1][1].lower() in _SIDEWAYS or not kept[-1][1].strip()):
        kept.pop()
    solid = [at for at, token in enumerate(kept) if token[1].strip()]
    if len(solid) > 2 and _is_word(kept[solid[-2]], "collate"):
        return kept[: solid[-2]]
    return kept


def _is_word(token: Token, word: str) -> bool:
    return token[0] == "word" and token[1].lower() == word


def _name(token: Token) -> str:
    kind, text = token
    return (text[1:-1].replace('""', '"') if kind == "quoted" else text).lower()


def _text(tokens: Sequence[Token]) -> str:
    """As it was written, but for comments and white space outside of quotes."""
    return "".join(map(_spelled, tokens)).strip()


def _spelled(token: Token) -> str:
    kind, text = token
    if kind == "quoted" and text.startswith("["):
        return f'"{text[1:-1]}"'  # names in brackets are SQLite's alone
    return text
