"""The code book is for ever: this page holds what was published, and only ever grows."""

from __future__ import annotations

import pytest

from services.model.codebook import BOOK, CODEBOOK_VERSION, code_of, language_of
from services.model.languages import LANGUAGES

VERSION_1 = """
    1 zh · 2 en · 3 ja · 4 de · 5 fr · 6 es · 7 ko · 8 zh-Hant · 9 ru · 10 pt · 11 it · 12 ar ·
    13 hi · 14 af · 15 am · 16 as · 17 az · 18 ba · 19 be · 20 bg · 21 bn · 22 bo · 23 br ·
    24 bs · 25 ca · 26 cs · 27 cy · 28 da · 29 el · 30 et · 31 eu · 32 fa · 33 fi · 34 fil ·
    35 fo · 36 gl · 37 gu · 38 ha · 39 haw · 40 he · 41 hr · 42 ht · 43 hu · 44 hy · 45 id ·
    46 is · 47 jv · 48 ka · 49 kk · 50 km · 51 kn · 52 la · 53 lb · 54 ln · 55 lo · 56 lt ·
    57 lv · 58 mg · 59 mi · 60 mk · 61 ml · 62 mn · 63 mr · 64 ms · 65 mt · 66 my · 67 ne ·
    68 nl · 69 nn · 70 no · 71 oc · 72 pa · 73 pl · 74 ps · 75 ro · 76 sa · 77 sd · 78 si ·
    79 sk · 80 sl · 81 sn · 82 so · 83 sq · 84 sr · 85 su · 86 sv · 87 sw · 88 ta · 89 te ·
    90 tg · 91 th · 92 tk · 93 tr · 94 tt · 95 uk · 96 ur · 97 uz · 98 vi · 99 yi · 100 yo ·
    101 yue
"""


def test_the_numbers_of_version_1_never_change() -> None:
    published = {
        int(code): language
        for code, _, language in (entry.strip().partition(" ") for entry in VERSION_1.split("·"))
    }
    assert dict(list(BOOK.items())[: len(published)]) == published, "numbers are append-only"
    assert len(BOOK) == len(published), "raise the version, and write its numbers down here as well"
    assert CODEBOOK_VERSION == 1


def test_chinese_is_1_and_english_is_2() -> None:
    assert (code_of("zh"), code_of("en")) == (1, 2)


def test_every_language_has_one_number_and_comes_back_from_it() -> None:
    assert sorted(BOOK.values()) == sorted(LANGUAGES)
    assert all(language_of(code_of(language)) == language for language in LANGUAGES)


def test_numbers_have_no_gaps() -> None:
    assert list(BOOK) == list(range(1, len(BOOK) + 1))


@pytest.mark.parametrize("alias", ["jp", "zh-Hans", "EN", ""])
def test_only_canonical_tags_have_a_number(alias: str) -> None:
    with pytest.raises(KeyError, match="has no number for"):
        code_of(alias)


def test_an_unknown_number_may_be_from_a_newer_book() -> None:
    with pytest.raises(KeyError, match="a newer book may"):
        language_of(100_000)
