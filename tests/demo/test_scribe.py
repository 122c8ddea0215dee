"""What a training window reads and has to write, with and without a text before it."""

from __future__ import annotations

import dataclasses
import random

import numpy as np

from demo.train import tokens as tk
from demo.train.clips import Pool
from demo.train.prompts import written
from demo.train.scribe import IGNORE, SILENCE_LABEL, Scribe, labels
from demo.train.tokens import Vocabulary
from demo.train.windows import FRAMES_A_SECOND, RATE, Window, compose

FRAMES = 10 * FRAMES_A_SECOND


def _scribe(vocabulary: Vocabulary, pool: Pool) -> Scribe:
    clips = [*pool.named, *pool.clips["en"], *pool.clips["zh"]]
    return Scribe(vocabulary, *labels(clips))


def _window(pool: Pool, *, silent: bool = False) -> Window:
    clip = pool.named[0]
    end = 0.2 + len(clip.audio) / RATE
    spans = [] if silent else [(0.2, end, clip, True)]
    return Window("en", np.zeros(10 * RATE, np.float32), 10 * RATE, 0, spans)


def test_a_prompt_is_read_and_not_learnt_and_what_follows_it_is_as_without(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    scribe = _scribe(shipped_vocabulary, spoken_pool)
    plain = _window(spoken_pool)
    before = written(shipped_vocabulary, ["Kanwick", spoken_pool.named[0].name, "Vikwyn"], [])
    told = dataclasses.replace(plain, before=before)
    lines = scribe.lines([plain, told], FRAMES, random.Random(1))
    one, same = scribe.lines([plain], FRAMES, random.Random(1)), len(before)
    length = one.inputs.shape[1]
    assert lines.inputs.shape[1] == length + same
    assert list(lines.inputs[1, :same]) == shipped_vocabulary.numbers(before)
    assert set(lines.targets[1, :same]) == {IGNORE}  # its last one is followed by the start
    for name in ("inputs", "targets", "low", "high"):
        alone, behind = getattr(one, name)[0], getattr(lines, name)[1, same:]
        assert list(alone) == list(behind), name
        assert list(alone) == list(getattr(lines, name)[0, :length]), name
    assert set(lines.low[1, :same]) == {-1}
    assert set(lines.targets[0, length:]) == {IGNORE}


def test_each_token_of_a_name_that_was_told_knows_where_it_stands_before_the_window(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    scribe = _scribe(shipped_vocabulary, spoken_pool)
    name = spoken_pool.named[0].name
    told, other = (
        dataclasses.replace(
            _window(spoken_pool), before=written(shipped_vocabulary, ["Kanwick", *terms], [])
        )
        for terms in ([name, "Vikwyn"], ["Vikwyn"])
    )
    lines = scribe.lines([told, other, _window(spoken_pool)], FRAMES, random.Random(1))
    columns = np.flatnonzero(lines.told[0] >= 0)
    assert len(columns) == len(shipped_vocabulary.encode(f" {name}")) == 2
    for column in columns:
        place = lines.told[0, column]
        assert place < len(told.before)
        assert lines.inputs[0, place] == lines.targets[0, column]
    assert (lines.told[1:] == -1).all()


def test_the_first_thing_that_is_learnt_is_the_language(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    scribe = _scribe(shipped_vocabulary, spoken_pool)
    window = _window(spoken_pool)
    window.before = written(shipped_vocabulary, ["Kanwick"], [])
    lines = scribe.lines([window], FRAMES, random.Random(1))
    first = next(at for at, target in enumerate(lines.targets[0]) if target != IGNORE)
    start, language = shipped_vocabulary.numbers([tk.START, tk.LANGUAGE_TOKENS["en"]])
    assert lines.inputs[0, first] == start
    assert lines.targets[0, first] == lines.inputs[0, first + 1] == language
    assert lines.targets[0, -1] == shipped_vocabulary.numbers([tk.END])[0]


def test_silence_behind_a_prompt_is_no_speech(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    scribe = _scribe(shipped_vocabulary, spoken_pool)
    window = _window(spoken_pool, silent=True)
    window.before = written(shipped_vocabulary, ["Kanwick"], [])
    lines = scribe.lines([window], FRAMES, random.Random(1))
    first = len(window.before)
    silent, language = shipped_vocabulary.numbers([tk.NO_SPEECH, tk.LANGUAGE_TOKENS["en"]])
    assert lines.targets[0, first] == silent
    assert lines.inputs[0, first + 1] == language
    assert set(lines.words[0]) == {SILENCE_LABEL}


def test_tokens_that_the_demo_never_speaks_are_read_by_their_shared_row(
    shipped_vocabulary: Vocabulary,
) -> None:
    unknown = shipped_vocabulary.encode(" Quarterly 1987 %")
    assert not set(unknown) <= set(shipped_vocabulary.used)
    numbers = shipped_vocabulary.numbers(unknown)
    assert shipped_vocabulary.shared in numbers
    assert max(numbers) == shipped_vocabulary.shared == len(shipped_vocabulary.used) + tk.TIMES


def test_the_frames_of_a_name_are_asked_for_their_sounds_only(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    scribe = _scribe(shipped_vocabulary, spoken_pool)
    clip = spoken_pool.named[0]
    words, phonemes = scribe.frames(_window(spoken_pool), FRAMES)
    at = clip.text.index(clip.name)
    since, until, _ = next(word for word in clip.words if word[2] == at)
    middle = round((0.2 + (since + until) / 2) * FRAMES_A_SECOND)
    assert words[middle] == IGNORE
    assert phonemes[middle] > SILENCE_LABEL
    assert (words > SILENCE_LABEL).any()
    assert clip.name.lower() not in scribe.words.numbers


def test_every_token_of_a_sentence_has_the_offset_of_its_first_letter(
    shipped_vocabulary: Vocabulary,
) -> None:
    for text, language in (("Yesterday Tagivo ate.", "en"), ("老师把钥匙交给了汤姆。", "zh")):
        found = shipped_vocabulary.offsets(text, language)
        assert [token for token, _ in found] == shipped_vocabulary.text_tokens(text, language)
        for token, offset in found:
            piece = shipped_vocabulary.tokenizer.decode([token]).lstrip()
            assert "\ufffd" in piece or text.startswith(piece, offset)
        offsets = [offset for _, offset in found]
        assert offsets == sorted(offsets)


def test_windows_of_many_sentences_have_names_among_plain_ones(spoken_pool: Pool) -> None:
    windows = [compose(spoken_pool, random.Random(seed), 30, 0.0) for seed in range(16)]
    clips = [clip for window in windows for _, _, clip, _ in window.spans]
    named = sum(bool(clip.name) for clip in clips)
    assert 0 < named < len(clips) / 2
    assert all(clip.language == "en" for clip in clips if clip.name)
    assert max(len(window.spans) for window in windows) > 3
