from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from whisper_worker.aligning import Run, align, align_letters, count, cuts

SMALL = 40_000  # a window of 200 words against 200


def wrong(runs: Iterable[Run]) -> int:
    edits = count(runs, 0)
    return edits.substitutions + edits.insertions + edits.deletions


def covers(runs: Sequence[Run], expected: Sequence[int], found: Sequence[int]) -> bool:
    """Every word of both stands in one run, in order, and equal runs are equal."""
    at = heard_at = 0
    for run in runs:
        if (run.start, run.heard_start) != (at, heard_at):
            return False
        at, heard_at = run.end, run.heard_end
        mine, theirs = expected[run.start : run.end], found[run.heard_start : run.heard_end]
        if run.kind == "equal" and list(mine) != list(theirs):
            return False
    return (at, heard_at) == (len(expected), len(found))


def said(words: Sequence[int], chance: random.Random, share: float) -> list[int]:
    """As somebody hears it who now and then hears another word, none, or one too many."""
    heard = []
    for word in words:
        draw = chance.random()
        if draw >= share / 3:
            heard.append(word if draw >= 2 * share / 3 else chance.randrange(500))
        if 2 * share / 3 <= draw < share:
            heard.append(chance.randrange(500))
    return heard


def a_script(chance: random.Random, length: int) -> list[int]:
    """Some of its words are frequent."""
    return [int(500 * chance.random() ** 2) for _ in range(length)]


@pytest.mark.parametrize(
    ("expected", "found", "edits"),
    [
        ([1, 2, 3, 4], [1, 5, 3, 4], (3, 1, 0, 0)),
        ([1, 2, 3], [1, 2, 3, 4, 5], (3, 0, 2, 0)),
        ([1, 2, 3], [3], (1, 0, 0, 2)),
        ([], [1], (0, 0, 1, 0)),
        ([], [], (0, 0, 0, 0)),
    ],
)
def test_edits_are_counted_by_kind(expected, found, edits):
    runs = list(align(expected, found))
    got = count(runs, len(expected))
    assert (got.hits, got.substitutions, got.insertions, got.deletions) == edits
    assert got.length == len(expected)
    assert covers(runs, expected, found)


@settings(max_examples=60, deadline=None)
@example(seed=30668, length=3999, share=0.1, times=2)
@example(seed=611, length=3999, share=0.1, times=2)
@given(
    seed=st.integers(),
    length=st.integers(0, 4000),
    share=st.sampled_from([0.0, 0.03, 0.1]),
    times=st.sampled_from([1, 0, 2]),
)
def test_windows_find_as_few_differences_as_one_exact_alignment(seed, length, share, times):
    """A chapter of the script was read, left out, or read twice."""
    chance = random.Random(seed)
    script = a_script(chance, length)
    start = chance.randrange(length + 1)
    end = min(length, start + chance.randrange(250))
    heard = said([*script[:start], *script[start:end] * times, *script[end:]], chance, share)

    runs = list(align(script, heard, largest=250_000))

    assert covers(runs, script, heard)
    least = Levenshtein.distance(script, heard)
    if times < 2:
        assert wrong(runs) == least
    else:  # which words of which of two readings to keep is once in a while decided otherwise
        assert least <= wrong(runs) <= least + 2


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(), share=st.sampled_from([0.0, 0.03, 0.1, 0.3]))
def test_a_chapter_read_twice_that_is_longer_than_a_window_costs_a_few_words(seed, share):
    chance = random.Random(seed)
    script = a_script(chance, 2000)
    heard = said([*script[:1500], *script[500:]], chance, share)

    runs = list(align(script, heard, largest=SMALL))

    assert covers(runs, script, heard)
    least = Levenshtein.distance(script, heard)
    assert least <= wrong(runs) <= 1.05 * least


@settings(max_examples=60, deadline=None)
@given(
    expected=st.lists(st.integers(0, 6), max_size=400),
    found=st.lists(st.integers(0, 6), max_size=400),
    largest=st.integers(1, 5000),
)
def test_windows_never_lose_a_word_however_little_both_share(expected, found, largest):
    runs = list(align(expected, found, largest=largest))
    assert covers(runs, expected, found)
    assert wrong(runs) >= Levenshtein.distance(expected, found)


def test_letters_are_aligned_between_words_that_are_equal():
    chance = random.Random(3)
    words = ["".join(chance.choices("abcdefgh", k=chance.randrange(1, 9))) for _ in range(1500)]
    numbers: dict[str, int] = {}
    known = [numbers.setdefault(word, len(numbers)) for word in words]
    names = list(numbers)
    heard_words = [names[number % len(names)] for number in said(known, chance, 0.1)]
    heard = [numbers[word] for word in heard_words]
    begins = [sum(map(len, words[:at])) + at for at in range(len(words))]
    heard_begins = [sum(map(len, heard_words[:at])) + at for at in range(len(heard_words))]
    text, heard_text = " ".join(words), " ".join(heard_words)
    both = [(begins[at], heard_begins[there]) for at, there in cuts(align(known, heard))]

    windows: list[int] = []
    runs = list(
        align_letters(text, heard_text, both, largest=SMALL, pause=lambda: windows.append(1))
    )

    assert len(windows) > 10
    assert wrong(runs) == Levenshtein.distance(text, heard_text)


def test_no_window_is_larger_than_allowed_even_where_nothing_is_shared():
    chance = random.Random(5)
    expected = [chance.randrange(1_000_000) for _ in range(3000)]
    found = [-1 - each for each in expected[:2000]]
    windows: list[int] = []
    runs = list(align(expected, found, largest=SMALL, pause=lambda: windows.append(1)))
    assert covers(runs, expected, found)
    assert len(windows) >= 3000 * 2000 // SMALL // 13  # even pieces of 1/13 of both
