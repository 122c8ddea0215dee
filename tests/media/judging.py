"""Decodes a file of the corpus in the real child, and judges what came of it by its tones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from corpus import Case, Truth
from making import hertz

from services.model.errors import FailureClass, JobFailed
from whisper_worker.media import Decoder, Pcm

RATE = 16_000
_WINDOW = RATE // 10
_NEAR_S = 0.15  # how far a sound may be from where it belongs
_QUIET = 0.02
_CLOSE = 0.02  # what coverage and length may be off


Gaps = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`outcome` is done, flagged or a code; `faults` are what is not as it has to be."""

    outcome: str
    told: str
    faults: list[str]


def judge(case: Case, decoder: Decoder, folder: Path) -> Verdict:
    path = folder / f"file{case.suffix}"
    truth = case.make(path)
    try:
        pcm = decoder.decode(path, folder / "pcm", 0.0, tell=lambda _: None)
    except JobFailed as failed:
        return _refused(failed, truth)
    outcome = "flagged" if pcm.warnings else "done"
    told = f"{pcm.seconds:.2f} s, {pcm.coverage:.3f} {' '.join(pcm.warnings)}"
    return Verdict(outcome, told, list(_faults(pcm, truth, outcome)))


def _refused(failed: JobFailed, truth: Truth) -> Verdict:
    faults = []
    if failed.failure_class is not FailureClass.PERMANENT:
        faults.append("would be tried again")
    if "crash" in failed.message:
        faults.append("the decoder crashed")
    if failed.code != truth.outcome and not (truth.may_refuse and failed.code == "bad_media"):
        faults.append(f"refused as {failed.code}: {failed.message[:90]}")
    return Verdict(failed.code, "", faults)


def _faults(pcm: Pcm, truth: Truth, outcome: str) -> Iterator[str]:
    if truth.outcome not in {"any", outcome}:
        yield f"{outcome} instead of {truth.outcome}"
    if missing := truth.warnings - set(pcm.warnings):
        yield f"no word of {', '.join(sorted(missing))}"
    if truth.seconds is not None and abs(pcm.seconds - truth.seconds) > _off(truth.seconds):
        yield f"{pcm.seconds:.2f} s instead of {truth.seconds:.2f}"
    if truth.gaps is not None and not _same(pcm.gaps, truth.gaps):
        yield f"gaps {pcm.gaps} instead of {list(truth.gaps)}"
    if truth.tones:
        yield from _heard(pcm, truth)


def _same(told: Gaps, true: Gaps) -> bool:
    return len(told) == len(true) and bool(np.allclose(told or 0.0, true or 0.0, atol=0.1))


def _off(seconds: float) -> float:
    return max(0.1, _CLOSE * seconds)


def _heard(pcm: Pcm, truth: Truth) -> Iterator[str]:
    """Every window has the tone of its moment, or is silent where nothing can be."""
    right = wrong = some = 0
    for number, tone in enumerate(_tones(np.fromfile(pcm.path, "<i2"))):
        moment = (number + 0.5) * _WINDOW / RATE
        allowed = {_at(truth, moment + off) for off in (-_NEAR_S, 0.0, _NEAR_S)}
        right += tone in allowed - {None}
        wrong += tone is not None and tone not in allowed
        some += tone is not None and tone >= 0
    whole = sum(end - start for start, end, _ in truth.pieces) * RATE / _WINDOW
    share = (some if truth.loose else right) / whole
    claimed = truth.coverage if truth.coverage is not None else share
    near = pcm.coverage == 1.0 and share > 1 - 2 * _CLOSE
    if abs(pcm.coverage - claimed) > _CLOSE and not near:
        yield f"says {pcm.coverage:.3f}, has {claimed:.3f}"
    if not truth.loose and wrong > _CLOSE * whole + 3:
        yield f"{wrong} tenths of a second are not what belongs there"
    if truth.outcome == "done" and share < 1 - 2 * _CLOSE:
        yield f"only {share:.3f} of it is heard"


def _at(truth: Truth, moment: float) -> int | None:
    """Which second of the sound belongs there."""
    for start, end, source in truth.pieces:
        if start <= moment < end:
            return int(source + moment - start)
    return None


def _tones(samples: np.ndarray) -> list[int | None]:
    """For each tenth of a second the second whose tone it has, -1 for another, None for none."""
    count = len(samples) // _WINDOW
    windows = samples[: count * _WINDOW].reshape(count, _WINDOW) / 32768.0
    loud = np.sqrt(np.square(windows).mean(axis=1)) > _QUIET
    spectrum = np.abs(np.fft.rfft(windows * np.hanning(_WINDOW), RATE))
    steps = (spectrum.argmax(axis=1) - hertz(0)) / (hertz(1) - hertz(0))
    near = np.abs(steps - np.round(steps)) < 0.2
    return [
        (round(float(step)) if close else -1) if heard else None
        for step, close, heard in zip(steps, near, loud, strict=True)
    ]
