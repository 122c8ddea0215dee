"""`fanscribe models pull`, from the words on the line to a model that tasks can use."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest
from hub_server import COMMIT, Revision

from services.installing.errors import CannotInstall, NoSuchModel
from services.model.catalog import SCRIPTS
from services.models_folder import load_catalog
from services.settings import Settings

DEMO = Path(__file__).parents[2] / "demo" / "models" / "whisper-demo"


def of_hub(hub_server, hub_id: str, files: dict[str, bytes], **more) -> None:
    hub_server.revisions[hub_id, "main"] = Revision(files, **more)


def test_a_model_of_the_catalog_is_offered_once_it_is_pulled(
    pull, hub_server, files, root, tmp_path
) -> None:
    of_hub(hub_server, "Systran/faster-whisper-small", files)
    said = pull("small")
    assert f"small at {COMMIT[:12]} is installed." in said
    assert "start fanscribe up again" in said
    assert "fanscribe manager and fanscribe worker whisper." in said
    offered = load_catalog(Settings(models_dir=root, data_dir=tmp_path)).offered
    assert [entry.name for entry in offered] == ["small", "opencc"]
    assert "is there already, whole" in pull("small")


@pytest.mark.parametrize(
    ("word", "name"),
    [("large-v3-turbo", "turbo"), ("mobiuslabsgmbh/faster-whisper-large-v3-turbo", "turbo")],
)
def test_an_alias_and_a_hub_id_mean_the_model_of_the_catalog(
    pull, hub_server, files, root, word, name
) -> None:
    of_hub(hub_server, "mobiuslabsgmbh/faster-whisper-large-v3-turbo", files)
    told = json.loads(pull(word, "--json"))
    assert (told["model"], told["folder"]) == (name, str(root / name))
    assert (told["revision"], told["anew"], told["verified"]) == (COMMIT, True, True)


def test_another_model_of_the_hub_comes_with_the_lines_for_the_catalog(
    pull, hub_server, files, root, tmp_path
) -> None:
    of_hub(hub_server, "org/whisper-swiss", files, licence="cc-by-nc-4.0")
    said = pull("org/whisper-swiss")
    assert "forbids commercial use" in said
    table = said[said.index("[[model]]") :].partition("What runs")[0]
    assert tomllib.loads(table)["model"][0]["location"] == "org/whisper-swiss"
    path = tmp_path / "catalog.toml"
    path.write_text(table, encoding="utf-8")
    settings = Settings(models_dir=root, catalog_file=path, data_dir=tmp_path)
    assert load_catalog(settings).offered == [SCRIPTS]
    allowing = settings.model_copy(update={"allow_noncommercial": True})
    assert load_catalog(allowing).transcriber(None).name == "whisper-swiss"


def test_the_catalog_file_can_pin_a_revision(
    pull, hub_server, files, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text('[[model]]\nname = "small"\nrevision = "v2"', encoding="utf-8")
    monkeypatch.setenv("FANSCRIBE_CATALOG_FILE", str(path))
    hub_server.revisions["Systran/faster-whisper-small", "v2"] = Revision(files)
    assert "is installed" in pull("small")
    with pytest.raises(NoSuchModel, match="at v3"):
        pull("small", "--revision", "v3")


def test_an_import_asks_no_hub(pull, hub_server, root) -> None:
    said = pull("small", "--from", str(DEMO))
    assert "There were no hashes to compare it with" in said
    assert hub_server.seen == []
    assert (root / "small" / "model.bin").stat().st_size == (DEMO / "model.bin").stat().st_size


def test_a_missing_preprocessor_is_mentioned(pull, hub_server, files) -> None:
    del files["preprocessor_config.json"]
    of_hub(hub_server, "Systran/faster-whisper-tiny", files)
    assert "80 mel bands" in pull("tiny")


@pytest.mark.parametrize("word", ["huge", "../small", "/etc", "a/b/c", ""])
def test_what_names_no_model_is_refused_with_those_that_there_are(pull, root, word) -> None:
    with pytest.raises(NoSuchModel, match=r"large-v3.*owner/name"):
        pull(word)
    assert not root.exists()


@pytest.mark.parametrize("name", ["whisper-demo", "opencc"])
def test_a_model_that_comes_along_is_not_pulled(pull, monkeypatch, name) -> None:
    monkeypatch.setenv("FANSCRIBE_DEMO_MODELS", "true")
    with pytest.raises(CannotInstall, match="comes with Fanscribe"):
        pull(name)


def test_a_model_without_an_origin_can_only_be_brought(pull, tmp_path, monkeypatch) -> None:
    path = tmp_path / "catalog.toml"
    text = '[[model]]\nname = "ours"\nkind = "transcribe"\nengine = "faster-whisper"'
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("FANSCRIBE_CATALOG_FILE", str(path))
    with pytest.raises(NoSuchModel, match="--from"):
        pull("ours")
    shutil.copytree(DEMO, tmp_path / "copy")
    assert "ours is installed" in pull("ours", "--from", str(tmp_path / "copy"))
