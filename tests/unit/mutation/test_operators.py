"""Every operator plants the fault it is named for, and nothing but it."""

import ast

import pytest

from harness.domain.mutation.generate import generate_mutants, sample_mutants
from harness.domain.mutation.mutant import mutate, render_diff

# operator, the line of source, one of the lines that it must become
CASES = [
    ("drop_order_by", "s = select(T).order_by(T.id).limit(5)", "s = select(T).limit(5)"),
    ("drop_order_by_part", "s = select(T).order_by(T.name, T.id)", "s = select(T).order_by(T.name)"),
    ("drop_where", "s = select(T).where(T.id == 1)", "s = select(T)"),
    ("drop_where_part", "s = select(T).where(T.a > 1, T.b > 2)", "s = select(T).where(T.b > 2)"),
    ("drop_limit", "s = select(T).limit(n)", "s = select(T)"),
    ("change_limit", "s = select(T).limit(n)", "s = select(T).limit((n) + 1)"),
    ("change_offset", "s = select(T).offset(n)", "s = select(T).offset((n) + 1)"),
    ("flip_nulls_order", "k = c.desc().nulls_last()", "k = c.desc().nulls_first()"),
    ("drop_nulls_order", "k = c.nulls_first()", "k = c"),
    ("flip_sort", "k = c.desc()", "k = c.asc()"),
    ("flip_null_test", "k = c.is_(None)", "k = c.is_not(None)"),
    ("change_aggregate", "s = select(func.sum(T.a))", "s = select(func.max(T.a))"),
    ("change_aggregate", "s = select(func.count())", "s = select((func.count() + 1))"),
    ("drop_bound", "k = c.between(a, b)", None),
    ("drop_order_by", 's = text("SELECT a FROM t ORDER BY a DESC LIMIT 3")', 's = text("SELECT a FROM t LIMIT 3")'),
    ("drop_where", 's = text("SELECT a FROM t WHERE a > 1 ORDER BY a")', 's = text("SELECT a FROM t ORDER BY a")'),
    ("flip_sort", 's = text("SELECT a FROM t ORDER BY a DESC")', 's = text("SELECT a FROM t ORDER BY a ASC")'),
    ("flip_nulls_order", 's = "ORDER BY a NULLS FIRST"', 's = "ORDER BY a NULLS LAST"'),
    ("change_precision", "s = \"date_trunc('second', now())\"", "s = \"date_trunc('minute', now())\""),
    ("drop_commit", "session.commit()", "pass"),
    ("drop_call", "session.add(row)", "pass"),
    ("flip_comparison", "k = a <= b", "k = a < b"),
    ("flip_comparison", "k = a == b", "k = a != b"),
    ("flip_comparison", "k = a not in b", "k = a in b"),
    ("swap_boolean", "k = a and b", "k = a or b"),
    ("drop_not", "k = not a", "k = a"),
    ("condition_never", "k = a if b else c", "k = a if False else c"),
    ("drop_filter", "k = [a for a in b if a]", "k = [a for a in b if True]"),
    ("change_number", "k = 7", "k = (7 + 1)"),
    ("flip_truth", "k = True", "k = False"),
    ("change_text", 'k = "Allow"', 'k = "Allow~"'),
    ("change_status", "r = route(status_code=201)", "r = route(status_code=(201 + 1))"),
    ("drop_route_part", "r = route('/', status_code=201)", "r = route('/')"),
    ("change_format", 'k = f"{n:04d}"', 'k = f"{n:03d}"'),
    ("change_format", 'k = f"{day:%Y%m%d}"', 'k = f"{day:%Y%d%m}"'),
    ("change_arithmetic", "k = a * b", "k = a / b"),
    ("change_arithmetic", "k += a", "k -= a"),
    ("drop_sign", "k = -a", "k = a"),
    ("change_rounding", "k = round(a, 2)", "k = a"),
    ("change_rounding", "k = math.floor(a)", "k = math.ceil(a)"),
    ("change_number_type", "k = Decimal(a)", "k = float(a)"),
    ("skip_bound", "k = Field(gt=0, le=5)", "k = Field(le=5)"),
    ("skip_validation", "K = Annotated[str, Check(a)]", "K = str"),
    ("drop_default", "k = mapped_column(Float, default=3.0)", "k = mapped_column(Float)"),
    ("swap_fields", "k = Pnl(amount=a, percent=b)", "k = Pnl(amount=b, percent=a)"),
    ("swap_fields", 'k = {"a": x, "b": y}', 'k = {"a": y, "b": x}'),
    ("keep_zone", "k = a.replace(tzinfo=None)", "k = a"),
    ("drop_sort", "k = sorted(a, key=b)", "k = list(a)"),
    ("change_function", "k = min(a, b)", "k = max(a, b)"),
    ("change_function", "k = a.upper()", "k = a.lower()"),
    ("drop_conversion", "k = a.strip()", "k = a"),
]
BLOCKS = [
    ("skip_validation", "def f(a):\n    if a > 1:\n        raise E\n    return a\n", "    if False:"),
    ("condition_always", "def f(a):\n    if a:\n        return 1\n    return 2\n", "    if True:"),
    ("return_nothing", "def f(a):\n    return a\n", "    return None"),
    ("return_early", "def f(a):\n    g(a)\n    h(a)\n", "    return"),
    ("flip_default", "def f(a=True):\n    return a\n", "def f(a=False):"),
    ("change_default", "def f(a=50):\n    return a\n", "def f(a=(50 + 1)):"),
    (
        "drop_commit",
        "async def f():\n    async with S() as s, s.begin():\n        yield s\n",
        "    async with S() as s:",
    ),
    ("drop_commit", "async def f(s):\n    await s.flush()\n    return s\n", "    pass"),
    ("change_zone", "def f():\n    return datetime.now(UTC)\n", None),
    ("change_status", "class E(Exception):\n    status_code = 404\n", "    status_code = (404 + 1)"),
]


