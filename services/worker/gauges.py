"""What the children did, as readings for Prometheus; they rise as long as the worker runs."""

from __future__ import annotations

from collections.abc import Iterator

from services.metrics import Reading
from services.worker.pulse import Tally


def readings(tally: Tally) -> Iterator[Reading]:
    """Seconds of work by seconds of audio is the real-time factor of a stage."""
    yield Reading(
        "fanscribe_worker_attempts",
        "Attempts that ended here, by stage, outcome and failure class.",
        ("stage", "outcome", "class"),
        [(_three(key), count) for key, count in tally.attempts.items()],
    )
    yield Reading(
        "fanscribe_worker_work_seconds",
        "Seconds that successful attempts took, by stage.",
        ("stage",),
        [((stage,), seconds) for stage, seconds in tally.work_s.items()],
    )
    yield Reading(
        "fanscribe_worker_audio_seconds",
        "Seconds of audio that successful attempts worked off, by stage.",
        ("stage",),
        [((stage,), seconds) for stage, seconds in tally.audio_s.items()],
    )


def _three(key: str) -> tuple[str, ...]:
    return tuple(key.split(" "))
