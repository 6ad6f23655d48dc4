"""SQL expressions brought to one form: what SQLite keeps as it was written and PostgreSQL writes in its own way.

Two expressions of one form mean the same. Two of different forms may still: then a person says so.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeAlias

Form: TypeAlias = "str | tuple[Form, ...]"
"""A name, number or quoted text; or an operator or function, followed by what it is applied to."""
Tokens = Sequence[tuple[str, str]]

_TOKEN = re.compile(
    r"""\s*(?:(?P<string>[xXeE]?'(?:[^']|'')*')|(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+)
    |(?P<quoted>"(?:[^"]|"")*"|`[^`]*`)|(?P<name>[^\W\d][\w$]*)
    |(?P<sign>::|<=|>=|<>|!=|==|\|\||!?~~?\*?|<<|>>|->>|->|[-+*/%=<>(),.\[\]&|]))""",
    re.VERBOSE,
)
_OR, _AND, _NOT, _COMPARED, _UNARY, _CAST = 10, 20, 30, 40, 90, 100
_STRENGTHS: Mapping[str, int] = {
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("=", "<", ">", "<=", ">=", "<>", "~~", "!~~", "~", "!~", "~~*"), _COMPARED),
    **dict.fromkeys(("&", "|", "<<", ">>"), 50),
    **dict.fromkeys(("+", "-"), 60),
    **dict.fromkeys(("*", "/", "%"), 70),
    **dict.fromkeys(("||", "->", "->>"), 80),
}
_SPELLINGS = {"==": "=", "!=": "<>"}
_NUMBERS = frozenset({"smallint", "integer", "bigint", "numeric", "real", "double"})
_TYPE_WORDS = frozenset({"varying", "precision", "without", "with", "time", "zone"})


class _Unknown(ValueError):
    """Something that is not read here."""


def parse_expression(text: str) -> Form:
    """The one form of an expression: without casts, and without parentheses that change nothing.

    What cannot be read keeps its own text, but for white space.
    """
    try:
        return _Parser(_tokens(text)).parse()
    except _Unknown:
        return " ".join(text.split())


def _tokens(text: str) -> Tokens:
    found, at = list[tuple[str, str]](), 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _Unknown(text)
        kind, spelled, at = match.lastgroup, match[match.lastgroup], match.end()
        if kind == "quoted":
            found.append(("column", spelled[1:-1].replace('""', '"').lower()))
        else:
            found.append((kind, spelled.lower() if kind == "name" else _SPELLINGS.get(spelled, spelled)))
    return found


class _Parser:
    """Precedence climbing; each method gives the form of what it has read."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self._at = 0

    def parse(self) -> Form:
        form = self._expression(0)
        if self._at != len(self._tokens):
            raise _Unknown(self._peek())
        return form

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _Unknown("the end")
        self._at += 1
        return self._tokens[self._at - 1]

    def take(self, *wanted: str) -> bool:
        """Goes past the wanted words, if they are what comes."""
        coming = self._tokens[self._at : self._at + len(wanted)]
        if [spelled for kind, spelled in coming if kind != "string"] != list(wanted):
            return False
        self._at += len(wanted)
        return True

    def require(self, *wanted: str) -> None:
        """Goes past the wanted words."""
        if not self.take(*wanted):
            raise _Unknown(self._peek())

    def items(self, end: str) -> tuple[Form, ...]:
        """Expressions with commas, up to `end`."""
        found: list[Form] = []
        while not self.take(end):
            if found:
                self.require(",")
            found.append(self._expression(0))
        return tuple(found)

    def compared(self) -> Form:
        """What stands behind a comparison."""
        return self._expression(_COMPARED)

    def _expression(self, floor: int) -> Form:
        form = self._operand()
        while (longer := self._follow(form, floor)) is not None:
            form = longer
        return form

    def _follow(self, left: Form, floor: int) -> "Form | None":
        """`left` with what binds to it more strongly than `floor`; None where nothing does."""
        if self.take("::"):
            return _cast(left, self._skip_type())
        if self.take("at", "time", "zone"):
            return ("timezone", self._expression(_CAST), left)
        word = self._peek()
        strength = _STRENGTHS.get(word, 0)
        if strength > floor:
            self._at += 1
            return self._quantified(left, word) or _joined(word, left, self._expression(strength))
        if floor < _COMPARED:
            return next((read(self, left) for words, read in _PREDICATES.items() if self.take(*words)), None)
        return None

    def _quantified(self, left: Form, word: str) -> "Form | None":
        """`= ANY (ARRAY[…])` is how PostgreSQL stores IN, `<> ALL (ARRAY[…])` how it stores NOT IN."""
        if not (word == "=" and self.take("any", "(")) and not (word == "<>" and self.take("all", "(")):
            return None
        items = self._expression(0)
        self.require(")")
        if items[0] != "array":
            raise _Unknown(word)
        found = _among(left, items[1:])
        return found if word == "=" else ("not", found)

    def _operand(self) -> Form:
        kind, spelled = self._next()
        if kind == "number":
            return _number(spelled)
        if kind in {"string", "column"}:
            return spelled
        if kind == "sign":
            return self._signed(spelled)
        if spelled == "not":
            return ("not", self._expression(_NOT))
        return self._named(spelled)

    def _signed(self, sign: str) -> Form:
        if sign == "(":
            form = self._expression(0)
            self.require(")")
            return form
        if sign not in {"-", "+"}:
            raise _Unknown(sign)
        operand = self._expression(_UNARY)
        if sign == "+":
            return operand
        return f"-{operand}" if isinstance(operand, str) and operand[:1].isdigit() else ("-", operand)

    def _named(self, name: str) -> Form:
        if name == "cast" and self.take("("):
            form = self._expression(0)
            self.require("as")
            form = _cast(form, self._skip_type())
            self.require(")")
            return form
        if name == "array" and self.take("["):
            return ("array", *self.items("]"))
        while self.take("."):
            name = self._next()[1]  # a schema or table before it says nothing here
        return (name, *self.items(")")) if self.take("(") else name

    def _skip_type(self) -> str:
        name = self._next()[1]
        while self.take("."):
            name = self._next()[1]
        while self._peek() in _TYPE_WORDS or self._peek() == "(":
            if self._next()[1] == "(":
                self.items(")")
        while self.take("[", "]"):
            pass
        return name


