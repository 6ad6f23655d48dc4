"""Profit and loss of one trade."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pnl:
    """What a closed trade earned: `amount` in its currency after commission, `percent` of its entry price before."""

    amount: float
    percent: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The figures that a trade's profit depends on."""

    direction: str
    quantity: float
    entry_price: float
    exit_price: float
    commission: float


def compute_pnl(position: Position) -> Pnl:
    """Return the profit of a closed position; the result may be infinite where the figures are extreme.

    Source: contract section 4.2. The order of operations is the legacy's, since the last digits depend on it.
    """
    if position.direction == "BUY":
        difference = position.exit_price - position.entry_price
    else:
        difference = position.entry_price - position.exit_price
    amount = difference * position.quantity - position.commission
    return Pnl(amount=amount, percent=difference / position.entry_price * 100)
