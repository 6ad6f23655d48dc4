"""What an order costs."""

FREE_FROM = 10


def total(quantity: int, price: int) -> int:
    """The price of an order, delivery included."""
    cost = quantity * price
    if quantity >= FREE_FROM:
        return cost
    return cost + 5


def unused(quantity: int) -> int:
    """No request runs this."""
    return quantity + 1
