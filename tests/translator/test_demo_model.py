"""The model that comes with the package, through the engine that workers run."""

from __future__ import annotations

import pytest

from demo.grammar import sentences
from services.models_folder import load_catalog, locate
from services.settings import Settings
from translator_worker.engines.ctranslate2 import CTranslate2Engine

HELD_OUT = sentences(60, seed=9, held_out=True)


@pytest.fixture(scope="module")
def demo_engine():
    settings = Settings(demo_models=True)
    entry = load_catalog(settings).translator("en", "zh")
    assert entry is not None
    folder = locate(entry, settings)
    assert folder is not None, "the weights of nmt-demo are missing from demo/models"
    return CTranslate2Engine(folder, device="cpu", compute_type="default")


@pytest.mark.parametrize("source", ["en", "zh"])
def test_an_answer_does_not_depend_on_its_batch_mates(demo_engine, source) -> None:
    texts = [sentence.text(source) for sentence in HELD_OUT]
    together = demo_engine.translate(texts, source, "ja", beam_size=None)
    alone = [demo_engine.translate([text], source, "ja", beam_size=None)[0] for text in texts]
    assert together == alone


@pytest.mark.parametrize(
    ("source", "target"),
    [("en", "zh"), ("en", "ja"), ("en", "de"), ("zh", "en"), ("zh", "ja"), ("zh", "de")],
)
def test_nothing_is_flagged_in_sentences_it_knows(demo_engine, source, target) -> None:
    texts = [sentence.text(source) for sentence in HELD_OUT]
    answers = demo_engine.translate(texts, source, target, beam_size=None)
    assert [answer.flags for answer in answers] == [[]] * len(texts)
    assert not any("__" in answer.text for answer in answers)
