"""Which node had no room for which model lately; nobody else waits for such a node meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field

_HOLDS_S = 60.0


@dataclass(slots=True)
class Refusals:
    """What this manager saw in claims, by the store's clock. Two threads that write at once lose
    at most one line, which the next claim writes again."""

    at: dict[tuple[str, str], float] = field(default_factory=dict)

    def note(self, node: str, model: str, now: float) -> bool:
        """Whether this is news, and worth a line in the log."""
        news = not self.stands(node, model, now)
        self.at = {key: at for key, at in self.at.items() if now - at < _HOLDS_S}
        if news:
            self.at[node, model] = now
        return news

    def stands(self, node: str, model: str, now: float) -> bool:
        at = self.at.get((node, model))
        return at is not None and 0 <= now - at < _HOLDS_S
