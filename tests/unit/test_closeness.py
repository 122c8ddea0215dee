"""Texts with references as a folder holds them, and figures that can be worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sacrebleu

from services.client.evaluating.closeness import Score, Translated, of_model
from services.client.evaluating.parallel import Pair, read
from services.client.submitting import BadArguments


def cell(text: str | None, reference: str, language: str = "de", **more) -> Translated:
    known = {"name": "1", "source": "T", **more}
    return Translated(text=text, reference=reference, language=language, **known)


def score_of(*cells: Translated) -> Score:
    return of_model("m", cells)


def test_chrf_is_the_mean_of_the_shares_of_runs_that_agree() -> None:
    # one character: 3 of 4; two: 2 of 3; three: 1 of 2; four: 0 of 1
    by_hand = 100 * (3 / 4 + 2 / 3 + 1 / 2 + 0) / 4
    score = score_of(cell("abcd", "abce"))
    assert score.languages[0].chrf == score.translated[0].chrf == round(by_hand, 2) == 47.92


def test_bleu_is_the_geometric_mean_of_the_shares_of_runs_of_words() -> None:
    by_hand = 100 * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert score_of(cell("a b c d e", "a b c d f")).bleu == round(by_hand, 2) == 66.87


@pytest.mark.parametrize(
    ("language", "cut", "text", "reference"),
    [
        ("de", "13a", "Der Hund schläft, sagt Anna.", "Der Hund schläft nicht, sagt Anna."),
        ("zh", "zh", "黑色的狗正在椅子下面睡觉。", "黑色的狗在桌子下面睡觉。"),
        ("zh-Hant", "zh", "黑色的狗正在椅子下面睡覺。", "黑色的狗在桌子下面睡覺。"),
        ("th", "char", "สวัสดีครับ", "สวัสดีค่ะ"),
        ("ja", "char", "黒い犬が椅子の下で寝ている。", "黒い犬が机の下で寝ている。"),
    ],
)
def test_figures_are_those_of_sacrebleu_as_their_signature_says(
    language: str, cut: str, text: str, reference: str
) -> None:
    (told,) = score_of(cell(text, reference, language)).languages
    bleu = sacrebleu.corpus_bleu([text], [[reference]], tokenize=cut).score
    assert told.bleu == round(bleu, 2)
    assert told.chrf == round(sacrebleu.corpus_chrf([text], [[reference]]).score, 2)
    assert f"|tok:{cut}|" in told.bleu_signature
    assert "|nc:6|" in told.chrf_signature


def test_languages_and_sources_are_told_apart_and_what_failed_counts_in_no_figure() -> None:
    score = score_of(
        cell("gut", "gut", flags={"length_ratio": 1}),
        cell("gut", "gut", source="A"),
        cell(None, "好", "zh", code="pair_not_served"),
        cell("abcd", "abce", "fr"),
    )
    assert [(e.language, e.source, e.chrf, e.flagged, e.failed) for e in score.languages] == [
        ("de", "T", 100.0, 1, 0), ("de", "A", 100.0, 0, 0), ("zh", "T", None, 0, 1),
        ("fr", "T", 47.92, 0, 0),
    ]  # fmt: skip
    assert score.chrf == round((100 + 100 + 47.92) / 3, 2)
    assert [each.code for each in score.failed] == ["pair_not_served"]
    nothing = score_of(cell(None, "好"))
    assert (nothing.chrf, nothing.bleu) == (None, None)


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def test_a_table_has_a_column_for_each_language(tmp_path: Path) -> None:
    table = "text\tzh-Hant\tlanguage\tde\taudio\nOne.\t一。\ten\t\t1.wav\nZwei.\t二。\tde\tZwei.\n"
    folder = written(tmp_path, references_tsv=table, **{"1_wav": "x"})
    assert read(folder, ["zh-Hant", "de"], None) == [
        Pair("2", "One.", "en", {"zh-Hant": "一。"}, folder / "1.wav"),
        Pair("3", "Zwei.", "de", {"zh-Hant": "二。"}),
    ]


def test_a_list_of_objects_may_lack_a_language_in_some(tmp_path: Path) -> None:
    rows = [{"text": "One.", "zh": "一。", "ja": "一。"}, {"text": "Two.", "ja": "二。"}]
    folder = written(tmp_path, references_jsonl="\n".join(map(json.dumps, rows)))
    assert [each.references for each in read(folder, ["zh", "ja"], "en")] == [
        {"zh": "一。", "ja": "一。"}, {"ja": "二。"}
    ]  # fmt: skip


def test_a_file_of_lines_for_each_language_is_as_good(tmp_path: Path) -> None:
    folder = written(tmp_path, en_txt="One.\n\nTwo.\n", de_txt="Eins.\n\nZwei.\n")
    assert read(folder, ["de"], "en") == [
        Pair("1", "One.", "en", {"de": "Eins."}), Pair("3", "Two.", "en", {"de": "Zwei."})
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("files", "language", "says"),
    [
        ({}, "en", "is not there"),
        ({"en_txt": "One."}, None, "--language"),
        ({"en_txt": "One.\nTwo.", "de_txt": "Eins."}, "en", "has 1 lines"),
        ({"en_txt": "One.\nTwo.", "de_txt": "Eins.\n "}, "en", "Line 2 is blank"),
        ({"en_txt": "", "de_txt": ""}, "en", "no text"),
        ({"references_tsv": "text\tde\nOne.\tEins."}, None, "say its language"),
        ({"references_tsv": "text\tde\nOne.\t"}, "en", "nothing to hold"),
        ({"references_tsv": "text\tde\n\tEins."}, "en", "no text"),
        ({"references_tsv": "One.\tEins."}, "en", "name the columns"),
        ({"references_tsv": "text\tde\taudio\nOne.\tEins.\t1.wav"}, "en", "is no file"),
        ({"references_jsonl": "[]"}, "en", "write an object"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(tmp_path, files, language, says) -> None:
    with pytest.raises(BadArguments, match=says):
        read(written(tmp_path, **files), ["de"], language)
