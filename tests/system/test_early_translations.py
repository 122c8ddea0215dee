"""Sentences are translated while the rest of a long recording is still heard, and nothing that
happens to whoever hears it shows in the result."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import wave
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from fanscribe import Fanscribe, Gone, SegmentsHeard, SentencesPreviewed, StateChanged, TaskEvent
from tests.system.conftest import Program, Stack, wait_for

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


def count(stack: Stack, what: str, *values: str) -> int:
    """Rows of the store: `what` is what follows FROM."""
    (path,) = stack.data_dir.glob("*.sqlite")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as store:
        ((found,),) = store.execute(f"SELECT count(*) FROM {what}", values)
    return int(found)


def work_behind(stack: Stack, audio: Path) -> None:
    """Another task, up to its end: with one process of a kind, all that was begun before is over
    by then."""
    result(stack, submit(stack, audio, previews=False))


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
    assert count(stack, "previews") == 0


def test_the_command_line_tells_them_as_they_come_and_the_same_result_at_the_end(
    stub_stack: StartStack,
    start_program: Callable[..., Program],
    spoken: Spoken,
    tmp_path: Path,
) -> None:
    stack = stub_stack()
    audio = str(long_talk(spoken("talk"), tmp_path / "hear-12s.wav", 12))
    words = ["submit", audio, "--from", "en", "--to", "de", "--out"]
    stack.run(*words, str(tmp_path / "plain"))
    environment = {**stack.environment, "FANSCRIBE_URL": stack.url}
    shown = start_program(Program, *words, str(tmp_path / "early"), "--previews", env=environment)
    shown.said(r"Wrote 3 files")
    early = [each for each in shown.lines if re.match(r"hear-12s de +[\d.]+ s  ", each)]
    assert early
    files = ("result.json", "1.hear-12s.de.srt")
    plain, ahead = ([(tmp_path / n / f).read_text() for f in files] for n in ("plain", "early"))
    assert plain == ahead
    for each in early:
        assert each.split("s  ", 1)[1].strip() in ahead[0]


def test_a_translator_that_is_killed_over_a_preview_costs_that_preview_and_nothing_else(
    stub_stack: StartStack, spoken: Spoken, tmp_path: Path
) -> None:
    stack = stub_stack()
    audio = long_talk(spoken("talk"), tmp_path / "hear-12s say-2s.wav", 12)
    plain = result(stack, submit(stack, audio, previews=False))
    task_id = submit(stack, audio, previews=True)
    wait_for("a running preview", lambda: count(stack, "previews WHERE state = 'running'"))
    translator = stack.child("worker translator")
    for each in [translator, *translator.family()]:
        os.kill(each.pid, signal.SIGKILL)
    with Fanscribe(stack.url) as client:
        events = list(client.events(task_id))

    early = [e for e in events if isinstance(e, SentencesPreviewed)]
    told = [(e.language, s.number) for e in early for s in e.sentences]
    assert told, "what is heard later is previewed by the process that comes after it"
    assert len(set(told)) == len(told)
    assert ("de", 0) not in told, "the first one ran when its worker died, and is not run again"
    assert result(stack, task_id) == plain
    assert count(stack, "previews") == 0


def test_a_task_that_is_cancelled_while_it_is_heard_shows_nothing_more(
    stub_stack: StartStack, spoken: Spoken, tmp_path: Path
) -> None:
    """Nor does its result; and the same recording, sent again, has the usual one."""
    stack = stub_stack()
    audio = long_talk(spoken("talk"), tmp_path / "hear-6s say-1s.wav", 12)
    task_id = submit(stack, audio, previews=True)
    with Fanscribe(stack.url) as client:
        events: list[TaskEvent] = []
        for event in client.events(task_id):
            events.append(event)
            if isinstance(event, SentencesPreviewed) and client.task(task_id).state == "running":
                client.cancel(task_id)
        work_behind(stack, audio)

        assert list(client.events(task_id)) == events
        assert isinstance(events[-1], StateChanged)
        assert events[-1].state == "cancelled"
        assert count(stack, "previews") == 0
        assert client.result(task_id) == {"zh": {}, "de": {}}
    again = submit(stack, audio, previews=True)
    assert result(stack, again) == result(stack, submit(stack, audio, previews=False))


def test_a_task_that_is_deleted_while_it_is_heard_leaves_neither_previews_nor_what_they_made(
    stub_stack: StartStack, spoken: Spoken, tmp_path: Path
) -> None:
    stack = stub_stack()
    audio = long_talk(spoken("talk"), tmp_path / "hear-6s say-1s.wav", 12)
    task_id = submit(stack, audio, previews=True)
    with Fanscribe(stack.url) as client:
        next(e for e in client.events(task_id) if isinstance(e, SentencesPreviewed))
        client.delete(task_id)
        with pytest.raises(Gone):
            client.task(task_id)
    work_behind(stack, audio)

    for table in ("previews", "translations", "events"):
        of_task = f"{table} WHERE task_id = ?"
        wait_for(f"no {table}", lambda of_task=of_task: not count(stack, of_task, task_id))