@pytest.mark.parametrize(("operator", "source", "becomes"), CASES + BLOCKS)
def test_an_operator_plants_its_fault(operator: str, source: str, becomes: str | None) -> None:
    text = source.encode()
    faults = [mutate(text, m.edit).decode() for m in generate_mutants("f.py", text) if m.operator == operator]
    assert faults
    if becomes is not None:
        assert any(becomes in fault.splitlines() for fault in faults)


@pytest.mark.parametrize(("operator", "source", "becomes"), CASES + BLOCKS)
def test_every_fault_compiles_and_is_another_program(operator: str, source: str, becomes: str | None) -> None:
    text = source.encode()
    for mutant in generate_mutants("f.py", text):
        fault = ast.parse(mutate(text, mutant.edit))
        compile(fault, "f.py", "exec")
        assert ast.dump(fault) != ast.dump(ast.parse(text))
        assert render_diff(text, mutant).count("\n+") >= 1


@pytest.mark.parametrize(
    "source",
    [
        '"""Documentation."""\n',
        "import os\n",
        "_log.info('%s', 1 + 2)\n",
        "assert a == b\n",
        "k: float | None\n",
        '__table_args__ = (Index("a", "b"), {"c": True})\n',
        "@dataclass(frozen=True)\nclass K:\n    a: int\n",
        "class K:\n    def __repr__(self):\n        return 'k'\n",
        "k = mapped_column(String(50), index=True, unique=True)\n",
    ],
)
def test_what_no_client_can_notice_is_left_alone(source: str) -> None:
    assert generate_mutants("f.py", source.encode()) == ()


def test_positions_count_bytes() -> None:
    source = 'k = "é—ü" if a < b else "ß"\n'.encode()
    fault = next(m for m in generate_mutants("f.py", source) if m.operator == "flip_comparison")
    assert mutate(source, fault.edit).decode() == 'k = "é—ü" if a <= b else "ß"\n'


def test_a_mutant_knows_the_statement_that_has_to_run() -> None:
    source = b"class K:\n    def f(self, a):\n        return g(\n            a,\n            1,\n        )\n"
    fault = next(m for m in generate_mutants("f.py", source) if m.operator == "change_number")
    assert (fault.id, fault.function) == ("f.py:5:change_number", "K.f")
    assert (fault.first_line, fault.last_line) == (3, 6)


def test_a_condition_counts_by_its_head_alone() -> None:
    source = b"def f(a):\n    if a > 1:\n        g(a)\n        h(a)\n    return a\n"
    fault = next(m for m in generate_mutants("f.py", source) if m.operator == "flip_comparison")
    assert (fault.first_line, fault.last_line) == (2, 2)


def test_faults_of_a_kind_on_one_line_have_ids_of_their_own() -> None:
    ids = [m.id for m in generate_mutants("f.py", b"k = (a < b, c < d, e < f)\n") if m.operator == "flip_comparison"]
    assert ids == ["f.py:1:flip_comparison", "f.py:1:flip_comparison#2", "f.py:1:flip_comparison#3"]


def test_a_sample_repeats_for_its_seed_and_shows_every_operator() -> None:
    source = "\n".join([f"a{n} = {n} + b{n} if c{n} < d{n} else -e{n}" for n in range(40)]).encode()
    every = generate_mutants("f.py", source)
    drawn = sample_mutants(every, 30, seed=1)
    assert drawn == sample_mutants(every, 30, seed=1)
    assert drawn != sample_mutants(every, 30, seed=2)
    assert len(drawn) == 30
    assert {m.operator for m in drawn} == {m.operator for m in every}
    assert sample_mutants(every, 0, seed=1) == every
