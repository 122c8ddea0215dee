from __future__ import annotations

import jiwer
import pytest

from whisper_worker.check import compare


def test_case_width_and_punctuation_do_not_count() -> None:
    check = compare("Hello, world! ＡＢＣ", "hello world abc", "en")
    assert (check.wer, check.cer, check.rate) == (0.0, 0.0, 0.0)


def test_words_decide_where_words_are_spaced() -> None:
    check = compare("one two three four", "one too three four", "en")
    assert check.wer == 0.25
    assert check.rate == check.wer


@pytest.mark.parametrize("language", ["zh", "zh-Hant", "ja"])
def test_characters_decide_where_they_are_not(language: str) -> None:
    check = compare("今天天气很好。", "今天天汽很好", language)
    assert check.cer == pytest.approx(1 / 6, abs=1e-4)
    assert check.rate == check.cer


def test_nothing_against_nothing_is_equal_and_against_something_is_not() -> None:
    assert compare("", "", "en").rate == 0.0
    assert compare("...", "words", "en").rate == 1.0
    assert compare("two words", "", "en").rate == 1.0


def test_the_rates_are_those_of_jiwer() -> None:
    reference, heard = "the quick brown fox jumps over the dog", "a quick brown fox jump over dog"
    check = compare(reference, heard, "en")
    assert check.wer == pytest.approx(jiwer.wer(reference, heard), abs=1e-4)
    assert check.cer == pytest.approx(jiwer.cer(reference, heard), abs=1e-4)
