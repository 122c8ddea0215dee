"""A model comes from a hub whole, checked, once, or not at all."""

from __future__ import annotations

import fcntl
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hub_server import COMMIT, HubServer, Revision

from services.installing import pulling
from services.installing.errors import Damaged, HubAway, HubRefused, NoRoom, NoSuchModel, Unfit
from services.installing.hub import Hub
from services.installing.pulling import PARTIAL, pull
from services.model_lock import LOCK_FILE, damaged, read_lock

MODEL = "org/tiny-model"
TAKEN = {"model.bin", "config.json", "tokenizer.json", "vocabulary.json"}
TAKEN |= {"preprocessor_config.json"}


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_model_lies_there_whole_with_its_lock(hub, hub_server, files, root) -> None:
    done = pull(hub, MODEL, "main", root / "tiny", root)
    assert (done.anew, done.lock.verified, done.folder) == (True, True, root / "tiny")
    assert names_in(root / "tiny") == TAKEN | {LOCK_FILE}
    for name in TAKEN:
        assert (root / "tiny" / name).read_bytes() == files[name]
    lock = read_lock(root / "tiny")
    assert lock == done.lock
    assert (lock.hub_id, lock.revision, lock.licence) == (MODEL, COMMIT, "mit")
    assert damaged(root / "tiny", lock, thorough=True) == []
    assert [path for path in (root / PARTIAL).iterdir() if path.is_dir()] == []


def test_the_files_of_the_commit_are_taken_whatever_the_branch_does(hub, hub_server, root) -> None:
    pull(hub, MODEL, "main", root / "tiny", root)
    asked = [each.path for each in hub_server.seen if "/resolve/" in each.path]
    assert len(asked) == len(TAKEN)
    assert all(f"/resolve/{COMMIT}/" in path for path in asked)


def test_a_revision_can_be_pinned(hub, hub_server, root) -> None:
    pull(hub, MODEL, COMMIT, root / "tiny", root)
    assert hub_server.seen[0].path == f"/api/models/{MODEL}/revision/{COMMIT}"
    with pytest.raises(NoSuchModel, match="at v2"):
        pull(hub, MODEL, "v2", root / "tiny", root)


def test_a_revision_is_one_word_of_the_address(hub, hub_server, root) -> None:
    with pytest.raises(NoSuchModel):
        pull(hub, MODEL, "../../../secret", root / "tiny", root)
    assert "/api/models/org/tiny-model/revision/../" in hub_server.seen[0].path  # as it was sent:
    assert len(hub_server.seen) == 1


def test_the_token_goes_to_the_hub_and_to_nobody_else(hub, hub_server, root) -> None:
    pull(hub, MODEL, "main", root / "tiny", root)
    tokens = {(each.host, each.headers.get("authorization")) for each in hub_server.seen}
    assert tokens == {("hub", "Bearer hf_secret"), ("store", None)}


def test_without_a_token_none_is_sent(hub_server, root) -> None:
    with closing(Hub(hub_server.endpoint)) as hub:
        pull(hub, MODEL, "main", root / "tiny", root)
    assert {each.headers.get("authorization") for each in hub_server.seen} == {None}


def test_a_cut_is_gone_on_from_where_it_was(hub, hub_server, root, waits) -> None:
    hub_server.cuts["model.bin"] = [20_000, 30_000]
    pull(hub, MODEL, "main", root / "tiny", root)
    assert hub_server.fetched("model.bin") == [None, "bytes=20000-", "bytes=30000-"]
    assert waits == [1.0, 1.0]  # bytes came in between, so it is as if it were the first


def test_a_later_pull_goes_on_where_the_last_one_gave_up(hub, hub_server, files, root) -> None:
    hub_server.cuts["model.bin"] = [20_000, *[20_000] * 9]
    with pytest.raises(HubAway, match="what has come is kept"):
        pull(hub, MODEL, "main", root / "tiny", root)
    assert not (root / "tiny").exists()
    hub_server.cuts.clear()
    hub_server.seen.clear()
    pull(hub, MODEL, "main", root / "tiny", root)
    assert hub_server.fetched("model.bin") == ["bytes=20000-"]
    assert hub_server.fetched("config.json") == []
    assert (root / "tiny" / "model.bin").read_bytes() == files["model.bin"]


