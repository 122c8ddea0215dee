"""The whole stack on stub models: real processes, a real queue, real HTTP, killed and joined."""

from __future__ import annotations

import os
import re
import shlex
import signal
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pytest_httpserver import HTTPServer

from demo.sample import BUNDLED
from services.chinese import written_in
from tests.contract.buckets import BUCKET, KEY_ID, KEY_SECRET, keys_in, s3_server
from tests.system.conftest import Proc, Program, Stack, wait_for

StartStack = Callable[..., Stack]
Spoken = Callable[[str], Path]


def running_whispers(stack: Stack) -> list[str]:
    nodes = stack.json("nodes")
    return [each["id"] for each in nodes if each["kind"] == "whisper" and each["running"]]


def submit(stack: Stack, *words: str) -> str:
    task_id: str = stack.json("submit", *words)["id"]
    return task_id


def is_being_heard(stack: Stack, task_id: str) -> bool:
    """Whether its transcription is under way."""
    counts = stack.json("status", task_id)["task"]["counts"]
    return bool(counts["running"] and counts["succeeded"])  # the job before it is done


def test_a_file_and_a_text_come_back_in_three_languages(
    stub_stack: StartStack, spoken: Spoken, tmp_path: Path
) -> None:
    stack = stub_stack()
    words = ["--text", "note=Good morning. How are you?", "--from", "en", "--to", "zh,ja,de"]
    out = tmp_path / "out"
    told = stack.json("submit", str(spoken("talk")), *words, "--wait", "--out", str(out))
    assert told["task"]["state"] == "succeeded"
    assert list(told["result"]) == ["zh", "ja", "de"]
    assert told["result"]["zh"]["note"] == {"T": "[zh] Good morning.[zh] How are you?"}
    assert set(told["result"]["ja"]["talk"]) == {"A"}
    assert (out / "1.talk.de.srt").read_text().startswith("1\n00:00:00,")
    coded = stack.json("result", told["task"]["id"], "--form", "coded")
    assert coded["complete"] is True
    assert stack.run("subtitles", told["task"]["id"], "talk", "--language", "ja").startswith("1\n")


def test_a_call_with_a_speaker_on_each_channel_says_who_is_who(
    stub_stack: StartStack, spoken: Spoken, tmp_path: Path
) -> None:
    stack = stub_stack()
    call = as_a_call(spoken("talk"), tmp_path / "call.wav", later_s=30)
    task = stack.json("submit", str(call), "--to", "zh", "--channels", "each", "--wait")["task"]
    assert (task["state"], task["warnings"]) == ("succeeded", [])
    api = f"{stack.url}/v1/tasks/{task['id']}/items"
    assert httpx.get(api).json()["items"][0]["channels"] == ["", ""]
    for language in ({}, {"language": "zh"}):
        heard = httpx.get(f"{api}/call/transcript", params=language).json()["segments"]
        starts = [(each["channel"], each["start"]) for each in heard]
        assert [channel for channel, _ in starts] == sorted(channel for channel, _ in starts)
        first = dict(reversed(starts))
        assert first[1] - first[0] == pytest.approx(30.0, abs=0.2)


def as_a_call(mono: Path, call: Path, *, later_s: int) -> Path:
    """The same words on both channels, on the second one later."""
    with wave.open(str(mono), "rb") as given, wave.open(str(call), "wb") as made:
        made.setparams(given.getparams()._replace(nchannels=2))
        said = np.frombuffer(given.readframes(given.getnframes()), "<i2")
        quiet = np.zeros(later_s * given.getframerate(), "<i2")
        both = [np.concatenate([said, quiet]), np.concatenate([quiet, said])]
        made.writeframes(np.stack(both, axis=1).tobytes())
    return call


