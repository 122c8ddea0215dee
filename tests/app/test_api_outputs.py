"""Results written under a prefix that the task names: into real buckets, and told to a receiver."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pysubs2
import pytest
import srt
from running_manager import Manager

from benchmarks.faults.receiver import PATIENCE_S, Receiver, receiving
from services.client.calls.submitting import Item
from services.client.client import Fanscribe
from services.client.output import show_task
from services.model.errors import Invalid
from services.settings import Settings
from services.storage.named import NamedBuckets
from services.storage.opening import open_bucket
from services.storage.protocol import ObjectStore
from tests.contract.buckets import BUCKET, client_of, oss_server, s3_server, settings_of

TEXT = {"text_id": "文本/1", "text": "Good morning.", "language": "en"}
QUICK = {"private_networks": "127.0.0.1/32", "tick_every_s": 0.05, "retry_scale": 1e-4}
PAGE = Path(__file__).parents[2] / "docs" / "outputs.md"
SERVERS = {"s3": s3_server, "oss": oss_server}


def shown_on_the_page(what: str) -> Any:
    """An example of docs/outputs.md."""
    (block,) = re.findall(
        rf"^```json {what}\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return json.loads(block)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def archive() -> Iterator[str]:
    with s3_server() as address:
        yield address


@pytest.fixture
def manager(start: Callable[..., Manager], archive: str) -> Manager:
    return start(output_prefixes=f"s3://{BUCKET}/done", **settings_of(archive), **QUICK)


def bucket_of(manager: Manager, scheme: str = "s3", name: str = BUCKET) -> ObjectStore:
    return open_bucket(scheme, name, "", manager.application.settings)


def read(bucket: ObjectStore, key: str) -> bytes:
    return b"".join(bucket.get(key))


def keys_under(bucket: ObjectStore, folder: str) -> set[str]:
    """All keys of the bucket under the folder, however deep."""
    found = set()
    for name in bucket.names_under(folder):
        found |= keys_under(bucket, f"{folder}{name}/") or {f"{folder}{name}"}
    return found


def outputs_of(manager: Manager, task_id: str, state: str) -> dict[str, Any]:
    """What the task's page says of its outputs, once they are in this state."""
    end = time.monotonic() + PATIENCE_S
    while (found := manager.task(task_id)["outputs"])["state"] != state:
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found


@pytest.mark.parametrize("scheme", SERVERS)
def test_everything_lies_under_the_prefix_and_its_keys_stand_in_the_webhook(
    start: Callable[..., Manager], receiver: Receiver, scheme: str
) -> None:
    with SERVERS[scheme]() as address:
        prefix = f"{scheme}://{BUCKET}/done/7%20days"
        manager = start(output_prefixes=f"{scheme}://{BUCKET}", **settings_of(address), **QUICK)
        audio = manager.upload(name="1.mp3")

        task = manager.finished(
            items=[{"audio": audio}, TEXT], targets=["zh", "ja"], metadata={"order": "A-17"},
            output_prefix=prefix, webhook={"url": receiver.url, "events": ["task.succeeded"]},
        )  # fmt: skip

        (told,) = receiver.wait(1)
        folder = f"done/7 days/{task['id']}/"
        heard = ["en.A", "ja.A", "zh.A"]
        names = {
            f"items/0000-1/{each}.{form}"
            for each in heard
            for form in ("txt", "json", "srt", "vtt")
        }
        names |= {
            f"items/0001-文本_1/{each}.T.{form}"
            for each in ("zh", "ja")
            for form in ("txt", "json")
        }
        wanted = {folder + name for name in (*names, "pack.json", "index.json")}
        bucket = bucket_of(manager, scheme)
        told_of = told.data["outputs"]
        assert set(told_of["keys"]) == keys_under(bucket, folder) == wanted
        assert told_of == {
            "prefix": prefix, "state": "written", "count": len(wanted), "keys": told_of["keys"],
            "index": f"{folder}index.json", "error": None,
        }  # fmt: skip
        assert outputs_of(manager, task["id"], "written") == {**told_of, "next_attempt_at": None}
        path = f"/v1/tasks/{task['id']}"
        served = manager.api.get(f"{path}/result?form=coded").content
        assert read(bucket, f"{folder}pack.json") == served
        for form in ("txt", "json", "srt", "vtt"):
            served = manager.api.get(f"{path}/items/1/subtitles.{form}?language=zh").content
            assert read(bucket, f"{folder}items/0000-1/zh.A.{form}") == served
        index = json.loads(read(bucket, f"{folder}index.json"))
        assert (index["task_id"], index["state"], index["metadata"]) == (
            task["id"], "succeeded", {"order": "A-17"},
        )  # fmt: skip
        listed = [key for each in index["items"] for key in each["keys"]] + index["keys"]
        assert set(listed) == wanted - {f"{folder}index.json"}
        assert [each["text_id"] for each in index["items"]] == ["1", "文本/1"]


