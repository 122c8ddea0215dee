"""Results: the pack in either form, single cells, transcripts, corrections and subtitles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from services.client.calls.reading import Task, a, many, page, pages, path_of, quoted
from services.client.steps import Call, Finds, call
from services.client.views import (
    CellText,
    CheckView,
    CodedResult,
    CorrectionView,
    Result,
    TranscriptView,
    VersionView,
)
from services.model.differences import Difference

Source: TypeAlias = Literal["A", "T"]
SubtitleFormat: TypeAlias = Literal["srt", "vtt", "ass", "txt", "json"]


def result(task: Task, *, languages: Sequence[str] | None = None) -> Call[Result]:
    """The result of a task that has ended: language → text id → source → text."""
    query = {"form": "expanded", "language": languages}
    return call("GET", f"{path_of(task)}/result", lambda answer: answer.json(), query=query)


def coded_result(task: Task, *, languages: Sequence[str] | None = None) -> Call[CodedResult]:
    """The same with languages as numbers of the code book, and what is missing."""
    query = {"form": "coded", "language": languages}
    return call("GET", f"{path_of(task)}/result", a(CodedResult), query=query)


def cell(task: Task, language: str, text_id: str, source: Source = "A") -> Call[CellText]:
    """One cell, as soon as it is done."""
    path = f"{path_of(task)}/result/{quoted(language)}/{quoted(text_id)}/{source}"
    return call("GET", path, a(CellText))


def cells(task: Task, names: Sequence[tuple[str, str, Source]]) -> Call[list[CellText]]:
    """Those of these cells that are there, each (language, text id, source)."""
    wanted = [{"language": one, "text_id": two, "source": three} for one, two, three in names]
    return call(
        "POST",
        f"{path_of(task)}/result/lookup",
        many(CellText, "found"),
        json={"cells": wanted},
        repeatable=True,
    )


def transcript(
    task: Task,
    text_id: str,
    *,
    language: str | None = None,
    source: Source | None = None,
    version: int | None = None,
) -> Call[TranscriptView]:
    """The words of an item with their times, while they are being heard too; with a language in
    translation. A `version` is one that was corrected since."""
    query = {"language": language, "source": source, "version": version}
    return call("GET", f"{_item(task, text_id)}/transcript", a(TranscriptView), query=query)


def correct(
    task: Task,
    text_id: str,
    words: Mapping[int, str] | str,
    *,
    version: int,
    language: str | None = None,
    source: Source | None = None,
    overwrite: bool = False,
) -> Call[CorrectionView]:
    """Saves other words for an item of a task that has ended, or with a language for their
    translation: texts by the ids of their segments, or the whole of a text. `version` is the one
    that was read; translations are made anew from corrected words."""
    told = {"text": words} if isinstance(words, str) else {"segments": _segments(words)}
    return call(
        "PUT",
        f"{_item(task, text_id)}/transcript",
        a(CorrectionView),
        query={"language": language, "source": source},
        json={**told, "version": version, "overwrite": overwrite},
    )


def _segments(words: Mapping[int, str]) -> list[dict[str, Any]]:
    return [{"id": number, "text": text} for number, text in words.items()]


def versions(
    task: Task, text_id: str, *, language: str | None = None, source: Source | None = None
) -> Call[list[VersionView]]:
    """Which versions there are of the words of an item, or of a translation, oldest first."""
    query = {"language": language, "source": source}
    path = f"{_item(task, text_id)}/versions"
    return call("GET", path, many(VersionView, "versions"), query=query)


def check(
    task: Task, text_id: str, *, after: int | None = None, limit: int | None = None
) -> Call[CheckView]:
    """How far what was heard of an item is from its text, and the first places where."""
    query = {"after": after, "limit": limit}
    return call("GET", f"{_item(task, text_id)}/check", a(CheckView), query=query)


def differences(task: Task, text_id: str) -> Finds[Difference]:
    """The places where what was heard of an item and its text part, in order."""

    def turn(after: int | None) -> Call[tuple[list[Difference], int | None]]:
        query = {"after": after, "limit": 1000}
        path = f"{_item(task, text_id)}/check"
        return call("GET", path, page(Difference, "differences"), query=query)

    return pages(turn)


def subtitles(
    task: Task,
    text_id: str,
    form: SubtitleFormat = "srt",
    *,
    language: str | None = None,
    source: Source | None = None,
    with_: str | None = None,
    max_width: int | None = None,
    max_lines: int | None = None,
    max_cps: float | None = None,
    min_duration: float | None = None,
    max_duration: float | None = None,
    min_gap: float | None = None,
    bom: bool | None = None,
) -> Call[str]:
    """The words of an item as a file: srt, vtt, ass, txt or json; `with_` a second language, or
    `source`, below."""
    query = {
        "language": language,
        "source": source,
        "with": with_,
        "max_width": max_width,
        "max_lines": max_lines,
        "max_cps": max_cps,
        "min_duration": min_duration,
        "max_duration": max_duration,
        "min_gap": min_gap,
        "bom": bom,
    }
    path = f"{_item(task, text_id)}/subtitles.{quoted(form)}"
    return call("GET", path, lambda answer: answer.text, query=query)


def _item(task: Task, text_id: str) -> str:
    return f"{path_of(task)}/items/{quoted(text_id)}"
