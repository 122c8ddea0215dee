"""By what a translation is known again: anything that could change it must change the hash."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from services.model.catalog import ModelEntry
from services.model.chat import ChatService
from services.model.glossary import Rule
from services.model_lock import ModelLock, hashed, read_lock, write_lock
from translator_worker.depending import digest, of_folder, of_service
from translator_worker.engines import Row
from translator_worker.glossary import Terms

ENTRY = ModelEntry(name="m", kind="translate", engine="ctranslate2", languages=["en", "de"])
BIG = 5 * 1024 * 1024


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model that nobody pulled, with a large file and a small one."""
    made = tmp_path / "model"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "words.json").write_text("{}")
    with (made / "model.bin").open("wb") as file:
        file.truncate(BIG)
    return made


def lock(folder: Path) -> None:
    write_lock(folder, ModelLock(files=[hashed(folder / "model.bin")]))


def on(folder: Path, entry: ModelEntry = ENTRY, **run: str) -> str:
    return of_folder(folder, entry, **{"device": "cpu", "compute_type": "int8", **run})


def test_the_same_model_is_known_again(folder: Path) -> None:
    assert on(folder) == on(folder)
    moved = ENTRY.model_copy(update={"location": "elsewhere", "memory_mb": 5, "licence": "MIT"})
    assert on(folder, moved) == on(folder)


def test_another_file_is_another_model(folder: Path) -> None:
    before = on(folder)
    (folder / "inner" / "words.json").write_text("[]")
    changed = on(folder)
    (folder / "inner" / "more.json").write_text("[]")

    assert len({before, changed, on(folder)}) == 3


def test_a_large_file_of_another_time_is_another_model(folder: Path) -> None:
    before = on(folder)
    os.utime(folder / "model.bin", ns=(1, 1))
    assert on(folder) != before


def test_a_pulled_model_is_known_again_on_another_machine(folder: Path, tmp_path: Path) -> None:
    lock(folder)
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    os.utime(other / "model.bin", ns=(1, 1))
    lock(other)

    assert read_lock(other) != read_lock(folder)
    assert on(other) == on(folder)


def test_a_file_that_is_not_what_was_pulled_is_not_taken_for_it(folder: Path) -> None:
    lock(folder)
    before = on(folder)
    with (folder / "model.bin").open("r+b") as file:
        file.write(b"other")
    os.utime(folder / "model.bin", ns=(1, 1))

    assert on(folder) != before


@pytest.mark.parametrize(
    "other", [{"device": "cuda"}, {"compute_type": "float32"}, {"more": "options"}]
)
def test_a_model_that_is_run_otherwise_is_another(folder: Path, other) -> None:
    assert on(folder, **other) != on(folder)


@pytest.mark.parametrize("other", [{"name": "n"}, {"languages": ["en"]}, {"revision": "1"}])
def test_a_model_that_the_catalog_describes_otherwise_is_another(folder: Path, other) -> None:
    assert on(folder, ENTRY.model_copy(update=other)) != on(folder)


def test_a_service_is_known_by_what_it_is_asked() -> None:
    service = ChatService(url="http://here/v1", model="a")

    def asked(**changes: object) -> str:
        chat = service.model_copy(update=changes)
        return of_service(ENTRY.model_copy(update={"engine": "llm", "chat": chat}))

    assert asked(key="k", price_in=1.0, timeout_s=5.0, parallel=9) == asked()
    others = [
        {"model": "b"}, {"url": "http://b/v1"}, {"instructions": "Be kind."},
        {"body": {"temperature": 1}}, {"context": 0},
    ]  # fmt: skip
    assert len({asked(), *(asked(**other) for other in others)}) == 1 + len(others)


def test_a_sentence_is_known_again_by_the_terms_that_stand_in_it() -> None:
    text = "The coin is here."

    def named(*rules: Rule) -> str:
        return digest(Row(text, "en", "de", Terms(rules, [text]) if rules else None), "m")

    coin, taler = Rule(term="coin", put="Münze"), Rule(term="coin", put="Taler")
    elsewhere = Rule(term="box", put="Kiste")
    assert named() == named(elsewhere)
    assert named(coin) == named(coin, elsewhere)
    assert len({named(), named(coin), named(taler)}) == 3
