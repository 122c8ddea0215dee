from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whisper_worker.bare_words import bare_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, WORLD!", ["hello", "world"]),
        ("ＡＢＣ　１２３", ["abc", "123"]),
        ("ﬁne ｶﾞｽ", ["fine", "ガ", "ス"]),
        ("don't don’t dont donʼt don´t", ["dont"] * 5),
        ("well-known 3.14 1,000", ["well", "known", "3", "14", "1", "000"]),
        ("co\u00adoperate \ufeffnow", ["cooperate", "now"]),
        ("e\u0301t\u00e9", ["été"]),
        ("今天 天气。很好", list("今天天气很好")),
        ("我用Kubernetes跑job", ["我", "用", "kubernetes", "跑", "job"]),
        ("น้ำ", ["น้ํ", "า"]),  # a mark stands with the letter before it
        ("Straße", ["strasse"]),
        ("한국어 좋다", ["한국어", "좋다"]),
        ("... — !", []),
    ],
)
def test_words_are_bare(text: str, words: list[str]) -> None:
    assert bare_words(text).words == words


def test_each_word_knows_where_it_stands_as_it_is_written() -> None:
    text = "  “Don’t,” said ＡＢＣ 今天."
    found = bare_words(text)
    assert [text[start:end] for start, end in found.spans] == [
        "Don’t",
        "said",
        "ＡＢＣ",
        "今",
        "天",
    ]


def test_letters_have_spaces_where_the_text_parts_words() -> None:
    found = bare_words("Use 今天 now, 好吗")
    assert found.letters(spaced=True) == ("use 今天 now 好吗", [0, 4, 5, 7, 11, 12])
    assert found.letters(spaced=False) == ("use今天now好吗", [0, 3, 4, 5, 8, 9])
    assert found.unspaced == 4


@given(st.text())
def test_no_text_says_other_letters_than_it_does_as_a_whole(text: str) -> None:
    """Taking a text apart to know where its letters stand must not change them."""
    for apostrophe in "'’‘ʼʻ`´＇":
        text = text.replace(apostrophe, "")
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(c for c in plain if unicodedata.category(c)[0] in "LMN" and c not in "ʼʻ")
    assert "".join(bare_words(text).words) == letters


@given(st.text())
def test_words_stand_in_order_and_within_the_text(text: str) -> None:
    found = bare_words(text)
    edges = [edge for span in found.spans for edge in span]
    assert all(0 <= edge <= len(text) for edge in edges)
    assert [start for start, _ in found.spans] == sorted(start for start, _ in found.spans)
    assert len(found.words) == len(found.spans) == len(found.parted)
    assert all(found.words)