def test_a_hub_that_knows_no_ranges_sends_it_all_again(hub, hub_server, files, root) -> None:
    hub_server.takes_ranges = False
    hub_server.cuts["model.bin"] = [20_000]
    pull(hub, MODEL, "main", root / "tiny", root)
    assert (root / "tiny" / "model.bin").read_bytes() == files["model.bin"]


@pytest.mark.parametrize("name", ["model.bin", "tokenizer.json"])
def test_a_wrong_hash_is_thrown_away_and_told(hub, hub_server, root, name) -> None:
    hub_server.spoilt.add(name)
    with pytest.raises(Damaged, match=name):
        pull(hub, MODEL, "main", root / "tiny", root)
    assert not (root / "tiny").exists()
    hub_server.spoilt.clear()
    assert pull(hub, MODEL, "main", root / "tiny", root).lock.verified


def test_a_mirror_that_tells_no_sizes_is_held_to_its_headers(hub, hub_server, files, root) -> None:
    hub_server.revisions[MODEL, "main"] = Revision(files, tells_sizes=False)
    done = pull(hub, MODEL, "main", root / "tiny", root)
    assert not done.lock.verified  # the small files have no hash then
    again = pull(hub, MODEL, "main", root / "tiny", root)
    assert (again.anew, again.lock.verified) == (False, False)
    shutil.rmtree(root)
    hub_server.spoilt.add("model.bin")
    with pytest.raises(Damaged, match=r"model\.bin"):
        pull(hub, MODEL, "main", root / "tiny", root)


def test_files_of_another_commit_are_not_mixed_in(hub, hub_server, root) -> None:
    hub_server.says_commit = "f00d" * 10
    with pytest.raises(HubAway, match="f00d"):
        pull(hub, MODEL, "main", root / "tiny", root)


def test_names_that_lead_elsewhere_are_never_asked_for(hub, hub_server, files, root) -> None:
    evil = ["../../model.bin", "/etc/passwd", "vocabulary./../../x", "a/config.json"]
    hub_server.revisions[MODEL, "main"] = Revision(files, told=evil)
    pull(hub, MODEL, "main", root / "tiny", root)
    assert names_in(root / "tiny") == TAKEN | {LOCK_FILE}
    assert names_in(root.parent) == {"models"}


def test_a_busy_hub_is_asked_again_when_it_says(hub, hub_server, root, waits) -> None:
    hub_server.answers = [(429, {"Retry-After": "17"}), (503, {})]
    pull(hub, MODEL, "main", root / "tiny", root)
    assert waits == [17.0, 2.0]


def test_a_hub_that_stays_busy_is_given_up(hub, hub_server, root, waits) -> None:
    hub_server.answers = [(429, {"Retry-After": "100000"})] * 9
    with pytest.raises(HubAway, match="HTTP 429"):
        pull(hub, MODEL, "main", root / "tiny", root)
    assert waits == [300.0] * 3


@pytest.mark.parametrize("status", [401, 403])
def test_a_model_that_is_not_given_out_names_the_token(hub, hub_server, root, status) -> None:
    hub_server.answers = [(status, {})]
    with pytest.raises(HubRefused, match="HF_TOKEN"):
        pull(hub, MODEL, "main", root / "tiny", root)


def test_a_model_that_is_not_there_is_named(hub, root) -> None:
    with pytest.raises(NoSuchModel, match="org/nothing at main"):
        pull(hub, "org/nothing", "main", root / "tiny", root)


def test_nobody_there_says_what_else_can_be_done(root, waits) -> None:
    nobody = Hub("http://127.0.0.1:9", wait=waits.append)
    with pytest.raises(HubAway, match=r"HF_ENDPOINT.*--from"):
        pull(nobody, MODEL, "main", root / "tiny", root)
    assert waits == [1.0, 2.0, 4.0]


def test_what_is_no_hub_is_told_apart_from_one(hub, hub_server, root, monkeypatch) -> None:
    monkeypatch.setattr("hub_server.listing", lambda *_: {"hello": "world"})
    with pytest.raises(HubAway, match="not as a model hub does"):
        pull(hub, MODEL, "main", root / "tiny", root)


def test_redirects_without_an_end_are_given_up(hub, hub_server, root) -> None:
    circle = {"Location": f"{hub_server.endpoint}/x/y/resolve/c/d"}
    hub_server.answers = [(302, circle)] * 20
    with pytest.raises(HubAway, match="without an end"):
        pull(hub, MODEL, "main", root / "tiny", root)