def test_a_bucket_is_told_what_its_objects_are(manager: Manager, archive: str) -> None:
    task = manager.finished(
        items=[{"audio": manager.upload()}], targets=["zh"], output_prefix=f"s3://{BUCKET}/done/"
    )
    outputs_of(manager, task["id"], "written")
    client = client_of(archive)
    folder = f"done/{task['id']}"
    kinds = {
        name: client.head_object(Bucket=BUCKET, Key=f"{folder}/{name}")["ContentType"]
        for name in ("pack.json", "items/0000-1/zh.A.vtt")
    }
    assert kinds == {
        "pack.json": "application/json", "items/0000-1/zh.A.vtt": "text/vtt; charset=utf-8",
    }  # fmt: skip


def test_a_task_says_which_files_it_wants_and_whether_in_two_languages(
    manager: Manager, archive: str
) -> None:
    audio = {"audio": manager.upload(name="1.mp3"), "language": "en"}
    task = manager.finished(
        items=[audio, TEXT], targets=["zh", "en"], output_prefix=f"s3://{BUCKET}/done/",
        options={"output_forms": ["ass", "srt", "txt", "ass"], "output_bilingual": True},
    )  # fmt: skip
    found = outputs_of(manager, task["id"], "written")
    folder, bucket = f"done/{task['id']}/", bucket_of(manager)
    heard = [f"items/0000-1/{each}.A.{form}" for each in ("en", "zh", "zh_en")
             for form in ("ass", "srt", "txt")]  # fmt: skip
    written = [f"items/0001-文本_1/{each}.T.txt" for each in ("en", "zh", "zh_en")]
    wanted = {folder + name for name in (*heard, *written, "pack.json", "index.json")}
    assert keys_under(bucket, folder) == set(found["keys"]) == wanted
    index = json.loads(read(bucket, f"{folder}index.json"))
    listed = [key for each in index["items"] for key in each["keys"]] + index["keys"]
    assert set(listed) == wanted - {f"{folder}index.json"}
    assert len(listed) == len(set(listed))

    def text_of(name: str) -> str:
        return read(bucket, folder + name).decode()

    (below, above) = pysubs2.SSAFile.from_string(text_of("items/0000-1/zh_en.A.ass"))[0].text.split(
        "{\\rSecond}"
    )[::-1]
    assert (above.removesuffix("\\N"), below) == ("[zh] Heard 1.", "Heard 1.")
    (cue,) = srt.parse(text_of("items/0000-1/zh_en.A.srt"))
    assert cue.content == "[zh] Heard 1.\nHeard 1."
    (cue,) = srt.parse(text_of("items/0000-1/en.A.srt"))
    assert cue.content == "Heard 1."
    assert text_of("items/0001-文本_1/zh_en.T.txt") == "[zh] Good morning.\nGood morning.\n"
    for form in ("ass", "srt", "txt"):
        path = f"/v1/tasks/{task['id']}/items/1/subtitles.{form}?language=zh&with=source"
        assert manager.api.get(path).text == text_of(f"items/0000-1/zh_en.A.{form}")


