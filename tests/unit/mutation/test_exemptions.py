"""Exemptions: what they name, and that each still names something and says why."""

import pytest

from harness.domain.errors import ConfigurationError
from harness.domain.mutation.exemptions import parse_exemptions, require_fresh
from harness.domain.mutation.generate import generate_mutants

SOURCE = b"def f(a):\n    return a < 1\n\n\ndef g(a):\n    return a < 1\n"
MUTANTS = generate_mutants("app/f.py", SOURCE)
REASON = 'reason = "Nobody can tell the two apart."'


def _equivalent(code: str, operators: str = '["flip_comparison"]', rest: str = "") -> str:
    return f'[[equivalent]]\nfile = "app/f.py"\ncode = "{code}"\noperators = {operators}\n{REASON}\n{rest}'


def test_a_line_is_named_by_its_code_wherever_it_stands() -> None:
    exemptions = parse_exemptions(_equivalent("return a < 1"), "x.toml")
    moved = generate_mutants("app/f.py", b"\n\n\n" + SOURCE)
    covered = [m.id for m in moved if exemptions.find(m)]
    assert covered == ["app/f.py:5:flip_comparison", "app/f.py:9:flip_comparison"]


def test_what_is_replaced_tells_mutants_apart() -> None:
    exemptions = parse_exemptions(_equivalent("return a < 1", rest='replaces = ">"'), "x.toml")
    assert not any(exemptions.find(m) for m in MUTANTS)


def test_out_of_scope_is_taken_out_by_file_function_and_operator() -> None:
    text = f'[[out_of_scope]]\nfiles = ["app/*"]\nfunctions = ["g"]\n{REASON}'
    left = parse_exemptions(text, "x.toml").in_scope(MUTANTS)
    assert {m.function for m in left} == {"f"}


@pytest.mark.parametrize(
    "text",
    [_equivalent("return a < 2"), _equivalent("return a < 1", '["drop_where"]'),
     f'[[out_of_scope]]\nfiles = ["app/gone.py"]\n{REASON}'],
)  # fmt: skip
def test_an_entry_that_names_nothing_is_an_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="names no mutant"):
        require_fresh(parse_exemptions(text, "x.toml"), MUTANTS, "x.toml")


@pytest.mark.parametrize(
    "text",
    ["[[equivalent", "[[equivalent]]\nfile = 'a'\n", "colour = 1\n",
     '[[out_of_scope]]\nfiles = ["a"]\nreason = "no"\n', _equivalent("x", rest="line = 3")],
)  # fmt: skip
def test_a_file_that_is_wrong_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_exemptions(text, "x.toml")
    assert "x.toml" in refused.value.where
