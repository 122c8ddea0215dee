"""Translation models come by the same way as speech models, with the files that theirs have."""

from __future__ import annotations

import json
import random
import tomllib

import pytest
from hub_server import Revision

from services.installing import converting
from services.installing.choosing import choose
from services.installing.converting import Wanted, convert_from_hub
from services.installing.errors import CannotInstall, Unfit
from services.models_folder import load_catalog
from services.settings import Settings

WEIGHTS = random.Random(5).randbytes(5000)


def files_of(vocabulary: list[str], *tokenizers: str) -> dict[str, bytes]:
    return {
        "README.md": b"# A model",
        "model.bin": WEIGHTS,
        "config.json": b"{}",
        "shared_vocabulary.json": json.dumps(vocabulary).encode(),
        "pytorch_model.bin": b"what it was converted from",
        **dict.fromkeys(tokenizers, b"a tokenizer"),
    }


@pytest.mark.parametrize(
    ("hub_id", "vocabulary", "tokenizers", "expected"),
    [
        (
            "org/nllb-200-ct2",
            ["<s>", "eng_Latn", "deu_Latn", "zho_Hans", "ace_Arab"],
            ["sentencepiece.bpe.model", "tokenizer.json"],
            {"family": "nllb", "languages": ["de", "en", "zh"]},
        ),
        (
            "org/m2m100-ct2",
            ["<s>", "__en__", "__ja__"],
            ["sentencepiece.bpe.model"],
            {"family": "m2m100", "languages": ["en", "ja"]},
        ),
        (
            "org/madlad400-ct2",
            ["<unk>", "<2en>", "<2fil>"],
            ["spiece.model"],
            {"family": "madlad", "languages": ["en", "fil"]},
        ),
        (
            "org/opus-mt-de-en-ct2",
            ["</s>", "▁a"],
            ["source.spm", "target.spm"],
            {"family": "marian", "pairs": [["de", "en"]]},
        ),
        (
            "org/opus-mt-en-mul",
            ["</s>", ">>cmn_Hans<<", ">>deu<<"],
            ["source.spm", "target.spm"],
            {"family": "marian", "pairs": [["en", "de"], ["en", "zh"]]},
        ),
    ],
)
def test_the_lines_for_the_catalog_say_what_the_model_shows(
    pull, hub_server, root, tmp_path, hub_id, vocabulary, tokenizers, expected
) -> None:
    hub_server.revisions[hub_id, "main"] = Revision(files_of(vocabulary, *tokenizers))
    said = pull(hub_id)
    table = said[said.index("[[model]]") :].partition("What runs")[0]
    (model,) = tomllib.loads(table)["model"]
    assert {key: model[key] for key in expected} == expected
    assert (model["kind"], model["engine"], model["location"]) == (
        *("translate", "ctranslate2"),
        hub_id,
    )
    assert "preprocessor" not in said
    came = {path.name for path in (root / hub_id).iterdir()}
    assert came >= {"model.bin", "shared_vocabulary.json", *tokenizers}
    assert not came & {"README.md", "pytorch_model.bin"}
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(table, encoding="utf-8")
    settings = Settings(models_dir=root, catalog_file=catalog, data_dir=tmp_path)
    assert load_catalog(settings).entries[model["name"]].family == expected["family"]


def test_a_translator_of_the_catalog_is_pulled_by_its_name(
    pull, hub_server, root, tmp_path, monkeypatch
) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(
        '[[model]]\nname = "nllb"\nkind = "translate"\nengine = "ctranslate2"\n'
        'location = "org/nllb"\nlanguages = ["en", "de"]\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("FANSCRIBE_CATALOG_FILE", str(path))
    files = files_of(["eng_Latn"], "sentencepiece.bpe.model")
    hub_server.revisions["org/nllb", "main"] = Revision(files, licence="cc-by-nc-4.0")
    assert "forbids commercial use" in pull("nllb")
    settings = Settings(models_dir=root, catalog_file=path, data_dir=tmp_path)
    assert load_catalog(settings).translator("en", "de") is None
    assert load_catalog(settings).translator("en", "de", ["nllb"]).name == "nllb"


def test_a_model_that_only_a_service_has_is_not_pulled(pull, tmp_path, monkeypatch) -> None:
    path = tmp_path / "catalog.toml"
    path.write_text(
        '[[model]]\nname = "chat"\nkind = "translate"\nengine = "llm"\nlanguages = ["en", "de"]\n'
        '[model.chat]\nurl = "http://127.0.0.1:9/v1"\nmodel = "m"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("FANSCRIBE_CATALOG_FILE", str(path))
    with pytest.raises(CannotInstall, match="its own service"):
        pull("chat")


def test_nothing_is_fetched_to_be_converted_that_cannot_be(
    hub, hub_server, root, monkeypatch
) -> None:
    files = {
        "config.json": b"{}",
        "model.safetensors": WEIGHTS,
        "source.spm": b"",
        "target.spm": b"",
    }
    hub_server.revisions["org/opus-mt-en-de", "main"] = Revision(files)
    monkeypatch.setattr(converting, "find_spec", lambda _: None)
    wanted = Wanted("ours", "int8")
    with pytest.raises(CannotInstall, match=r"fanscribe\[convert\]"):
        convert_from_hub(hub, "org/opus-mt-en-de", "main", wanted, root, show=lambda *_: None)
    assert len(hub_server.seen) == 1
    assert not root.exists()


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        ("config.json", r"lacks config\.json"),
        ("target.spm", r"lacks a tokenizer \(source\.spm and target\.spm, or"),
        ("model.bin", "models convert"),
    ],
)
def test_a_translator_that_lacks_something_is_refused_before_it_is_fetched(lacking, reason) -> None:
    names = [name for name in files_of([], "source.spm", "target.spm") if name != lacking]
    with pytest.raises(Unfit, match=reason):
        choose(names, "it")