def test_what_is_no_form_of_a_file_is_refused(manager: Manager) -> None:
    about = {"items": [TEXT], "targets": ["zh"], "output_prefix": f"s3://{BUCKET}/done/"}
    status, code, field = manager.refused(**about, options={"output_forms": ["doc"]})
    assert (status, field) == (422, "options.output_forms.0")
    assert code


def test_what_failed_is_told_in_error_objects_until_a_retry_makes_it_good(
    manager: Manager, receiver: Receiver
) -> None:
    manager.driver.broken = {"zh"}
    bucket = bucket_of(manager)

    task = manager.finished(
        items=[{"audio": manager.upload(name="1.mp3")}, TEXT], targets=["zh", "ja"],
        output_prefix=f"s3://{BUCKET}/done/",
        webhook={"url": receiver.url, "events": ["task.partial", "task.succeeded"]},
    )  # fmt: skip
    (partial,) = receiver.wait(1)

    folder = f"done/{task['id']}/"
    errors = {key for key in partial.data["outputs"]["keys"] if key.endswith("error.json")}
    assert errors == {
        f"{folder}error.json", f"{folder}items/0000-1/error.json",
        f"{folder}items/0001-文本_1/error.json",
    }  # fmt: skip
    of_task = json.loads(read(bucket, f"{folder}error.json"))
    assert (of_task["state"], of_task["cells"], of_task["cells_done"]) == ("partial", 4, 2)
    failed = {
        "language": "zh", "source": "A", "state": "failed", "failure": "permanent",
        "code": "engine_failed", "message": "The engine gave up.", "attempts": 1,
    }  # fmt: skip
    assert of_task["errors"][0] == {"ordinal": 0, "text_id": "1", **failed}
    of_item = json.loads(read(bucket, f"{folder}items/0000-1/error.json"))
    assert (of_item["text_id"], of_item["errors"]) == ("1", [failed])
    index = json.loads(read(bucket, f"{folder}index.json"))
    outputs = outputs_of(manager, task["id"], "written")
    for found, name in ((index, "index"), (of_task, "error"), (outputs, "outputs")):
        assert list(found) == list(shown_on_the_page(name))
    assert list(of_task["errors"][0]) == list(shown_on_the_page("error")["errors"][0])
    assert list(index["items"][0]) == list(shown_on_the_page("index")["items"][0])
    pack = json.loads(read(bucket, f"{folder}pack.json"))
    assert (pack["complete"], len(pack["missing"])) == (False, 2)

    manager.driver.broken = set()
    manager.api.post(f"/v1/tasks/{task['id']}/retry")
    manager.work(task["id"])
    succeeded = receiver.wait(2)[1]
    assert succeeded.event == "task.succeeded"
    assert not any(key.endswith("error.json") for key in keys_under(bucket, folder))
    assert set(succeeded.data["outputs"]["keys"]) == keys_under(bucket, folder)
    assert json.loads(read(bucket, f"{folder}pack.json"))["complete"] is True


def test_a_task_of_which_nothing_came_leaves_errors_only(manager: Manager) -> None:
    manager.driver.unreadable = {"1"}
    failed = manager.finished(
        items=[{"audio": manager.upload(name="1.mp3")}], targets=["zh"],
        output_prefix=f"s3://{BUCKET}/done/",
    )  # fmt: skip
    cancelled = manager.create(items=[TEXT], targets=["zh"], output_prefix=f"s3://{BUCKET}/done")
    manager.api.post(f"/v1/tasks/{cancelled['id']}/cancel")

    for task, item, code in (
        (failed, "0000-1", "bad_media"),
        (cancelled, "0000-文本_1", "cancelled"),
    ):
        folder = f"done/{task['id']}/"
        names = ("error.json", "index.json", f"items/{item}/error.json")
        found = outputs_of(manager, task["id"], "written")
        assert set(found["keys"]) == {folder + name for name in names}
        error = json.loads(read(bucket_of(manager), f"{folder}error.json"))
        assert [each["code"] for each in error["errors"]] == [code]