def test_a_redirect_leads_to_no_file_of_this_machine(hub, hub_server, root) -> None:
    hub_server.answers = [(302, {"Location": "file:///etc/passwd"})]
    with pytest.raises(HubAway, match="no web address"):
        pull(hub, MODEL, "main", root / "tiny", root)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ("model.bin", "CTranslate2"),
        ("tokenizer.json", "lacks tokenizer.json"),
        ("vocabulary.json", "vocabulary.json or vocabulary.txt"),
    ],
)
def test_what_could_not_be_loaded_is_not_begun(
    hub, hub_server, files, root, missing, reason
) -> None:
    del files[missing]
    with pytest.raises(Unfit, match=reason):
        pull(hub, MODEL, "main", root / "tiny", root)
    assert not any("/resolve/" in each.path for each in hub_server.seen)


def test_a_disk_that_is_too_small_is_told_before(hub, hub_server, root, monkeypatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=pulling._SPARE + 49_999)
    monkeypatch.setattr("services.installing.pulling.shutil.disk_usage", lambda _: usage)
    with pytest.raises(NoRoom, match="FANSCRIBE_MODELS_DIR"):
        pull(hub, MODEL, "main", root / "tiny", root)
    assert hub_server.fetched("model.bin") == []


def test_what_is_there_already_is_read_and_not_fetched_again(hub, hub_server, root) -> None:
    pull(hub, MODEL, "main", root / "tiny", root)
    hub_server.seen.clear()
    again = pull(hub, MODEL, "main", root / "tiny", root)
    assert (again.anew, len(hub_server.seen)) == (False, 1)


def test_what_was_damaged_since_is_pulled_again(hub, hub_server, files, root) -> None:
    pull(hub, MODEL, "main", root / "tiny", root)
    model = root / "tiny" / "model.bin"
    model.write_bytes(bytes(len(files["model.bin"])))
    assert pull(hub, MODEL, "main", root / "tiny", root).anew
    assert model.read_bytes() == files["model.bin"]
    assert names_in(root) == {"tiny", PARTIAL}


def test_what_was_put_by_hand_is_replaced_only_by_a_whole_model(hub, hub_server, root) -> None:
    (root / "tiny").mkdir(parents=True)
    (root / "tiny" / "model.bin").write_bytes(b"mine")
    hub_server.spoilt.add("model.bin")
    with pytest.raises(Damaged):
        pull(hub, MODEL, "main", root / "tiny", root)
    assert (root / "tiny" / "model.bin").read_bytes() == b"mine"


def test_of_two_pulls_at_once_one_does_the_work(hub_server: HubServer, root: Path) -> None:
    together = threading.Barrier(2, timeout=30)

    def one(_: int) -> bool:
        with closing(Hub(hub_server.endpoint)) as hub:
            together.wait()
            return pull(hub, MODEL, "main", root / "tiny", root).anew

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == [False, True]
    assert len(hub_server.fetched("model.bin")) == 1


def test_what_another_commit_left_unfinished_is_removed(hub, hub_server, files, root) -> None:
    old = root / PARTIAL / f"org--tiny-model-{'b' * 40}"
    running = root / PARTIAL / f"org--tiny-model-{'d' * 40}"
    stranger = root / PARTIAL / f"org--tiny-model-large-{'b' * 40}"
    for folder in (old, running, stranger):
        folder.mkdir(parents=True)
        (folder / "model.bin").touch()
        folder.with_name(f"{folder.name}.lock").touch()
    with running.with_name(f"{running.name}.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        pull(hub, MODEL, "main", root / "tiny", root)
    assert [folder.exists() for folder in (old, running, stranger)] == [False, True, True]


def test_progress_is_told_in_bytes(hub, hub_server, root) -> None:
    told: list[tuple[str, int, int]] = []
    pull(hub, MODEL, "main", root / "tiny", root, show=lambda *each: told.append(each))
    assert told[-1] == ("model.bin", 50_000, 50_000)


def test_the_environment_names_hub_and_token(monkeypatch) -> None:
    for name in ("HF_ENDPOINT", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    assert Hub.of_environment().endpoint == "https://huggingface.co"
    monkeypatch.setenv("HF_ENDPOINT", "https://mirror.example/")
    assert Hub.of_environment().endpoint == "https://mirror.example"
    monkeypatch.setenv("HF_ENDPOINT", "mirror.example")
    with pytest.raises(HubAway, match="HF_ENDPOINT"):
        Hub.of_environment()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubAway, match="HF_HUB_OFFLINE"):
        Hub.of_environment()
