"""Sentences are translated while the rest of a long recording is still heard, and nothing that
happens to whoever hears it shows in the result."""

from __future__ import annotations

import os
import signal
import sqlite3
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest

from fanscribe import Fanscribe, SegmentsHeard, SentencesPreviewed, TaskEvent
from tests.system.conftest import Stack

StartStack = Callable[..., Stack]
Spoken = Callable[[str], Path]


def long_talk(talk: Path, made: Path, times: int) -> Path:
    """The same words again and again."""
    with wave.open(str(talk), "rb") as given, wave.open(str(made), "wb") as written:
        written.setparams(given.getparams())
        written.writeframes(given.readframes(given.getnframes()) * times)
    return made


def submit(stack: Stack, audio: Path, *, previews: bool) -> str:
    asked = {"language": "en", "targets": "zh,de", "previews": str(previews).lower()}
    with audio.open("rb") as file:
        answer = httpx.post(f"{stack.url}/v1/tasks", data=asked, files={"files": file})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def result(stack: Stack, task_id: str) -> object:
    stack.json("status", task_id, "--wait")
    return stack.json("result", task_id, "--form", "coded")["data"]


def previews_left(stack: Stack) -> int:
    (path,) = stack.data_dir.glob("*.sqlite")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as store:
        ((count,),) = store.execute("SELECT count(*) FROM previews")
    return int(count)


def newest(events: Sequence[TaskEvent], language: str) -> list[SentencesPreviewed]:
    """What a reader keeps: of the highest attempt that he saw, in whichever event."""
    told = [e for e in events if isinstance(e, SegmentsHeard) and e.stage == "transcribe"]
    mine = [e for e in events if isinstance(e, SentencesPreviewed) and e.language == language]
    highest = max(e.attempt for e in [*told, *mine])
    return [e for e in mine if e.attempt == highest]


@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "killed"])
def test_previews_come_before_the_last_words_and_leave_no_trace(
    killed: bool, stub_stack: StartStack, spoken: Spoken, tmp_path: Path
) -> None:
    """Also where the worker that hears is killed when the first of them has come."""
    stack = stub_stack()
    audio = long_talk(spoken("talk"), tmp_path / "hear-12s.wav", 12)
    plain = result(stack, submit(stack, audio, previews=False))
    task_id = submit(stack, audio, previews=True)
    events: list[TaskEvent] = []
    with Fanscribe(stack.url) as client:
        for event in client.events(task_id):
            events.append(event)
            if killed and isinstance(event, SentencesPreviewed):
                os.kill(stack.child("worker whisper").pid, signal.SIGKILL)
                killed = False
        cells = {
            language: client.transcript(task_id, "hear-12s", language=language).segments
            for language in ("zh", "de")
        }

    heard = [n for n, e in enumerate(events) if isinstance(e, SegmentsHeard)]
    early = [n for n, e in enumerate(events) if isinstance(e, SentencesPreviewed)]
    assert early[0] < heard[-1]
    for language, segments in cells.items():
        kept = [each for e in newest(events, language) for each in e.sentences]
        assert kept
        assert len({each.number for each in kept}) == len(kept), "none comes twice"
        for each in kept:
            assert each.text == segments[each.number].text, "and each is a sentence of the whole"
    assert result(stack, task_id) == plain
    assert previews_left(stack) == 0
