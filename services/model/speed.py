"""How long work takes on one node, learnt from the work it did: a straight line through it."""

from __future__ import annotations

from services.model.values import Stored

_FADES = 0.95  # what each new measurement leaves of the weight of those before it


class Speed(Stored):
    """Fading sums over (size, seconds) of finished attempts; `size` is seconds of audio, or
    their equivalent. `count` is how many measurements still weigh."""

    count: float = 0.0
    sizes: float = 0.0
    seconds: float = 0.0
    squares: float = 0.0  # of sizes
    products: float = 0.0  # size × seconds

    def seen(self, size: float, seconds: float) -> Speed:
        """With one more measurement."""
        return self.faded(_FADES).plus(
            Speed(
                count=1.0,
                sizes=size,
                seconds=seconds,
                squares=size * size,
                products=size * seconds,
            )
        )

    def plus(self, other: Speed) -> Speed:
        """Both together: of two nodes, or of two managers that watched the same node."""
        return Speed(
            count=self.count + other.count,
            sizes=self.sizes + other.sizes,
            seconds=self.seconds + other.seconds,
            squares=self.squares + other.squares,
            products=self.products + other.products,
        )

    def then(self, later: Speed) -> Speed:
        """With what was measured since, as if each of those had been seen one by one."""
        return self.faded(_FADES**later.count).plus(later)

    def faded(self, share: float) -> Speed:
        """The same line with less weight."""
        return Speed(**{name: value * share for name, value in self})

    def expect(self, size: float) -> float | None:
        """Seconds that work of this size takes; None while nothing was measured.

        A fixed part and a part that grows with the size, neither below zero, so that a few odd
        measurements cannot make more work take less time; where all sizes were alike the line
        is undetermined and only the ratio counts.
        """
        if self.count <= 0:
            return None
        spread = self.count * self.squares - self.sizes * self.sizes
        if spread <= 1e-9 * self.count * self.squares:
            return self._by_ratio(size)
        slope = (self.count * self.products - self.sizes * self.seconds) / spread
        fixed = (self.seconds - slope * self.sizes) / self.count
        if slope < 0:
            return self.seconds / self.count
        if fixed < 0:
            return size * self.products / self.squares
        return fixed + slope * size

    def at_most(self, size: float) -> float | None:
        """Seconds to be prepared for. Work far larger than what was measured is not trusted to
        the line, whose slope rests on small differences: at the least it takes its share."""
        expected = self.expect(size)
        return None if expected is None else max(expected, self._by_ratio(size))

    @property
    def each(self) -> float | None:
        """Seconds for one unit of size, all told; None while nothing was measured."""
        return self.seconds / self.sizes if self.sizes > 0 else None

    def _by_ratio(self, size: float) -> float:
        if self.sizes <= 0:
            return self.seconds / self.count
        return size * self.seconds / self.sizes
