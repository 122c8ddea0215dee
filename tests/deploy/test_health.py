"""The compose file's services as real processes: their checks, and one task through all of them."""

from __future__ import annotations

import subprocess
from typing import Any

import httpx
from rehearsal import HEALTHY, ROOT, Rehearsal, becomes, redis_program


def test_each_check_follows_its_process(compose_rehearsal: Rehearsal) -> None:
    """Green while it is there, red when it is gone."""
    ours = ("manager", "whisper", "translator")
    compose_rehearsal.start_redis()
    compose_rehearsal.start_mongodb()
    for name in ours:
        compose_rehearsal.start(name)

    for name in ours:
        assert becomes(0, lambda name=name: compose_rehearsal.health(name)), name
    for name in reversed(ours):
        compose_rehearsal.processes[name].terminate()
        compose_rehearsal.processes[name].wait(30)
    assert [compose_rehearsal.health(name) for name in ours] == [1, 1, 1]


def test_a_task_goes_through_a_scaled_stack_that_shares_no_disk(
    compose_rehearsal: Rehearsal,
) -> None:
    """Two whisper workers, files by signed URL only, and a text that is too long for a report."""
    stack = compose_rehearsal
    long_text = " ".join(f"This is sentence number {number}." for number in range(4000))
    stack.start_redis()
    stack.start_mongodb()
    stack.start("manager")
    assert becomes(0, lambda: stack.health("manager")), stack.story()
    for name in ("whisper-1", "whisper-2"):
        stack.start("whisper", name)
    stack.start("translator")

    with httpx.Client(base_url=stack.api, timeout=60, trust_env=False) as client:
        assert client.get("/v1/tasks").status_code == 401
        client.headers["Authorization"] = "Bearer the-key"
        assert becomes(3, lambda: len(client.get("/v1/nodes").json()["nodes"])), stack.story()
        sample = ROOT / "demo" / "sample"
        created = client.post(
            "/v1/tasks",
            json={
                "items": [
                    {"text_id": "long", "text": long_text, "language": "en"},
                    *(
                        {
                            "text_id": name,
                            "audio": client.post(
                                "/v1/uploads",
                                content=(sample / name).read_bytes(),
                                headers={"Content-Type": "application/octet-stream"},
                            ).json()["key"],
                        }
                        for name in ("1.mp3", "4.flac")
                    ),
                ],
                "targets": ["zh", "de"],
            },
        )
        path = created.headers["Location"]

        assert becomes("succeeded", lambda: client.get(path).json()["state"]), stack.story()
        result = client.get(f"{path}/result").json()

    assert {language: list(texts) for language, texts in result.items()} == {
        language: ["long", "1.mp3", "4.flac"] for language in ("zh", "de")
    }
    assert result["de"]["long"]["T"].count("[de] This is sentence number") == 4000
    kept = [path for path in stack.folder.glob("*/objects/**/*") if path.is_file()]
    assert any("translate" in path.parts for path in kept)
    assert {path.relative_to(stack.folder).parts[0] for path in kept} == {"manager"}


def test_the_check_of_the_images_fails_where_nobody_listens() -> None:
    assert subprocess.run([*HEALTHY, "http://127.0.0.1:9/readyz"], check=False).returncode == 1


def test_the_broker_takes_its_options_and_answers_its_check(
    compose: dict[str, Any], compose_rehearsal: Rehearsal
) -> None:
    """Valkey's programs are redis' by another name and take the same words."""
    compose_rehearsal.start_redis()
    kind, client, *question = compose["services"]["redis"]["healthcheck"]["test"]
    assert (kind, client) == ("CMD", "valkey-cli")
    program = redis_program("redis-cli")
    port = str(compose_rehearsal.ports["redis"])

    def ask(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, "-p", port, *words], capture_output=True, text=True, check=False
        )

    assert becomes(0, lambda: ask(*question).returncode)
    assert ask(*question).stdout == "PONG\n"
    assert ask("CONFIG", "GET", "maxmemory-policy").stdout.split()[1] == "noeviction"
    assert ask("CONFIG", "GET", "save").stdout.split("\n")[1] == ""
