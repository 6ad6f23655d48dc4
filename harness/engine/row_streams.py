"""Two tables read side by side: blocks of rows, cut so that both hold the same range of keys."""

from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence

from harness.domain.row_order import SortKey
from harness.domain.rows import Row


class RowStream:
    """Rows in order, of which those up to a key can be taken."""

    def __init__(self, blocks: AsyncIterator[Sequence[Row]], key: Callable[[Row], SortKey]) -> None:
        self._blocks = blocks
        self._key = key
        self._waiting: Sequence[Row] = ()
        self._is_done = False
        self.count = 0

    async def fill(self) -> None:
        """Has rows waiting, unless there are no more."""
        if self._waiting or self._is_done:
            return
        try:
            self._waiting = await anext(self._blocks)
        except StopAsyncIteration:
            self._is_done = True
        self.count += len(self._waiting)

    @property
    def bound(self) -> SortKey | None:
        """Up to here everything is known; None where that is everything."""
        return None if self._is_done else self._key(self._waiting[-1])

    async def blocks(self) -> AsyncIterator[Sequence[Row]]:
        """All rows, as they come."""
        while True:
            await self.fill()
            if not self._waiting:
                return
            yield self.take(None)

    def take(self, bound: SortKey | None) -> Sequence[Row]:
        """The waiting rows up to `bound`."""
        waiting = self._waiting
        if bound is None or not waiting or self._key(waiting[-1]) <= bound:
            self._waiting = ()
            return waiting
        cut = bisect_right(waiting, bound, key=self._key)
        self._waiting = waiting[cut:]
        return waiting[:cut]


async def aligned_blocks(legacy: RowStream, target: RowStream) -> AsyncIterator[tuple[Sequence[Row], Sequence[Row]]]:
    """Blocks of both sides that hold the same range of keys: every row once, in order."""
    while True:
        await legacy.fill()
        await target.fill()
        bounds = [each for each in (legacy.bound, target.bound) if each is not None]
        bound = min(bounds) if bounds else None
        taken = legacy.take(bound), target.take(bound)
        if taken[0] or taken[1]:
            yield taken
        if bound is None:
            return


async def whole_tables(legacy: RowStream, target: RowStream) -> AsyncIterator[tuple[Sequence[Row], Sequence[Row]]]:
    """All rows of both sides at once, for what has no common order."""
    ours = [row async for block in legacy.blocks() for row in block]
    theirs = [row async for block in target.blocks() for row in block]
    yield ours, theirs
