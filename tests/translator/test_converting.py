"""`fanscribe models convert`: from what others publish to a model that tasks can use."""

from __future__ import annotations

import json
import shutil

import pytest
from tiny_families import write_opus
from typer.testing import CliRunner

from demo.grammar import sentences
from services import settings as configuration
from services.cli import make_app
from services.installing import converting
from services.installing.converting import Wanted, convert, to_convert
from services.installing.errors import CannotInstall, Unfit
from services.installing.importing import bring
from services.model.errors import Invalid
from services.model_lock import damaged, read_lock
from services.models_folder import load_catalog, locate
from services.settings import Settings
from translator_worker.engines import Row
from translator_worker.engines.ctranslate2 import CTranslate2Engine

TEXTS = [sentence.text("en") for sentence in sentences(4, seed=2, held_out=True)]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "models"


@pytest.fixture
def fanscribe(root, monkeypatch):
    """Runs `fanscribe models …`; what it printed."""
    monkeypatch.setenv("FANSCRIBE_MODELS_DIR", str(root))
    monkeypatch.delenv("FANSCRIBE_CATALOG_FILE", raising=False)
    configuration.load.cache_clear()

    def run(*words: str) -> str:
        result = CliRunner().invoke(make_app(), ["models", *words])
        if result.exception is not None:
            raise result.exception
        return result.stdout

    yield run
    configuration.load.cache_clear()


@pytest.fixture(scope="module")
def opus(tmp_path_factory):
    """A model of one pair, as its archive unpacks."""
    return write_opus(tmp_path_factory.mktemp("opus") / "opus-mt-en-de", targets=[])


@pytest.fixture(scope="module")
def opus_of_several(tmp_path_factory):
    folder = tmp_path_factory.mktemp("several") / "opus-mt-en-mul"
    return write_opus(folder, targets=[">>deu<<", ">>cmn_Hans<<"])


def catalog_of(root, tmp_path):
    return load_catalog(Settings(models_dir=root, data_dir=tmp_path))


def test_a_converted_model_is_listed_offered_and_translates(fanscribe, opus, root, tmp_path):
    said = fanscribe("convert", str(opus), "--licence", "CC-BY-4.0")
    assert "opus-mt-en-de is installed." in said
    assert "catalog file" not in said
    (listed,) = [
        model
        for model in json.loads(fanscribe("list", "--here", "--json"))
        if model["name"] == "opus-mt-en-de"
    ]
    assert (listed["offered"], listed["installed"]) == (True, True)
    assert (listed["pairs"], listed["licence"]) == ([["en", "de"]], "CC-BY-4.0")
    entry = catalog_of(root, tmp_path).translator("en", "de")
    folder = locate(entry, Settings(models_dir=root))
    assert entry.name == "opus-mt-en-de"
    engine = CTranslate2Engine(folder, device="cpu", compute_type="default", family=entry.family)
    answers = engine.translate([Row(text, "en", "de") for text in TEXTS], beam_size=1)
    assert len(answers) == len(TEXTS)
    lock = read_lock(folder)
    assert damaged(folder, lock, thorough=True) == []
    assert lock.verified
    assert {file.name for file in lock.files} == {
        *("model.bin", "config.json", "shared_vocabulary.json", "fanscribe.json"),
        *("source.spm", "target.spm"),
    }


def test_what_came_without_a_hash_stays_unverified_when_it_is_converted(opus, root):
    done = convert(opus, Wanted("ours", "float32", ["en"], ["de"]), root, verified=False)
    assert not done.lock.verified
    assert not read_lock(done.folder).verified


def test_a_model_of_several_targets_serves_those_of_its_vocabulary(
    fanscribe, opus_of_several, root, tmp_path
):
    fanscribe("convert", str(opus_of_several), "--name", "many")
    entry = catalog_of(root, tmp_path).entries["many"]
    assert (entry.family, entry.pairs) == ("marian", [("en", "de"), ("en", "zh")])


def test_what_its_name_does_not_say_is_asked_for(fanscribe, opus, root, tmp_path):
    other = shutil.copytree(opus, tmp_path / "ours")
    with pytest.raises(Unfit, match="--source and --target"):
        fanscribe("convert", str(other))
    assert not (root / "ours").exists()
    fanscribe("convert", str(other), "--source", "en,fr", "--target", "de")
    assert catalog_of(root, tmp_path).entries["ours"].pairs == [("en", "de"), ("fr", "de")]
    with pytest.raises(Invalid, match="klingon"):
        fanscribe("convert", str(other), "--source", "klingon", "--target", "de")