def test_media_and_results_may_live_in_a_bucket_whose_key_no_worker_has(
    stub_stack: StartStack, spoken: Spoken
) -> None:
    with s3_server() as address:
        stack = stub_stack(
            FANSCRIBE_OBJECTS_URL=f"s3://{BUCKET}/ours",
            FANSCRIBE_OBJECTS_ENDPOINT=address,
            FANSCRIBE_OBJECTS_KEY_ID=KEY_ID,
            FANSCRIBE_OBJECTS_KEY_SECRET=KEY_SECRET,
        )
        told = stack.json("submit", str(spoken("talk")), "--to", "zh", "--wait")
        task = told["task"]["id"]
        assert told["task"]["state"] == "succeeded"
        assert f"ours/tasks/{task}/audio/0" in keys_in(address)
        for worker in ("whisper", "translator"):
            environment = Path(f"/proc/{stack.child(worker).pid}/environ").read_text()
            assert KEY_SECRET not in environment
        stack.run("rm", task)
        wait_for("an empty bucket", lambda: not any(task in key for key in keys_in(address)))


def test_a_url_is_fetched_by_the_worker_of_an_operator_who_allows_it(
    stub_stack: StartStack, spoken: Spoken
) -> None:
    with HTTPServer("127.0.0.1", 0) as server:
        server.expect_request("/talk.wav").respond_with_data(spoken("talk").read_bytes())
        server.expect_request("/gone.wav").respond_with_data(status=404)
        stack = stub_stack(FANSCRIBE_PRIVATE_NETWORKS="127.0.0.0/8")
        urls = [server.url_for("/talk.wav"), server.url_for("/gone.wav")]
        told = stack.json("submit", *urls, "--to", "zh", "--wait", status=3)
    assert set(told["result"]["zh"]) == {"talk"}
    assert [line["code"] for line in told["task"]["attempts"]] == ["input_gone"]


def test_chinese_speech_comes_back_in_both_scripts_whichever_is_stated(
    stub_stack: StartStack,
) -> None:
    stack = stub_stack(FANSCRIBE_DEMO_MODELS="true")
    talk = str(BUNDLED / "2.ogg")
    words = ["--text", "note=为了头发，他出发了。", "--to", "zh,zh-TW,en", "--wait"]
    told = stack.json("submit", talk, *words, "--from", "zh")
    assert told["task"]["state"] == "succeeded"
    result = told["result"]
    assert list(result) == ["zh", "zh-Hant", "en"]
    assert result["zh-Hant"]["note"] == {"T": "為了頭髮，他出發了。"}
    heard = result["zh"]["2"]["A"]
    assert result["zh-Hant"]["2"]["A"] == written_in(heard, "zh-Hant") != heard
    subtitles = stack.run("subtitles", told["task"]["id"], "2", "--language", "zh-Hant")
    assert subtitles.startswith("1\n00:00:0")
    again = stack.json("submit", talk, "--to", "zh,zh-Hant,en", "--from", "zh-Hant", "--wait")
    both = {language: texts["2"] for language, texts in again["result"].items()}
    assert both == {language: result[language]["2"] for language in ("zh", "zh-Hant", "en")}


def test_one_language_that_fails_leaves_the_others_whole(stub_stack: StartStack) -> None:
    stack = stub_stack()
    told = stack.json(
        "submit", "--text", "fail-de=Good morning.", "--from", "en", "--to", "zh,de", "--wait",
        status=3,
    )  # fmt: skip
    assert told["task"]["state"] == "partial"
    assert told["result"]["zh"] == {"fail-de": {"T": "[zh] Good morning."}}


def test_a_second_worker_joins_by_the_printed_line_and_shares_the_work(
    stub_stack: StartStack, start_program: Callable[..., Program], spoken: Spoken
) -> None:
    stack = stub_stack()
    words = shlex.split(stack.said(r"join +(.*)").group(1))
    settings = dict(word.split("=", 1) for word in words if re.match(r"FANSCRIBE_\w+=", word))
    command = words[words.index("worker") :]
    start_program(Program, *command, env={**stack.environment, **settings})
    wait_for(
        "two whisper nodes",
        lambda: sum(n["kind"] == "whisper" and n["live"] for n in stack.json("nodes")) == 2,
    )
    files = [str(spoken(f"slow-{number}")) for number in range(4)]
    task_id = submit(stack, *files, "--from", "en", "--to", "zh")
    wait_for("both at work", lambda: len(running_whispers(stack)) == 2)
    assert stack.json("cancel", task_id)["state"] in {"running", "cancelled"}
    wait_for("rest", lambda: not running_whispers(stack))


