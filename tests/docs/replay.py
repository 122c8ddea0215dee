"""Reads the curl commands of a page, sends what they would send, and compares the answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import httpx
from pages import ROOT, Block, blocks, shell_commands

SHOWN_AT = "http://127.0.0.1:8000"
ANYTHING = "…"
PATIENCE_S = 60.0
# Differ from run to run; only their kind is compared.
VOLATILE = frozenset({
    "id", "key", "etag", "engine", "host", "pid", "sha256", "size", "text", "A", "T", "message",
    "at", "created_at", "started_at", "finished_at", "registered_at", "seen_at",
    "progress", "duration", "work_seconds", "wall_seconds", "slots", "free", "running", "waiting",
    "succeeded", "due", "oldest_due_seconds", "memory_mb", "language_probability", "next",
    "expected_seconds", "seconds_per_size", "children", "free_mb", "engine_seconds",
})  # fmt: skip


@dataclass(slots=True)
class Request:
    """What one curl command sends."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    form: list[tuple[str, str]] = field(default_factory=list)
    live: bool = False  # -N: what comes is looked at while it comes

    def send(
        self, client: httpx.Client, enough: Callable[[httpx.Response], bool]
    ) -> httpx.Response:
        """An answer that has no end is read until it is enough."""
        if self.live:
            return self._watch(client, enough)
        files: list[tuple[str, Any]] = []
        for name, value in self.form:
            if value.startswith("@"):
                path = ROOT / value[1:]
                files.append((name, (path.name, path.read_bytes())))
            else:
                files.append((name, (None, value)))
        return client.request(
            self.method, self.url, headers=self.headers, content=self.content, files=files or None
        )

    def _watch(
        self, client: httpx.Client, enough: Callable[[httpx.Response], bool]
    ) -> httpx.Response:
        text, end = "", time.monotonic() + PATIENCE_S
        with client.stream(self.method, self.url, headers=self.headers) as answer:
            so_far = httpx.Response(answer.status_code, request=answer.request)
            for line in answer.iter_lines():
                text += line + "\n"
                so_far = httpx.Response(answer.status_code, text=text, request=answer.request)
                if enough(so_far) or time.monotonic() > end:
                    break
        return so_far


@dataclass(frozen=True, slots=True)
class Exchange:
    """The curl commands of one block, and the answer that the page shows for the last one."""

    asked: Block
    answer: Block | None

    @property
    def status(self) -> int | None:
        return int(self.answer.info) if self.answer else None


def exchanges(page: Path) -> Iterator[Exchange]:
    """Each block of curl commands with the block under it that says what is answered."""
    found = list(blocks(page))
    for block, after in zip_longest(found, found[1:]):
        if block.language == "sh" and block.text.startswith("curl "):
            yield Exchange(block, after if after and after.info.isdigit() else None)


def requests(block: Block, names: dict[str, str]) -> Iterator[Request]:
    """The requests of a block; `$NAME` becomes what `names` says when its turn comes."""
    text = block.text.replace("\\\n", " ")
    for command in re.split(r"^(?=curl )", text, flags=re.MULTILINE):
        if command.strip():
            ready = re.sub(r"'?\$([A-Z]+)'?", lambda match: names[match[1]], command)
            (words,) = shell_commands(ready.replace("\n", " "))
            yield _request(words[1:])


def _request(words: list[str]) -> Request:
    request = Request("", "")
    rest = iter(words)
    for word in rest:
        if word == "-X":
            request.method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(":")
            request.headers[name] = value.strip()
        elif word == "-F":
            name, _, value = next(rest).partition("=")
            request.form.append((name, value))
        elif word == "-d":
            request.content = next(rest).encode()
        elif word == "--data-binary":
            request.content = (ROOT / next(rest).removeprefix("@")).read_bytes()
        elif not word.startswith("-"):
            request.url = word
        elif word == "-N":
            request.live = True
        elif word != "-s":
            raise ValueError(f"curl {word} is not read here")
    request.method = request.method or ("POST" if request.form or request.content else "GET")
    return request


def differences(shown: Any, real: Any, path: str = "") -> Iterator[str]:
    """Where the real answer is not as the page shows it; `…` in a page stands for anything."""
    if isinstance(shown, dict) and isinstance(real, dict):
        yield from _of_objects(shown, real, path)
    elif isinstance(shown, list) and isinstance(real, list):
        yield from _of_lists(shown, real, path)
    elif not _fits(shown, real, path.rpartition(".")[2]):
        yield f"{path}: the page shows {shown!r}, the answer is {real!r}"


def _of_objects(shown: dict[str, Any], real: dict[str, Any], path: str) -> Iterator[str]:
    wanted = {key for key in shown if key != ANYTHING}
    if not wanted <= set(real) or (ANYTHING not in shown and wanted != set(real)):
        yield f"{path}: the page has {sorted(wanted)}, the answer {sorted(real)}"
        return
    for key in wanted:
        yield from differences(shown[key], real[key], f"{path}.{key}")


def _of_lists(shown: list[Any], real: list[Any], path: str) -> Iterator[str]:
    wanted = [each for each in shown if each != ANYTHING]
    if len(wanted) > len(real) or (ANYTHING not in shown and len(wanted) != len(real)):
        yield f"{path}: the page has {len(wanted)} entries, the answer {len(real)}"
        return
    for number, each in enumerate(wanted):
        yield from differences(each, real[number], f"{path}[{number}]")


def _fits(shown: Any, real: Any, name: str) -> bool:
    if name in VOLATILE:
        return shown is None or real is None or isinstance(real, _kinds(shown))
    if isinstance(shown, str) and isinstance(real, str):
        return text_fits(shown, real)
    return bool(shown == real)


def _kinds(shown: Any) -> tuple[type, ...]:
    return (int, float) if isinstance(shown, int | float) else (type(shown),)


def text_fits(shown: str, real: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in shown.strip().split(ANYTHING))
    return re.fullmatch(pattern, real.strip(), re.DOTALL) is not None


def compare(exchange: Exchange, response: httpx.Response) -> list[str]:
    """What is wrong with the page; empty if it tells the truth."""
    assert exchange.answer
    if response.status_code != exchange.status:
        return [f"{exchange.status} is shown, {response.status_code}: {response.text[:500]}"]
    if exchange.answer.language == "json":
        return list(differences(json.loads(exchange.answer.text), response.json()))
    fits = text_fits(exchange.answer.text, response.text)
    return [] if fits else [f"the answer is {response.text[:500]!r}"]
