"""The lock of a pulled model tells whole files from damaged ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from services.model_lock import LOCK_FILE, ModelLock, damaged, hashed, read_lock, write_lock


@pytest.fixture
def locked(tmp_path: Path) -> tuple[Path, ModelLock]:
    for name in ("model.bin", "config.json"):
        (tmp_path / name).write_bytes(name.encode() * 100)
    lock = ModelLock(files=[hashed(tmp_path / name) for name in ("model.bin", "config.json")])
    write_lock(tmp_path, lock)
    return tmp_path, lock


def test_a_lock_is_read_as_it_was_written(locked: tuple[Path, ModelLock]) -> None:
    folder, lock = locked
    assert read_lock(folder) == lock
    assert read_lock(folder / "elsewhere") is None
    (folder / LOCK_FILE).write_text("{")
    assert read_lock(folder) is None


def test_the_digest_is_of_all_files_in_any_order(locked: tuple[Path, ModelLock]) -> None:
    _, lock = locked
    turned = lock.model_copy(update={"files": lock.files[::-1]})
    fewer = lock.model_copy(update={"files": lock.files[:1]})
    assert turned.digest == lock.digest != fewer.digest


def test_a_copy_with_other_times_is_as_good(locked: tuple[Path, ModelLock]) -> None:
    folder, lock = locked
    os.utime(folder / "model.bin", (1, 1))
    assert damaged(folder, lock) == []


def test_missing_short_and_changed_files_are_damaged(locked: tuple[Path, ModelLock]) -> None:
    folder, lock = locked
    good = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(good[:-1] + b"!")
    os.utime(folder / "model.bin", (1, 1))
    assert damaged(folder, lock) == ["model.bin"]
    (folder / "model.bin").write_bytes(good[:-1])
    assert damaged(folder, lock) == ["model.bin"]
    (folder / "model.bin").unlink()
    assert damaged(folder, lock) == ["model.bin"]


def test_only_a_thorough_look_finds_what_kept_its_size_and_time(
    locked: tuple[Path, ModelLock],
) -> None:
    folder, lock = locked
    (folder / "model.bin").write_bytes(b"!" * lock.files[0].size)
    os.utime(folder / "model.bin", ns=(lock.files[0].seen_ns, lock.files[0].seen_ns))
    assert damaged(folder, lock) == []
    assert damaged(folder, lock, thorough=True) == ["model.bin"]
