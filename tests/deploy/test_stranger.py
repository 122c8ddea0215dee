"""docs/callbacks.md is enough to write a worker: one that was written from it is believed."""

from __future__ import annotations

import json

import httpx
from rehearsal import Rehearsal, becomes
from stranger import Stranger, body_of

NODE = "stranger-1"
TOKEN = "a-token-of-its-own"


def test_a_worker_written_from_the_page_alone_is_believed(compose_rehearsal: Rehearsal) -> None:
    stack = compose_rehearsal
    stack.start_mongodb()
    stack.start("manager")
    assert becomes(0, lambda: stack.health("manager")), stack.story()
    client = httpx.Client(base_url=stack.api, headers={"Authorization": "Bearer the-key"})
    item = {"text_id": "1", "text": "Good morning.", "language": "en"}
    path = client.post("/v1/tasks", json={"items": [item], "targets": ["zh"]}).headers["Location"]
    stranger = Stranger(f"http://127.0.0.1:{stack.ports['workers']}", "the-secret")

    queue = "translate.nmt-demo"
    hello = {"node": NODE, "kind": "translator", "host": "elsewhere", "pid": 1, "queues": [queue],
             "models": ["nmt-demo"], "slots": 1, "version": "0"}  # fmt: skip
    stranger.call("register", hello)
    claim = {"node": NODE, "token": TOKEN, "queue": queue, "job": "", "models": ["nmt-demo"]}
    (grant,) = stranger.call("claim", claim)["grants"]
    again = stranger.call("claim", claim)["grants"]
    held = {"job": grant["job"], "attempt": grant["attempt"]}
    alive = stranger.call("beat", {"token": TOKEN, "leases": [held]})["leases"]
    stranger.call("progress", {"token": TOKEN, **held, "number": 1, "fraction": 0.5})
    stranger.call("node-beat", {"node": NODE, "running": 1})
    transcript = {"language": "zh", "text": "早上好。", "segments": []}
    result = {"stage": "translate", "segments": 1, "text": body_of("早上好。"),
              "transcript": body_of(json.dumps(transcript))}  # fmt: skip
    finish = {"token": TOKEN, "node": NODE, "reports": [{**held, "result": result}]}
    verdicts = [stranger.call("finish", finish)["verdicts"] for _ in range(2)]

    assert stranger.refusals == 1  # its clock stood at 1970
    assert (grant["spec"]["text"], grant["spec"]["target_language"]) == ("Good morning.", "zh")
    assert [each["job"] for each in again] == [grant["job"]]
    assert [each["state"] for each in alive] == ["held"]
    assert verdicts == [[{"job": grant["job"], "status": 200}]] * 2
    assert becomes("succeeded", lambda: client.get(path).json()["state"]), stack.story()
    assert client.get(f"{path}/result/zh/1/T").json()["text"] == "早上好。"
    client.close()
