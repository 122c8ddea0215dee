"""Simplified and Traditional characters, by the real OpenCC."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.grammar import sentences
from services.chinese import pieces_written_in, written_in

README = Path(__file__).resolve().parents[2] / "README.zh-CN.md"

# Texts with characters that stand for several in the other script.
BOTH = {
    "为了里面的头发，他出发了。": "為了裡面的頭髮，他出發了。",
    "皇后后面的面条": "皇后後面的麵條",
    "他着急地干了，干净的树干": "他著急地幹了，乾淨的樹幹",
    "著名作家吃着面条": "著名作家吃著麵條",
    "几只鸟在云里": "幾隻鳥在雲裡",
}


@pytest.mark.parametrize(("simplified", "traditional"), BOTH.items())
def test_each_script_becomes_the_other(simplified: str, traditional: str) -> None:
    assert written_in(simplified, "zh-Hant") == traditional
    assert written_in(traditional, "zh") == simplified


@pytest.mark.parametrize(
    ("mixed", "simplified"),
    [
        ("这个軟體是著名的", "这个软体是著名的"),
        ("爲了裏面，穿着衣服", "为了里面，穿着衣服"),  # as OpenCC and Hong Kong write it
        ("為了裡面，穿著衣服", "为了里面，穿着衣服"),
        ("Whisper 說 hello 3 次", "Whisper 说 hello 3 次"),
    ],
)
def test_what_a_speech_model_mixes_becomes_simplified(mixed: str, simplified: str) -> None:
    assert written_in(mixed, "zh") == simplified


def test_what_is_simplified_already_stays_as_it_is() -> None:
    known = [each.text("zh") for each in sentences(300, seed=5, held_out=True)]
    text = README.read_text(encoding="utf-8") + "\n".join(known)
    assert written_in(text, "zh") == text


@pytest.mark.parametrize("language", ["ja", "yue", "en", "und", ""])
def test_other_languages_are_left_alone(language: str) -> None:
    assert written_in("頭髪と头发", language) == "頭髪と头发"


@given(st.text(), st.sampled_from(["zh", "zh-Hant"]))
def test_a_character_stays_one_character_in_any_text(text: str, language: str) -> None:
    assert len(written_in(text, language)) == len(text)


def test_a_nul_ends_nothing_and_half_a_character_breaks_nothing() -> None:
    assert written_in("里\x00里\ud800里", "zh-Hant") == "裡\x00裡\ud800裡"
    assert written_in("", "zh") == ""


@given(
    st.lists(st.text(st.sampled_from("吃着面条著名后里发头 a"), max_size=3)),
    st.sampled_from(["zh", "zh-Hant"]),
)
def test_pieces_are_written_as_their_whole(pieces: list[str], language: str) -> None:
    made = pieces_written_in(pieces, language)
    assert "".join(made) == written_in("".join(pieces), language)
    assert [len(piece) for piece in made] == [len(piece) for piece in pieces]


def test_a_piece_by_itself_would_be_read_wrongly() -> None:
    assert pieces_written_in(["头", "发"], "zh-Hant") == ["頭", "髮"]
    assert written_in("发", "zh-Hant") == "發"
