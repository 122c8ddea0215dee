"""What a folder of audio and words holds, and what its items come to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from services.client.evaluating.corpus import read
from services.client.evaluating.scores import Heard, latency, of_item, of_model
from services.client.submitting import BadArguments
from services.client.views import ItemView
from services.model.transcript import Check, Edits


@pytest.fixture
def a_folder(tmp_path: Path):
    """Holds these files; audio is anything."""

    def make(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        return tmp_path

    return make


def test_words_stand_beside_their_audio(a_folder):
    folder = a_folder(b_mp3="x", b_txt="\ufeffWords of b.\n", a_wav="x", a_txt="Of a.", c_ogg="x")
    corpus = read(folder, "en")
    assert [(each.name, each.text, each.language) for each in corpus.samples] == [
        ("a.wav", "Of a.", "en"),
        ("b.mp3", "Words of b.", "en"),
    ]
    assert corpus.silent == ["c.ogg"]


def test_a_table_lists_them_with_or_without_names_of_columns(a_folder):
    rows = '1.mp3\tOne "quoted" word\tde\n2.mp3\tTwo\n'
    folder = a_folder(**{"1_mp3": "x", "2_mp3": "x", "references_tsv": rows})
    (quoted, plain) = read(folder, "en").samples
    assert (quoted.text, quoted.language, plain.language) == ('One "quoted" word', "de", "en")
    named = "language\taudio\ttext\nzh\t1.mp3\t一\n\n"
    (only,) = read(a_folder(references_tsv=named), None).samples
    assert (only.text, only.language) == ("一", "zh")


def test_a_list_of_objects_may_name_files_in_folders_below(a_folder):
    rows = [
        {"audio": "deep/1.mp3", "text": "One"},
        {"audio": "2.mp3", "text": "", "language": "ja"},
    ]
    folder = a_folder(**{"2_mp3": "x", "references_jsonl": "\n".join(map(json.dumps, rows))})
    (folder / "deep").mkdir()
    (folder / "deep" / "1.mp3").write_text("x")
    samples = read(folder, "en").samples
    assert [(each.name, each.language) for each in samples] == [
        ("2.mp3", "ja"),
        ("deep/1.mp3", "en"),
    ]


@pytest.mark.parametrize(
    ("files", "language", "says"),
    [
        ({"1_mp3": "x"}, "en", "no audio with its words"),
        ({"1_mp3": "x", "1_txt": "One"}, None, "--language"),
        ({"references_tsv": "1.mp3\tOne"}, "en", "is no file"),
        ({"1_mp3": "x", "references_tsv": "1.mp3\tOne\n1.mp3\tTwo"}, "en", "twice"),
        ({"1_mp3": "x", "references_tsv": "1.mp3\tOne\ten\tmore"}, "en", "more columns"),
        ({"1_mp3": "x", "references_tsv": "1.mp3"}, "en", "name an audio and its text"),
        ({"1_mp3": "x", "references_jsonl": "{"}, "en", "no JSON"),
        ({"1_mp3": "x", "references_jsonl": "[]"}, "en", "write an object"),
        ({"1_mp3": "x", "references_jsonl": "", "references_tsv": ""}, "en", "two lists"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(a_folder, files, language, says):
    with pytest.raises(BadArguments, match=says):
        read(a_folder(**files), language)


def test_what_is_no_folder_and_no_utf8_says_so(tmp_path: Path):
    with pytest.raises(BadArguments, match="no folder"):
        read(tmp_path / "none", "en")
    (tmp_path / "1.mp3").write_text("x")
    (tmp_path / "1.txt").write_bytes("Größe".encode("latin-1"))
    with pytest.raises(BadArguments, match="not UTF-8"):
        read(tmp_path, "en")


def heard(name: str, wrong: int, length: int, seconds: float) -> Heard:
    edits = Edits(
        hits=length - wrong, substitutions=wrong, insertions=0, deletions=0, length=length
    )
    rate = wrong / length
    check = Check(wer=rate, cer=rate, rate=rate, words=edits, characters=edits)
    return Heard(name=name, language="en", duration=seconds, engine_seconds=0.1, check=check)


def test_rates_are_of_all_files_as_one_text():
    score = of_model("m", [heard("1", 5, 10, 2.0), heard("2", 0, 90, 18.0)], [])
    assert (score.wer, score.cer, score.words.length) == (0.05, 0.05, 100)
    assert (score.audio_seconds, score.engine_seconds, score.real_time_factor) == (20.0, 0.2, 0.01)
    assert score.latency is None
    assert score.failed == []


def test_a_file_that_failed_counts_in_no_rate_and_is_told():
    broken = Heard(name="2", language="en", duration=9.0, code="bad_media", message="No audio.")
    score = of_model("m", [heard("1", 1, 10, 2.0), broken], [1.0])
    assert (score.files, score.wer, score.audio_seconds) == (2, 0.1, 2.0)
    assert [each.code for each in score.failed] == ["bad_media"]
    nothing = of_model("m", [broken], [])
    assert (nothing.wer, nothing.real_time_factor) == (None, None)


def test_latency_is_told_by_mean_and_nearest_rank():
    found = latency([0.5, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 10.0])
    assert found is not None
    assert (found.requests, found.mean_s, found.p50_s, found.p95_s) == (10, 1.45, 0.5, 10.0)
    assert latency([2.0]) == latency([2.0, 2.0]).model_copy(update={"requests": 1})


def test_an_item_tells_why_it_failed():
    error = {"code": "bad_media", "message": "This is no audio."}
    cells = {"en": {"A": {"state": "failed", "error": error}, "T": {"state": "done"}}}
    item = ItemView.model_validate({"text_id": "1", "cells": cells})
    found = of_item("1.mp3", "en", item)
    assert (found.check, found.code, found.message) == (None, "bad_media", "This is no audio.")
    cells["en"]["A"] = {"state": "cancelled"}
    stopped = of_item("1.mp3", "en", ItemView.model_validate({"text_id": "1", "cells": cells}))
    assert stopped.code == "cancelled"
