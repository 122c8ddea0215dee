"""How long what belongs to a task is kept after its end."""

from __future__ import annotations

from services.model.values import Stored


class Retention(Stored):
    """Seconds after the end; None: as long as the task is there. `media_s` is of the audio and
    what was decoded from it, `results_s` of everything."""

    media_s: float | None = None
    results_s: float | None = None

    def media_until(self, finished_at: float | None) -> float | None:
        return _after(finished_at, self.media_s)

    def results_until(self, finished_at: float | None) -> float | None:
        return _after(finished_at, self.results_s)

    def next_at(self, finished_at: float, *, media_gone: bool) -> float | None:
        """When something is to be removed next."""
        media = None if media_gone else self.media_until(finished_at)
        times = [at for at in (media, self.results_until(finished_at)) if at is not None]
        return min(times, default=None)

    def within(self, longest: Retention) -> Retention:
        """Never longer than what the operator keeps."""
        return Retention(
            media_s=_shorter(self.media_s, longest.media_s),
            results_s=_shorter(self.results_s, longest.results_s),
        )


def _after(at: float | None, seconds: float | None) -> float | None:
    return None if at is None or seconds is None else at + seconds


def _shorter(one: float | None, other: float | None) -> float | None:
    return min((each for each in (one, other) if each is not None), default=None)