def _read_list(parser: _Parser, left: Form) -> Form:
    parser.require("(")
    return _among(left, parser.items(")"))


def _read_between(parser: _Parser, left: Form) -> Form:
    low = parser.compared()
    parser.require("and")
    return _joined("and", (">=", left, low), ("<=", left, parser.compared()))


def _read_like(parser: _Parser, left: Form) -> Form:
    return ("~~", left, parser.compared())


_Reader = Callable[[_Parser, Form], Form]
_PREDICATES: Mapping[tuple[str, ...], _Reader] = {
    ("is", "not", "null"): lambda _, left: ("is not null", left),
    ("notnull",): lambda _, left: ("is not null", left),
    ("not", "null"): lambda _, left: ("is not null", left),
    ("is", "null"): lambda _, left: ("is null", left),
    ("isnull",): lambda _, left: ("is null", left),
    ("not", "in"): lambda parser, left: ("not", _read_list(parser, left)),
    ("in",): _read_list,
    ("not", "between"): lambda parser, left: ("not", _read_between(parser, left)),
    ("between",): _read_between,
    ("not", "like"): lambda parser, left: ("not", _read_like(parser, left)),
    ("like",): _read_like,
}


def _cast(form: Form, kind: str) -> Form:
    """PostgreSQL stores -2 as '-2'::integer."""
    if kind in _NUMBERS and isinstance(form, str) and re.fullmatch(r"'-?[\d.]+'", form):
        number = form.strip("'")
        return f"-{_number(number[1:])}" if number.startswith("-") else _number(number)
    return form


def _among(left: Form, items: Sequence[Form]) -> Form:
    return ("in", left, *sorted(items, key=repr))


def _joined(word: str, left: Form, right: Form) -> Form:
    """An operator on both; `and` and `or` make one chain in any order."""
    if word == "!~~":
        return ("not", ("~~", left, right))
    if word not in {"and", "or"}:
        return (word, left, right)
    pieces = [piece for part in (left, right) for piece in (part[1:] if part[0] == word else (part,))]
    return (word, *sorted(pieces, key=repr))


def _number(text: str) -> str:
    number = Decimal(text)
    return f"{number.normalize():f}" if number else "0"