def test_webhooks_wait_for_a_bucket_that_is_away(
    start: Callable[..., Manager], archive: str, receiver: Receiver
) -> None:
    manager = start(
        output_prefixes="s3://later", **settings_of(archive), **{**QUICK, "retry_scale": 1e-2}
    )
    task = manager.finished(
        items=[TEXT], targets=["zh"], output_prefix="s3://later", webhook={"url": receiver.url}
    )
    end = time.monotonic() + PATIENCE_S
    while (found := manager.task(task["id"])["outputs"])["error"] is None:
        assert time.monotonic() < end, found
        time.sleep(0.01)
    assert (found["state"], found["error"]["code"]) == ("pending", "outputs_not_written")
    assert "NoSuchBucket" in found["error"]["message"]
    assert found["next_attempt_at"] is not None
    assert receiver.events() == ["language.completed"]

    client_of(archive).create_bucket(Bucket="later")

    told = receiver.wait(2)[1]
    assert (told.event, told.data["outputs"]["state"]) == ("task.succeeded", "written")
    assert keys_under(bucket_of(manager, name="later"), f"{task['id']}/")


def test_a_bucket_that_stays_away_is_told_and_may_be_tried_again(
    start: Callable[..., Manager], archive: str, receiver: Receiver
) -> None:
    manager = start(output_prefixes="s3://never", **settings_of(archive), **QUICK)
    task = manager.finished(
        items=[TEXT], targets=["zh"], output_prefix="s3://never",
        webhook={"url": receiver.url, "events": ["task.succeeded"]},
    )  # fmt: skip

    (told,) = receiver.wait(1)
    failed = told.data["outputs"]
    assert (failed["state"], failed["keys"]) == ("failed", [])
    assert failed["error"] == {
        "code": "outputs_not_written",
        "message": "The bucket 'never' cannot be used just now: NoSuchBucket.",
    }
    assert outputs_of(manager, task["id"], "failed")["error"] == failed["error"]

    client_of(archive).create_bucket(Bucket="never")
    path = f"/v1/tasks/{task['id']}/deliveries"
    log = manager.api.get(path).json()["deliveries"]
    (line,) = [each for each in log if each["event"] == "task.outputs"]
    assert (line["state"], line["url"], len(line["attempts"])) == ("dead", "s3://never", 7)
    assert manager.api.post(f"{path}/{line['id']}/replay").status_code == 202

    assert outputs_of(manager, task["id"], "written")["count"] == 4
    assert receiver.events() == ["task.succeeded"]


def test_what_was_written_outlives_the_task(start: Callable[..., Manager], archive: str) -> None:
    manager = start(output_prefixes=f"s3://{BUCKET}/done", **settings_of(archive), **QUICK)
    task = manager.finished(items=[TEXT], targets=["zh"], output_prefix=f"s3://{BUCKET}/done")
    outputs_of(manager, task["id"], "written")
    bucket = bucket_of(manager)
    before = keys_under(bucket, f"done/{task['id']}/")

    assert manager.api.delete(f"/v1/tasks/{task['id']}").status_code == 204

    assert manager.api.get(f"/v1/tasks/{task['id']}").status_code == 410
    assert keys_under(bucket, f"done/{task['id']}/") == before != set()