def test_a_cancel_stops_a_transcription_that_runs(stub_stack: StartStack, spoken: Spoken) -> None:
    stack = stub_stack()
    task_id = submit(stack, str(spoken("slow")), "--from", "en", "--to", "zh")
    wait_for("the transcription", lambda: is_being_heard(stack, task_id))
    stack.run("cancel", task_id)
    wait_for("rest", lambda: not running_whispers(stack), patience_s=15)
    assert stack.json("status", task_id, status=1)["task"]["state"] == "cancelled"


@pytest.mark.parametrize("victim", ["child", pytest.param("worker", marks=pytest.mark.long)])
def test_a_job_whose_process_is_killed_is_finished_by_another(
    victim: str, stub_stack: StartStack, spoken: Spoken
) -> None:
    """The pool's child that works on it, or the worker with all its children."""
    stack = stub_stack()
    task_id = submit(stack, str(spoken("slow")), "--from", "en", "--to", "zh")
    wait_for("the transcription", lambda: is_being_heard(stack, task_id))
    worker = stack.child("worker whisper")
    children = [each for each in worker.children() if "spawn_main" in each.command]
    for each in [worker] if victim == "worker" else children:
        os.kill(each.pid, signal.SIGKILL)
    wait_for("their end", lambda: not any(each.lives() for each in children), 5)
    if victim == "worker":
        stack.said("whisper was ended by SIGKILL")
        stack.said("whisper was started again")
    told = stack.json("status", task_id, "--wait")["task"]
    assert told["state"] == "succeeded"
    assert [each["failure"] for each in told["attempts"]] == ["worker_lost"]


def test_a_task_survives_the_end_of_everything(stub_stack: StartStack, spoken: Spoken) -> None:
    stack = stub_stack()
    task_id = submit(stack, str(spoken("slow")), "--from", "en", "--to", "zh")
    wait_for("the transcription", lambda: is_being_heard(stack, task_id))
    family = stack.proc.family()
    assert stack.end(signal.SIGKILL) == -signal.SIGKILL
    wait_for("the end of all children", lambda: not any(each.lives() for each in family), 5)
    again = stub_stack(stack.data_dir)
    assert again.json("status", task_id, "--wait")["task"]["state"] == "succeeded"


def test_ctrl_c_leaves_no_process(stub_stack: StartStack) -> None:
    stack = stub_stack()
    family = stack.proc.family()
    names = ("redis", "manager", "worker whisper", "worker translator")
    assert all(any(name in each.command for each in family) for name in names)
    assert stack.end(signal.SIGINT) == 0
    assert [each for each in family if each.lives()] == []


def test_a_data_folder_belongs_to_one_stack(
    stub_stack: StartStack, start_program: Callable[..., Program]
) -> None:
    stack = stub_stack()
    words = ["up", "--port", "0", "--data-dir", str(stack.data_dir)]
    second = start_program(Program, *words, env=stack.environment)
    assert f"pid {stack.process.pid}" in second.said("is in use by another").string
    assert second.process.wait(10) == 1


def test_a_redis_that_dies_is_started_again_and_work_goes_on(stub_stack: StartStack) -> None:
    stack = stub_stack()
    os.kill(stack.child("redis").pid, signal.SIGKILL)
    stack.said("redis was started again")
    told: Any = stack.json("submit", "--text", "a=Hello.", "--from", "en", "--to", "de", "--wait")
    assert told["result"] == {"de": {"a": {"T": "[de] Hello."}}}


def test_nothing_of_the_private_redis_is_on_disk(stub_stack: StartStack) -> None:
    stack = stub_stack()
    redis: Proc = stack.child("redis")
    folder = Path(f"/proc/{redis.pid}/cwd").readlink()
    assert [each.name for each in folder.iterdir() if each.is_file()] == []
    stack.end(signal.SIGINT)
    assert not folder.exists()
