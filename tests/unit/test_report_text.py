"""Text from the network is made visible, short, and marked where it differs."""

from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.markdown import code, escape
from reports.text import PieceKind, excerpt, mark_difference, one_line, shorten, visible

any_text = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("a\x00b", "a⟦U+0000⟧b"),
        ("\u202egnp.exe", "⟦U+202E⟧gnp.exe"),
        ("\u2066x\u2069", "⟦U+2066⟧x⟦U+2069⟧"),
        ("a\u200bb\ufeff", "a⟦U+200B⟧b⟦U+FEFF⟧"),
        ("\ud800", "⟦U+D800⟧"),
        ("tab\tline\n", "tab\tline\n"),
        ("naïve 日本 🦜", "naïve 日本 🦜"),
    ],
)
def test_what_cannot_be_seen_is_written_out(hidden: str, shown: str) -> None:
    assert visible(hidden) == shown


@given(any_text)
def test_visible_text_survives_utf8_and_xml(text: str) -> None:
    shown = visible(text)
    shown.encode()
    element = Element("e")
    element.text = shown
    fromstring(tostring(element, encoding="utf-8"))
    assert visible(shown) == shown


def test_a_huge_value_is_cut_and_says_how_long_it_is() -> None:
    assert shorten("x" * 2_000_000, 10) == "xxxxxxxxxx… (2,000,000 characters)"
    assert "\n" not in one_line("a\n\nb")


@given(st.text(max_size=40), st.text(max_size=40))
def test_the_pieces_make_up_both_values_and_mark_all_that_differs(legacy: str, target: str) -> None:
    left, right = mark_difference(legacy, target)
    assert "".join(piece.text for piece in left) == legacy
    assert "".join(piece.text for piece in right) == target
    same = ["".join(p.text for p in pieces if p.kind is PieceKind.SAME) for pieces in (left, right)]
    assert same[0] == same[1]
    assert (legacy == target) == all(piece.kind is PieceKind.SAME for piece in (*left, *right))


def test_only_the_differing_digit_is_marked() -> None:
    left, right = mark_difference('"2025-11-03"', '"2025-11-04"')
    assert [piece.text for piece in left if piece.kind is PieceKind.CHANGED] == ["3"]
    assert [piece.text for piece in right if piece.kind is PieceKind.CHANGED] == ["4"]


def test_an_absent_value_has_no_pieces_and_the_other_is_marked_whole() -> None:
    left, right = mark_difference(None, '"x"')
    assert left == ()
    assert [(piece.kind, piece.text) for piece in right] == [(PieceKind.CHANGED, '"x"')]


def test_a_change_deep_in_a_huge_value_is_what_is_shown() -> None:
    left, right = mark_difference("a" * 500_000 + "1" + "b" * 500_000, "a" * 500_000 + "2" + "b" * 500_000)
    assert sum(len(piece.text) for piece in left) < 400
    assert "1" in excerpt(left, 120)
    assert "2" in excerpt(right, 120)
    assert len(excerpt(left, 120)) <= 122


@pytest.mark.parametrize(
    "hostile", ["|a|b|", "[x](http://evil)", "<img src=x>", "`code`", "**b**", "@everyone", "a\nb"]
)
def test_markdown_shows_hostile_text_as_text(hostile: str) -> None:
    shown = escape(hostile)
    assert "<" not in shown
    assert "\n" not in shown
    assert "://" not in shown
    assert "@" not in shown
    for active in "|[]`*":
        assert shown.replace("\\" + active, "").count(active) == 0


def test_a_code_span_holds_backticks_and_bars() -> None:
    assert code("a``b") == "``` a``b ```"
    assert "|" not in code("a|b")