def test_what_cannot_be_converted_leaves_what_was_there(fanscribe, opus, root, tmp_path):
    fanscribe("convert", str(opus))
    before = read_lock(root / "opus-mt-en-de")
    broken = shutil.copytree(opus, tmp_path / "opus-mt-en-de")
    (broken / "model.npz").write_bytes(b"PK\x03\x04 no more")
    with pytest.raises(Unfit, match="CTranslate2 cannot convert it"):
        fanscribe("convert", str(broken))
    assert read_lock(root / "opus-mt-en-de") == before
    assert damaged(root / "opus-mt-en-de", before, thorough=True) == []
    fanscribe("convert", str(opus), "--quantization", "float32")
    assert read_lock(root / "opus-mt-en-de").digest != before.digest


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([], r"neither a model of OPUS-MT"),
        (["decoder.yml", "source.bpe"], "BPE"),
    ],
)
def test_what_is_no_model_is_told_as_such(fanscribe, tmp_path, files, reason):
    folder = tmp_path / "opus-mt-en-de"
    folder.mkdir()
    for name in files:
        (folder / name).touch()
    with pytest.raises(Unfit, match=reason):
        fanscribe("convert", str(folder))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ('{"model_type": "llama"}', "'llama'.*m2m_100"),
        ('{"architectures": []}', "does not say the type"),
        ("[]", "does not say the type"),
        ("{", "does not say the type"),
    ],
)
def test_a_model_of_another_type_is_told_before_anything_is_loaded(
    fanscribe, tmp_path, config, reason
):
    folder = tmp_path / "opus-mt-en-de"
    folder.mkdir()
    (folder / "config.json").write_text(config)
    with pytest.raises(Unfit, match=reason):
        fanscribe("convert", str(folder))


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "x" * 200, "small", "large"])
def test_a_name_never_leads_out_of_the_models_folder(fanscribe, opus, root, name):
    with pytest.raises(CannotInstall, match="--name"):
        fanscribe("convert", str(opus), "--name", name)
    assert not root.exists()


def test_a_folder_that_is_not_there_is_named(fanscribe, tmp_path):
    with pytest.raises(CannotInstall, match="no folder"):
        fanscribe("convert", str(tmp_path / "nothing" / "opus-mt-en-de"))


def test_without_torch_it_says_what_to_install(fanscribe, tmp_path, monkeypatch):
    folder = tmp_path / "nllb"
    folder.mkdir()
    for name in ("model.safetensors", "sentencepiece.bpe.model"):
        (folder / name).touch()
    (folder / "config.json").write_text('{"model_type": "m2m_100"}')
    monkeypatch.setattr(converting, "find_spec", lambda _: None)
    with pytest.raises(CannotInstall, match=r"fanscribe\[convert\]"):
        fanscribe("convert", str(folder))


def test_a_converted_model_can_be_packed_and_brought(fanscribe, opus, root, tmp_path):
    fanscribe("convert", str(opus))
    elsewhere = tmp_path / "elsewhere"
    done = bring(root / "opus-mt-en-de", "", elsewhere / "opus-mt-en-de", elsewhere)
    assert done.lock.verified
    assert catalog_of(elsewhere, tmp_path).translator("en", "de").name == "opus-mt-en-de"


def test_a_description_that_makes_no_sense_hides_its_model_and_no_other(
    fanscribe, opus, root, tmp_path
):
    fanscribe("convert", str(opus))
    for number, text in enumerate(["{", '{"family": "opus"}', '{"languages": ["klingon"]}']):
        folder = root / f"odd-{number}"
        folder.mkdir()
        (folder / "model.bin").touch()
        (folder / "fanscribe.json").write_text(text)
    offered = catalog_of(root, tmp_path).offered
    served = [entry.name for entry in offered if entry.serves("en", "de")]
    assert served == ["opus-mt-en-de"]


def test_safe_weights_are_brought_rather_than_others_and_all_shards_of_them():
    beside = ["README.md", "config.json", "vocab.json", "source.spm", "target.spm", "tf_model.h5"]
    both = [*beside, "pytorch_model.bin", "model.safetensors", "../model.safetensors"]
    assert to_convert(both, "it") == [
        *("config.json", "vocab.json", "source.spm", "target.spm", "model.safetensors")
    ]
    shards = [f"pytorch_model-0000{n}-of-00002.bin" for n in (1, 2)]
    index = "pytorch_model.bin.index.json"
    assert to_convert([*beside, *shards, index], "it")[4:] == sorted([*shards, index])
    for names in (["config.json"], ["model.safetensors"], ["config.json", "model.bin"]):
        with pytest.raises(Unfit, match="no model of transformers"):
            to_convert(names, "it")