def test_the_prefix_is_part_of_a_request(manager: Manager) -> None:
    headers = {"idempotency-key": "one"}
    wanted = {"items": [TEXT], "targets": ["zh"], "output_prefix": f"s3://{BUCKET}/done/a"}
    first = manager.create(headers=headers, **wanted)
    assert manager.create(headers=headers, **wanted)["id"] == first["id"]
    other = {**wanted, "output_prefix": f"s3://{BUCKET}/done/b"}
    manager.create(409, headers=headers, **other)


def test_a_form_may_name_it_too(manager: Manager) -> None:
    answer = manager.api.post(
        "/v1/tasks",
        data={"targets": "zh", "language": "en", "texts": '{"1": "Good."}',
              "output_prefix": f"s3://{BUCKET}/done"},
        files={"files": ("2.mp3", b"RIFF")},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    outputs = manager.task(answer.json()["id"])["outputs"]
    assert (outputs["prefix"], outputs["state"]) == (f"s3://{BUCKET}/done", "pending")


@pytest.mark.parametrize(
    "prefix",
    [
        f"s3://{BUCKET}",
        f"s3://{BUCKET}/",
        f"s3://{BUCKET}/done2",
        f"s3://{BUCKET}/done/../secret",
        f"s3://{BUCKET}/done/%2e%2e/secret",
        f"s3://{BUCKET}/done//a",
        f"s3://{BUCKET}/done/%00",
        f"s3://{BUCKET}/done/\n",
        f"s3://{BUCKET}/done/\ud800",
        f"s3://{BUCKET}/done/" + "长" * 170,
        f"s3://{BUCKET}/done?acl",
        f"oss://{BUCKET}/done",
        "s3://elsewhere/done",
        f"https://{BUCKET}/done",
        "s3://[",
        "done/",
        "",
    ],
)
def test_only_what_the_operator_named_may_be_written_to(manager: Manager, prefix: str) -> None:
    body = json.dumps({"items": [TEXT], "targets": ["zh"], "output_prefix": prefix})
    refused = manager.api.post(
        "/v1/tasks", content=body, headers={"content-type": "application/json"}
    )
    error = refused.json()["error"]
    assert (refused.status_code, error["field"]) == (422, "output_prefix"), error
    assert error["code"] in {"output_not_allowed", "bad_output_prefix", "url_not_allowed"}


def test_without_the_setting_it_is_named(shared: Manager) -> None:
    answer = shared.api.post(
        "/v1/tasks", json={"items": [TEXT], "targets": ["zh"], "output_prefix": "s3://mine/"}
    )
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "output_not_allowed")
    assert "FANSCRIBE_OUTPUT_PREFIXES" in error["message"]


@pytest.mark.parametrize("folder", ["own/tasks", "own/uploads/a"])
def test_the_folders_of_our_own_objects_are_never_written_to(folder: str) -> None:
    """What lies there goes with its task, or as an orphan."""
    buckets = NamedBuckets(
        Settings(
            objects_url="s3://media/own", output_prefixes="s3://media", objects_endpoint="http://h"
        )
    )
    with pytest.raises(Invalid, match="its own objects"):
        buckets.output_folder(f"s3://media/{folder}")
    assert buckets.output_folder("s3://media/own/")[1] == "own/"


@pytest.mark.parametrize("prefixes", ["archive/talks", "https://archive/talks", "s3://"])
def test_a_prefix_that_names_no_bucket_is_told_at_start(prefixes: str) -> None:
    with pytest.raises(Invalid):
        NamedBuckets(Settings(output_prefixes=prefixes))


def test_the_client_names_a_prefix_and_the_command_line_shows_what_became_of_it(
    manager: Manager, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"s3://{BUCKET}/done/"
    with Fanscribe(manager.url) as client:
        text = Item(text="Good morning.", language="en")
        task = client.submit(text, targets=["zh"], output_prefix=prefix)
        manager.work(task.id)
        outputs_of(manager, task.id, "written")
        show_task(client.task(task.id), [], as_json=False)

    assert f"→ {prefix}: written 4 objects" in capsys.readouterr().out
