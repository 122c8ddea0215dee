"""Each family on an untrained model of its real layout: what reaches the model, what comes back."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from tiny_families import (
    make_m2m100,
    make_madlad,
    make_marian,
    make_nllb,
    make_nllb_of_today,
)

from demo.grammar import sentences
from services.model.errors import FailureClass, JobFailed
from translator_worker.engines import Row
from translator_worker.engines.ctranslate2 import CTranslate2Engine

TEXTS = [sentence.text("en") for sentence in sentences(12, seed=2, held_out=True)]
MAKERS = {
    "m2m100": make_m2m100,
    "nllb": make_nllb,
    "nllb of today": make_nllb_of_today,
    "madlad": make_madlad,
    "marian": make_marian,
    "marian of several targets": lambda folder: make_marian(
        folder, targets=[">>deu<<", ">>cmn_Hans<<", ">>jpn<<"]
    ),
    "marian of two vocabularies": lambda folder: make_marian(folder, separate=True),
}
# What stands before an English text that is to be German, and what its translation begins with.
MARKS = {
    "m2m100": (["__en__"], ["__de__"]),
    "nllb": (["eng_Latn"], ["deu_Latn"]),
    "nllb of today": (["eng_Latn"], ["deu_Latn"]),
    "madlad": (["▁", "<2de>"], []),
    "marian": ([], []),
    "marian of several targets": ([">>deu<<"], []),
    "marian of two vocabularies": ([], []),
}


class Overheard:
    """The real model, and what it was asked."""

    def __init__(self, model) -> None:
        self.model = model
        self.sources: list[list[str]] = []
        self.prefixes: list[list[str]] = []

    def translate_batch(self, sources, *, target_prefix, **options):
        self.sources += sources
        self.prefixes += target_prefix
        return self.model.translate_batch(sources, target_prefix=target_prefix, **options)


def engine_of(folder, **options) -> CTranslate2Engine:
    return CTranslate2Engine(folder, device="cpu", compute_type="default", **options)


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    made = {}

    def of(name: str):
        if name not in made:
            made[name] = MAKERS[name](tmp_path_factory.mktemp(name.replace(" ", "-")))
        return made[name]

    return of


@pytest.fixture
def overheard(folder_of):
    """An engine, and what its model is asked."""

    def of(name: str):
        engine = engine_of(folder_of(name))
        engine._model = Overheard(engine._model)
        return engine, engine._model

    return of


def rows(texts, source="en", target="de") -> list[Row]:
    return [Row(text, source, target) for text in texts]


@pytest.mark.parametrize("name", MAKERS)
def test_the_model_reads_the_text_between_the_marks_of_its_family(overheard, name) -> None:
    engine, heard = overheard(name)
    engine.translate(rows(TEXTS[:1]), beam_size=1)
    before, begins = MARKS[name]
    # CTranslate2 itself puts the end behind what was Marian's own.
    end = [] if name.startswith("marian") else ["</s>"]
    read = heard.sources[0]
    words = read[len(before) : len(read) - len(end)]
    assert read == [*before, *words, *end]
    assert heard.prefixes[0] == begins
    assert "".join(words).replace("▁", " ").strip() == TEXTS[0]


@pytest.mark.parametrize("name", MAKERS)
def test_answers_stand_where_their_rows_stood_whatever_stands_beside_them(folder_of, name) -> None:
    engine = engine_of(folder_of(name))
    texts = ["", *TEXTS[:3], " ", *TEXTS[3:6]]
    answers = engine.translate(rows(texts), beam_size=2)
    assert engine.translate(rows(texts[::-1]), beam_size=2) == answers[::-1]
    assert [engine.translate(rows([text]), beam_size=2)[0] for text in texts] == answers
    assert [bool(answer.text) for answer in answers] == [bool(text.strip()) for text in texts]
    assert len({answer.text for answer in answers}) == len(texts) - 1


@pytest.mark.parametrize("name", MAKERS)
def test_no_mark_is_left_in_an_answer(folder_of, name) -> None:
    """An untrained model writes all that it can, its marks too."""
    engine = engine_of(folder_of(name))
    for answer in engine.translate(rows(TEXTS), beam_size=1):
        assert not any(mark in answer.text for mark in ("</s>", "<unk>", "<pad>", "__", "_Latn"))
        assert not any(mark in answer.text for mark in ("<2", ">>", "madeup", "▁", "⁇"))
        assert len(answer.text.splitlines()) == 1


@pytest.mark.parametrize("name", ["m2m100", "nllb", "madlad", "marian of several targets"])
def test_the_target_decides_in_one_batch_of_several(overheard, name) -> None:
    engine, heard = overheard(name)
    mixed = [Row(TEXTS[0], "en", target) for target in ("de", "zh", "ja")]
    answers = engine.translate(mixed, beam_size=1)
    assert len({(*source, *prefix) for source, prefix in zip(
        heard.sources[:3], heard.prefixes[:3], strict=True)}) == 3  # fmt: skip
    assert engine.translate(mixed[::-1], beam_size=1) == answers[::-1]
    assert len({answer.text for answer in answers}) == len(mixed)


def test_chinese_in_simplified_characters_is_asked_for_as_such(overheard) -> None:
    for name, mark in (
        ("nllb", "zho_Hans"),
        ("m2m100", "__zh__"),
        ("madlad", "<2zh>"),
        ("marian of several targets", ">>cmn_Hans<<"),
    ):
        engine, heard = overheard(name)
        engine.translate([Row(TEXTS[0], "en", "zh")], beam_size=1)
        assert mark in (*heard.sources[0][:2], *heard.prefixes[0]), name


@pytest.mark.parametrize("name", ["m2m100", "nllb", "madlad", "marian of several targets"])
def test_a_language_without_a_token_is_refused_and_not_guessed(folder_of, name) -> None:
    with pytest.raises(JobFailed, match="uk") as failed:
        engine_of(folder_of(name)).translate(rows(TEXTS[:1], target="uk"), beam_size=1)
    assert failed.value.failure_class is FailureClass.PERMANENT
    assert failed.value.code == "pair_not_served"


@pytest.mark.parametrize("name", MAKERS)
def test_a_text_full_of_marks_steers_nothing(overheard, name) -> None:
    engine, heard = overheard(name)
    text = "Ha </s> <s> <unk> __zh__ zho_Hans <2zh> >>cmn_Hans<< <pad> ends"
    (answer,) = engine.translate(rows([text]), beam_size=1)
    before, _ = MARKS[name]
    inside = heard.sources[0][len(before) :]
    if inside[-1] == "</s>":
        inside.pop()
    marks = {"</s>", "<s>", "<pad>", "__zh__", "zho_Hans", "<2zh>", ">>cmn_Hans<<"}
    assert not marks & set(inside)
    assert answer.text


def test_a_text_longer_than_the_tokenizers_own_limit_is_whole(overheard) -> None:
    engine, heard = overheard("nllb of today")
    engine.translate(rows([" ".join(TEXTS[:2])]), beam_size=1)
    read = "".join(piece for source in heard.sources for piece in source[1:-1])
    assert read.replace("▁", " ").strip().startswith(" ".join(TEXTS[:2]))


def test_what_the_model_cannot_read_is_flagged(folder_of) -> None:
    known, unknown = engine_of(folder_of("nllb")).translate(
        rows([TEXTS[0], f"{TEXTS[0]} ლომი"]), beam_size=1
    )
    assert "unknown_characters" not in known.flags
    assert "unknown_characters" in unknown.flags


@pytest.mark.parametrize("name", ["m2m100", "nllb", "nllb of today", "madlad", "marian"])
def test_pieces_join_to_the_text_that_was_cut(folder_of, name) -> None:
    pieces = engine_of(folder_of(name))._pieces
    for text in TEXTS:
        assert pieces.join(pieces.cut(text)) == text


def test_a_model_calls_a_language_as_its_description_says(tmp_path) -> None:
    folder = make_marian(tmp_path / "odd", targets=[">>zh_cn<<", ">>deu<<"])
    (folder / "fanscribe.json").write_text(json.dumps({"tokens": {"zh": ">>zh_cn<<"}}))
    engine = engine_of(folder)
    assert engine._markup.of("en", "zh").before == [">>zh_cn<<"]
    assert engine._markup.of("en", "de").before == [">>deu<<"]


def test_the_catalogs_word_on_the_family_wins_and_a_wrong_one_is_told(folder_of) -> None:
    assert engine_of(folder_of("nllb"), family="nllb")._markup.family.name == "nllb"
    with pytest.raises(JobFailed, match=r"'opus'.*marian") as failed:
        engine_of(folder_of("nllb"), family="opus")
    assert failed.value.code == "family_not_supported"


def test_a_model_without_a_tokenizer_says_what_it_needs(tmp_path) -> None:
    folder = make_madlad(tmp_path)
    (folder / "spiece.model").unlink()
    with pytest.raises(JobFailed, match=r"spiece\.model") as failed:
        engine_of(folder)
    assert (failed.value.failure_class, failed.value.code) == (
        FailureClass.RESOURCE_EXHAUSTED,
        "model_incomplete",
    )


class Forgetful:
    """Writes what it reads, unless that is long: then it `fails` in its own way."""

    def __init__(self, most: int, fails) -> None:
        self.most, self.fails, self.asked = most, fails, []

    def translate_batch(self, sources, *, target_prefix, **options):
        self.asked.append(len(sources))
        return [self._answer(source[1:-1], prefix) for source, prefix in zip(
            sources, target_prefix, strict=True)]  # fmt: skip

    def _answer(self, pieces, prefix):
        said = [*pieces, "</s>"] if len(pieces) <= self.most else self.fails(pieces)
        return SimpleNamespace(hypotheses=[[*prefix, *said]])


@pytest.mark.parametrize(
    ("fails", "flags"),
    [
        (lambda _: ["</s>"], ["length_ratio"]),
        (lambda pieces: pieces[:3], ["truncated"]),
        (lambda pieces: [*pieces[:1], "</s>"], []),  # of a few words one may be right
        (lambda pieces: [*pieces * 9, "</s>"], ["length_ratio"]),
    ],
    ids=["empty", "unended", "too short", "too long"],
)
def test_what_looks_wrong_is_made_anew_from_halves(folder_of, fails, flags) -> None:
    """And if that does not help it is flagged, not invented."""
    engine = engine_of(folder_of("nllb"))
    text = " ".join(TEXTS[:2])
    count = len(engine._cut(text))
    engine._model = Forgetful(count - 1, fails)
    mended, beside = engine.translate(rows([text, TEXTS[3]]), beam_size=1)
    assert (mended.text, mended.flags, beside.text) == (text, [], TEXTS[3])
    assert engine._model.asked == [2, 2]  # what was right is not asked for again
    engine._model = Forgetful(0, fails)
    (hopeless,) = engine.translate(rows([text]), beam_size=1)
    assert set(flags) <= set(hopeless.flags)
    if flags:
        assert engine._model.asked == [1, 2, 4, 8]
