"""Reads what a chat model answered, however it is wrapped, and keeps only what is surely right."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from translator_worker.engines.llm_requests import Request
from translator_worker.engines.suspicions import crossed, is_unchanged

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_OPENING = re.compile(r"[\[{]")
_CANDIDATES = 2000  # brackets that are tried; an answer in our form needs one
_DEEPEST = 4
_DECODER = json.JSONDecoder()


class Fault(StrEnum):
    """Why some lines of an answer were not taken."""

    REFUSED = "refused"  # the model, or a filter before it, will not
    CUT = "cut"  # it ran out of tokens
    PROSE = "prose"  # words without any JSON
    MISSING = "missing"  # ids left out, doubled, crossed, or without words
    UNCHANGED = "unchanged"  # the source came back


@dataclass(frozen=True, slots=True)
class Reply:
    """What came out of the endpoint; `finish` is its word for why it ended."""

    content: str
    finish: str = ""
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The translations by line number; `unchanged` are those that equal their source although
    they should not. `fault` is why some are missing, None where none are."""

    good: dict[int, str] = field(default_factory=dict)
    unchanged: dict[int, str] = field(default_factory=dict)
    fault: Fault | None = None


def read(reply: Reply, request: Request) -> Reading:
    """What of a reply can be trusted."""
    if reply.finish == "content_filter" or reply.refusal:
        return Reading(fault=Fault.REFUSED)
    given = _texts(reply.content, request)
    by_id = request.by_id
    texts = {by_id[code].number: text for code, text in given.items()}
    sources = {line.number: line.text for line in request.lines}
    wrong = crossed({number: (sources[number], text) for number, text in texts.items()})
    unchanged = {
        number: text
        for number, text in texts.items()
        if is_unchanged(sources[number], text, request.source, request.target)
    }
    good = {n: text for n, text in texts.items() if n not in unchanged and n not in wrong}
    fault = None if len(good) == len(sources) else _fault(reply, given, unchanged)
    return Reading(good, unchanged, fault)


def _fault(reply: Reply, given: dict[str, str], unchanged: dict[int, str]) -> Fault:
    if reply.finish == "length":
        return Fault.CUT
    if unchanged:
        return Fault.UNCHANGED
    prose = not given and reply.content.strip() and not _OPENING.search(reply.content)
    return Fault.PROSE if prose else Fault.MISSING


def _texts(content: str, request: Request) -> dict[str, str]:
    """Id → words, of the ids that were asked for, were given once, and have words."""
    wanted = request.by_id
    found: dict[str, set[str]] = defaultdict(set)
    for value in _values(_THOUGHTS.sub("", content)):
        for code, text in _pairs(value, wanted):
            found[code].add(text)
    clean = {code: _clean(texts.pop()) for code, texts in found.items() if len(texts) == 1}
    return {
        code: text or ""
        for code, text in clean.items()
        if text or (text is not None and not any(map(str.isalnum, wanted[code].text)))
    }


def _values(content: str) -> Iterator[Any]:
    """Every JSON object and list in a text, the outermost that can be read. Of one that was cut
    off these are the entries that it still has whole."""
    position = 0
    for _ in range(_CANDIDATES):
        opening = _OPENING.search(content, position)
        if opening is None:
            return
        try:
            value, position = _DECODER.raw_decode(content, opening.start())
        except (ValueError, RecursionError):
            position = opening.end()
        else:
            yield value


def _pairs(value: Any, wanted: dict[str, Any], deep: int = 0) -> Iterator[tuple[str, str]]:
    """What looks like an entry of ours: `{"id": …, "text": …}`, or `{id: text}`."""
    if deep > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _pairs(each, wanted, deep + 1)
    elif isinstance(value, dict):
        code, text = value.get("id"), value.get("text", value.get("translation"))
        if isinstance(code, str) and isinstance(text, str):
            if code.strip() in wanted:
                yield code.strip(), text
            return
        for key, each in value.items():
            if key in wanted and isinstance(each, str):
                yield key, each
            else:
                yield from _pairs(each, wanted, deep + 1)


def _clean(text: str) -> str | None:
    """One line without control characters; None for what is no text: half a surrogate pair."""
    kinds = {unicodedata.category(character) for character in text}
    if "Cs" in kinds:
        return None
    if "Cc" in kinds:
        text = "".join(c for c in text if c.isspace() or unicodedata.category(c) != "Cc")
    return unicodedata.normalize("NFC", " ".join(text.split()))
