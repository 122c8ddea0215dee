"""A model comes from a folder or an archive with the same checks, and without a network."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from services.installing.errors import CannotInstall, Damaged, Unfit
from services.installing.importing import bring
from services.installing.pulling import PARTIAL, pull
from services.model_lock import LOCK_FILE, damaged, read_lock

MODEL = "org/tiny-model"


@pytest.fixture
def folder(files, tmp_path) -> Path:
    """A model as somebody copied it, without a lock."""
    path = tmp_path / "copied"
    path.mkdir()
    for name, data in files.items():
        (path / name).write_bytes(data)
    return path


@pytest.fixture
def packed(tmp_path):
    """Makes an archive of members by name."""

    def make(members: dict[str, bytes], suffix: str = ".tar") -> Path:
        path = tmp_path / f"model{suffix}"
        with tarfile.open(path, f"w:{suffix.removeprefix('.tar').removeprefix('.')}") as archive:
            for name, data in members.items():
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        return path

    return make


def test_a_folder_is_copied_and_gets_a_lock(folder, files, root) -> None:
    done = bring(folder, MODEL, root / "tiny", root)
    assert done.anew
    assert {path.name for path in (root / "tiny").iterdir()} == {*files, LOCK_FILE} - {"README.md"}
    lock = read_lock(root / "tiny")
    assert lock == done.lock
    assert (lock.hub_id, lock.revision, lock.verified) == (MODEL, "", False)
    assert damaged(root / "tiny", lock, thorough=True) == []


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.xz"])
def test_what_was_pulled_elsewhere_is_checked_by_its_lock(
    hub, hub_server, packed, files, root, tmp_path, suffix
) -> None:
    pulled = pull(hub, MODEL, "main", tmp_path / "there" / "tiny", tmp_path / "there")
    members = {f"tiny/{path.name}": path.read_bytes() for path in pulled.folder.iterdir()}
    done = bring(packed(members, suffix), "", root / "tiny", root)
    assert done.lock.verified
    assert (done.lock.digest, done.lock.revision) == (pulled.lock.digest, pulled.lock.revision)
    members["tiny/model.bin"] = bytes(len(members["tiny/model.bin"]))
    with pytest.raises(Damaged, match=LOCK_FILE):
        bring(packed(members, suffix), "", root / "tiny", root)
    assert (root / "tiny" / "model.bin").read_bytes() == files["model.bin"]


def test_the_links_of_a_hubs_cache_are_followed(folder, files, root, tmp_path) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for name in files:
        (snapshot / name).symlink_to(folder / name)
    bring(snapshot, MODEL, root / "tiny", root)
    assert not (root / "tiny" / "model.bin").is_symlink()
    assert (root / "tiny" / "model.bin").read_bytes() == files["model.bin"]


def test_no_member_of_an_archive_leads_out_of_the_folder(packed, files, root, tmp_path) -> None:
    members = {f"../../{name}": data for name, data in files.items()}
    bring(packed({**members, "/elsewhere/config.json": b"no"}), MODEL, root / "tiny", root)
    assert {path.name for path in tmp_path.iterdir()} == {"model.tar", "models"}
    assert {path.name for path in root.iterdir()} == {"tiny", PARTIAL}
    assert (root / "tiny" / "config.json").read_bytes() == files["config.json"]


def test_links_in_an_archive_are_not_followed(packed, files, root, tmp_path) -> None:
    path = packed({name: data for name, data in files.items() if name != "tokenizer.json"})
    with tarfile.open(path, "a") as archive:
        link = tarfile.TarInfo("tokenizer.json")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(Unfit, match=r"lacks tokenizer\.json"):
        bring(path, MODEL, root / "tiny", root)


def test_an_archive_of_several_models_is_not_guessed_at(packed, files, root) -> None:
    both = {f"{place}/{name}": data for place in "ab" for name, data in files.items()}
    with pytest.raises(Unfit, match="2 models"):
        bring(packed(both), MODEL, root / "tiny", root)


@pytest.mark.parametrize("cut", [0, 100, 40_000])
def test_what_is_no_whole_archive_is_told(packed, files, root, cut) -> None:
    path = packed(files, ".tar.gz")
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(Unfit):
        bring(path, MODEL, root / "tiny", root)
    assert not (root / "tiny").exists()


def test_a_source_that_is_not_there_is_named(root, tmp_path) -> None:
    with pytest.raises(CannotInstall, match=r"no .*nothing\.tar"):
        bring(tmp_path / "nothing.tar", MODEL, root / "tiny", root)


def test_a_missing_tokenizer_is_told_now_and_not_when_it_is_loaded(folder, root) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(Unfit, match=r"tokenizer\.json.*without the network"):
        bring(folder, MODEL, root / "tiny", root)
