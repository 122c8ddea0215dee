"""What the items and requests of one model come to, in figures; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from pydantic import Field

from services.client.views import ItemView
from services.model.transcript import Check, Edits
from services.model.values import Stored


class Heard(Stored):
    """One file as the model heard it; without a check it failed, and `code` says why."""

    name: str
    language: str
    duration: float | None = None
    engine_seconds: float | None = None
    check: Check | None = None
    code: str = ""
    message: str = ""


class Latency(Stored):
    """Of single requests one after the other, in seconds; percentiles by nearest rank."""

    requests: int
    mean_s: float
    p50_s: float
    p95_s: float


class Score(Stored):
    """A model on a whole folder. Error rates are of all files as one text, so a long file weighs
    more than a short one. `real_time_factor` is seconds of the engine for a second of audio."""

    model: str
    files: int
    audio_seconds: float
    wer: float | None
    cer: float | None
    words: Edits
    characters: Edits
    latency: Latency | None
    engine_seconds: float
    real_time_factor: float | None
    failed: list[Heard] = Field(default_factory=list)
    heard: list[Heard] = Field(default_factory=list)


def of_item(name: str, language: str, item: ItemView) -> Heard:
    """The item, or the error of the cell of what was heard in it."""
    cell = next((sources["A"] for sources in item.cells.values() if "A" in sources), None)
    about = Heard(
        name=name,
        language=language,
        duration=item.duration,
        engine_seconds=item.engine_seconds,
        check=item.check if cell is not None and cell.state == "done" else None,
    )
    if about.check is not None:
        return about
    error = cell.error if cell is not None else None
    code, message = ("cancelled", "") if error is None else (error.code, error.message)
    return about.model_copy(update={"code": code, "message": message})


def of_model(model: str, files: Sequence[Heard], seconds: Sequence[float]) -> Score:
    """`seconds` are those of the single requests that went well."""
    heard = [each for each in files if each.check is not None]
    words = total(each.check.words for each in heard if each.check)
    characters = total(each.check.characters for each in heard if each.check)
    audio = sum(each.duration or 0.0 for each in heard)
    engine = sum(each.engine_seconds or 0.0 for each in heard)
    return Score(
        model=model,
        files=len(files),
        audio_seconds=round(audio, 3),
        wer=rate(words),
        cer=rate(characters),
        words=words,
        characters=characters,
        latency=latency(seconds),
        engine_seconds=round(engine, 3),
        real_time_factor=round(engine / audio, 4) if audio and engine else None,
        failed=[each for each in files if each.check is None],
        heard=heard,
    )


def total(counted: Iterable[Edits | None]) -> Edits:
    found = [each for each in counted if each is not None]
    return Edits(
        **{name: sum(getattr(each, name) for each in found) for name in Edits.model_fields}
    )


def rate(edits: Edits) -> float | None:
    wrong = edits.substitutions + edits.insertions + edits.deletions
    return round(wrong / edits.length, 4) if edits.length else None


def latency(seconds: Sequence[float]) -> Latency | None:
    if not seconds:
        return None
    ordered = sorted(seconds)

    def percentile(share: float) -> float:
        return round(ordered[math.ceil(share * len(ordered)) - 1], 3)

    return Latency(
        requests=len(ordered),
        mean_s=round(sum(ordered) / len(ordered), 3),
        p50_s=percentile(0.50),
        p95_s=percentile(0.95),
    )
