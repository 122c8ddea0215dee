"""The model that comes with the package, through the engine that workers run."""

from __future__ import annotations

import pytest

from demo.grammar import LANGUAGES, sentences
from services.models_folder import load_catalog, locate
from services.settings import Settings
from translator_worker.engines import Row
from translator_worker.engines.ctranslate2 import CTranslate2Engine

HELD_OUT = sentences(60, seed=9, held_out=True)


def rows_of(source: str, target: str) -> list[Row]:
    return [Row(sentence.text(source), source, target) for sentence in HELD_OUT]


@pytest.fixture(scope="module")
def make_demo_engine():
    settings = Settings(demo_models=True)
    entry = load_catalog(settings).translator("en", "zh")
    assert entry is not None
    folder = locate(entry, settings)
    assert folder is not None, "the weights of nmt-demo are missing from demo/models"
    return lambda compute_type: CTranslate2Engine(folder, device="cpu", compute_type=compute_type)


@pytest.fixture(scope="module")
def demo_engine(make_demo_engine):
    return make_demo_engine("default")


@pytest.mark.parametrize("beam_size", [1, 4])
@pytest.mark.parametrize("compute_type", ["int8", "float32"])
def test_an_answer_does_not_depend_on_its_batch_mates(
    make_demo_engine, compute_type, beam_size
) -> None:
    engine = make_demo_engine(compute_type)
    pairs = [(one, two) for one in LANGUAGES for two in LANGUAGES if one != two]
    rows = []
    for number, sentence in enumerate(HELD_OUT):
        source, target = pairs[number % len(pairs)]
        several = (sentence, *HELD_OUT[: number % 5])  # some long, some short
        rows.append(Row(" ".join(each.text(source) for each in several), source, target))
    alone = [engine.translate([row], beam_size=beam_size)[0] for row in rows]
    for size in (7, len(rows)):
        batches = [rows[first : first + size] for first in range(0, len(rows), size)]
        together = [engine.translate(batch, beam_size=beam_size) for batch in batches]
        assert [each for batch in together for each in batch] == alone


def test_every_row_is_answered_in_its_own_language(demo_engine) -> None:
    pairs = [("en", "zh"), ("zh", "de"), ("ja", "en"), ("de", "ja")]
    apart = [demo_engine.translate(rows_of(*pair), beam_size=None) for pair in pairs]
    mixed = [row for rows in zip(*(rows_of(*pair) for pair in pairs), strict=True) for row in rows]
    answers = demo_engine.translate(mixed, beam_size=None)
    assert [answers[number :: len(pairs)] for number in range(len(pairs))] == apart


@pytest.mark.parametrize(
    ("source", "target"),
    [("en", "zh"), ("en", "ja"), ("en", "de"), ("zh", "en"), ("zh", "ja"), ("zh", "de")],
)
def test_nothing_is_flagged_in_sentences_it_knows(demo_engine, source, target) -> None:
    answers = demo_engine.translate(rows_of(source, target), beam_size=None)
    assert [answer.flags for answer in answers] == [[]] * len(HELD_OUT)
    assert not any("__" in answer.text for answer in answers)
