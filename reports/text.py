"""Makes text from the network safe to read: nothing invisible, nothing endless."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

MAX_VALUE_CHARACTERS = 480
_CONTEXT_CHARACTERS = 120
_LEAD_CHARACTERS = 40
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)


class PieceKind(StrEnum):
    """How a piece of a value is shown."""

    SAME = "same"
    CHANGED = "changed"
    GAP = "gap"
    """Text that was left out; the piece says how much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of characters of one value."""

    kind: PieceKind
    text: str


def visible(text: str) -> str:
    """The text with every character that cannot be seen, or that turns the direction, written as `⟦U+202E⟧`.

    Tabs and line feeds stay. The text can then be encoded as UTF-8 and put into XML 1.0.
    """
    return _UNSEEN.sub(lambda match: f"⟦U+{ord(match[0]):04X}⟧", text)


def shorten(text: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """The text, cut after `limit` characters with its full length said."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def one_line(text: str, limit: int = MAX_VALUE_CHARACTERS) -> str:
    """Visible, shortened, and without line breaks: for tables, Markdown and messages."""
    return visible(shorten(" ".join(text.split()), limit))


def mark_difference(legacy: str | None, target: str | None) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both values cut into equal and changed pieces; an absent value has none.

    The changed part is all between the common start and the common end. Of huge values only what surrounds the
    change is kept.
    """
    if legacy is None or target is None:
        return _whole(legacy), _whole(target)
    start = _common_length(legacy, target)
    end = _common_length(legacy[start:][::-1], target[start:][::-1])
    return _cut(legacy, start, end), _cut(target, start, end)


def excerpt(pieces: Sequence[Piece], limit: int) -> str:
    """About `limit` characters on one line that begin shortly before the first change; `absent` for no pieces."""
    if not pieces:
        return "absent"
    texts = ["…" if piece.kind is PieceKind.GAP else piece.text for piece in pieces]
    first = next((i for i, piece in enumerate(pieces) if piece.kind is PieceKind.CHANGED), 0)
    before, after = "".join(texts[:first]), "".join(texts[first:])
    lead = before if len(before) <= _LEAD_CHARACTERS else "…" + before[-_LEAD_CHARACTERS:]
    rest = after if len(lead) + len(after) <= limit else after[: limit - len(lead)] + "…"
    return visible(" ".join((lead + rest).split()))


def _whole(value: str | None) -> tuple[Piece, ...]:
    if value is None:
        return ()
    return tuple(_shortened(value, PieceKind.CHANGED))


def _cut(value: str, start: int, end: int) -> tuple[Piece, ...]:
    stop = len(value) - end
    head, changed, tail = value[:start], value[start:stop], value[stop:]
    pieces: list[Piece] = []
    if len(head) > _CONTEXT_CHARACTERS:
        pieces.append(_gap(len(head) - _CONTEXT_CHARACTERS))
        head = head[-_CONTEXT_CHARACTERS:]
    pieces.append(Piece(kind=PieceKind.SAME, text=head))
    pieces += _shortened(changed, PieceKind.CHANGED)
    pieces.append(Piece(kind=PieceKind.SAME, text=tail[:_CONTEXT_CHARACTERS]))
    if len(tail) > _CONTEXT_CHARACTERS:
        pieces.append(_gap(len(tail) - _CONTEXT_CHARACTERS))
    return tuple(piece for piece in pieces if piece.text)


def _shortened(text: str, kind: PieceKind) -> list[Piece]:
    if len(text) <= MAX_VALUE_CHARACTERS:
        return [Piece(kind=kind, text=text)]
    return [Piece(kind=kind, text=text[:MAX_VALUE_CHARACTERS]), _gap(len(text) - MAX_VALUE_CHARACTERS)]


def _gap(characters: int) -> Piece:
    return Piece(kind=PieceKind.GAP, text=f"… {characters:,} more characters …")


def _common_length(left: str, right: str) -> int:
    """Halves the range by comparing slices, so that values of megabytes cost milliseconds."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if left[low:middle] == right[low:middle] else (low, middle - 1)
    return low
