"""Two hops through English, with the model that comes along: it knows all four languages."""

from __future__ import annotations

import pytest
from driving import translate

from demo.grammar import sentences
from services.model.stages import Place, TranslateSpec
from services.model.transcript import Transcript
from services.models_folder import load_catalog
from services.settings import Settings
from translator_worker.engines import Row, Translation
from translator_worker.engines.pivot import PivotEngine
from translator_worker.tasks import open_engine

SENTENCES = sentences(40, seed=9, held_out=True)
CATALOG = """
[[model]]
name = "by-english"
kind = "translate"
engine = "pivot"
pivot = "en"
hops = ["nmt-demo", "nmt-demo"]
"""


@pytest.fixture
def catalog_file(tmp_path, settings_are):
    path = tmp_path / "catalog.toml"
    path.write_text(CATALOG, encoding="utf-8")
    settings_are(catalog_file=path, demo_models=True)
    return path


class Told:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self, *answers: Translation) -> None:
        self.answers, self.asked = list(answers), []

    def translate(self, rows, *, beam_size):
        self.asked += rows
        return self.answers


def test_german_comes_through_english_into_chinese(catalog_file, work_of) -> None:
    text = "\n".join(sentence.text("de") for sentence in SENTENCES)
    spec = TranslateSpec(
        model="by-english", source_language="de", target_language="zh", text=text,
        output=Place(key="x", url="file:///nowhere"),
        output_text=Place(key="x.txt", url="file:///nowhere"),
    )  # fmt: skip
    made = Transcript.model_validate_json(translate(spec, work_of(spec)).transcript.inline)
    lines = made.text.splitlines()
    assert len(lines) == len(SENTENCES)
    right = sum(a == b.text("zh") for a, b in zip(lines, SENTENCES, strict=True))
    assert right >= len(SENTENCES) * 0.8
    assert [segment.flags for segment in made.segments] == [[]] * len(made.segments)


def test_one_model_of_both_hops_is_loaded_once(catalog_file, work_of) -> None:
    settings = Settings(catalog_file=catalog_file, demo_models=True)
    entry = load_catalog(settings).entries["by-english"]
    loaded = open_engine(entry, None)
    assert isinstance(loaded.engine, PivotEngine)
    assert loaded.engine._first is loaded.engine._second
    assert open_engine(entry, None) is loaded


def test_what_looked_wrong_on_either_way_is_told_at_the_end() -> None:
    first = Told(Translation("one", ["truncated"]), Translation("", ["length_ratio"]))
    second = Told(Translation("eins", ["length_ratio", "truncated"]), Translation(""))
    engine = PivotEngine(first, second, "en")
    rows = [Row("一", "zh", "de"), Row("二", "zh", "ja")]
    assert engine.translate(rows, beam_size=3) == [
        Translation("eins", ["truncated", "length_ratio"]),
        Translation("", ["length_ratio"]),
    ]
    assert first.asked == [Row("一", "zh", "en"), Row("二", "zh", "en")]
    assert second.asked == [Row("one", "en", "de"), Row("", "en", "ja")]
