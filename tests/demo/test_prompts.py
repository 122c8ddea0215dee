"""What stands before a training window is what a worker would write there."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from faster_whisper.tokenizer import Tokenizer

from demo.names import is_held_out, names
from demo.train import tokens as tk
from demo.train.clips import Clip, Pool
from demo.train.prompts import MOST_TERMS, Prompter, written
from demo.train.tokens import SHIPPED, Vocabulary
from demo.train.windows import RATE, Window
from services.model.hotwords import ROOM, Hotwords, Term
from whisper_worker.engines.readings import Whisper
from whisper_worker.hotwords import hint

SAID_BEFORE = "Yesterday the teacher washed the blanket in the park."


@cache
def _whisper() -> Whisper:
    return Whisper(str(SHIPPED), device="cpu", compute_type="int8", cpu_threads=1)


def _as_a_worker(terms: list[str], prompt: str) -> list[int]:
    """What the engine gives the decoder, by the way that a task's terms and prompt go."""
    whisper = _whisper()
    tokenizer = Tokenizer(whisper.hf_tokenizer, multilingual=True, task="transcribe", language="en")

    def count(text: str) -> int:
        return len(tokenizer.encode(text))

    wanted = Hotwords(terms=[Term(text=term) for term in terms]) if terms else None
    hints = hint(prompt, [], wanted, count)
    before = tokenizer.encode(f" {hints.prompt}") if hints.prompt else []
    return list(whisper.get_prompt(tokenizer, before, hotwords=hints.hotwords))


@pytest.mark.parametrize("number", [0, 1, MOST_TERMS, 90])
@pytest.mark.parametrize("prompt", ["", SAID_BEFORE])
def test_terms_and_text_stand_there_token_for_token_as_a_worker_writes_them(
    number: int, prompt: str, shipped_vocabulary: Vocabulary
) -> None:
    terms = names(number, seed=3, held_out=False)
    text = shipped_vocabulary.encode(f" {prompt}") if prompt else []
    opening = [tk.START, tk.LANGUAGE_TOKENS["en"], tk.TRANSCRIBE]
    mine = [*written(shipped_vocabulary, terms, text), *opening]
    theirs = _as_a_worker(terms, prompt)
    if number < 90:
        assert mine == theirs
    else:  # of the text, a worker keeps whole what it can count; training takes any end of it
        assert mine[:200] == theirs[:200]
        assert len(mine) <= ROOM + 1 + len(opening)


def test_of_a_long_text_the_end_is_kept(shipped_vocabulary: Vocabulary) -> None:
    text = shipped_vocabulary.encode(f" {SAID_BEFORE}" * 40)
    before = written(shipped_vocabulary, ["Kanwick"], text)
    assert len(before) == ROOM + 1
    assert before[-30:] == text[-30:]
    assert before[: 1 + 2] == [tk.PREVIOUS, *shipped_vocabulary.encode(" Kanwick")]


def test_the_position_table_has_room_for_a_full_prompt_and_a_full_window() -> None:
    assert ROOM + 1 + 224 <= 448


def _window(*clips: Clip, language: str = "en") -> Window:
    spans = [(float(at), float(at) + 1, clip, True) for at, clip in enumerate(clips)]
    return Window(language, np.zeros(30 * RATE, np.float32), 30 * RATE, 0, spans)


def test_told_terms_hold_a_name_that_is_said_and_others_none(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    prompter, chance = Prompter(shipped_vocabulary, spoken_pool), random.Random(1)
    clips = spoken_pool.named[:3]
    said = {clip.name for clip in clips}
    alone = 0
    for _ in range(150):
        told = prompter.terms(_window(*clips), chance, told=True)
        untold = prompter.terms(_window(*clips), chance, told=False)
        assert said & set(told)
        assert not said & set(untold)
        assert len(set(told)) == len(told)
        alone += not said >= set(told)
    assert alone > 100  # among others, mostly


@pytest.mark.parametrize("language", ["en", "zh"])
def test_told_terms_hold_a_stretch_of_what_is_said_where_it_has_no_name(
    language: str, shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    prompter, chance = Prompter(shipped_vocabulary, spoken_pool), random.Random(2)
    clip = spoken_pool.clips[language][0]
    window = _window(clip, language=language)
    for _ in range(100):
        told = prompter.terms(window, chance, told=True)
        assert any(term in clip.text for term in told)
        untold = prompter.terms(window, chance, told=False)
        assert not any(term.lower() in clip.text.lower() for term in untold)


def test_most_windows_have_nothing_before_them_and_none_a_name_that_is_held_out(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    prompter, chance = Prompter(shipped_vocabulary, spoken_pool), random.Random(3)
    windows = [
        _window(spoken_pool.named[0]),
        _window(spoken_pool.clips["zh"][0], language="zh"),
        _window(),
    ]
    drawn = [prompter.draw(windows[number % 3], chance) for number in range(300)]
    assert 0.35 < sum(not before for before in drawn) / len(drawn) < 0.55
    for before in filter(None, drawn):
        assert before[0] == tk.PREVIOUS
        assert 1 < len(before) <= ROOM + 1
        assert not {tk.START, tk.END, tk.NO_TIMESTAMPS, tk.PREVIOUS} & set(before[1:])
        text = shipped_vocabulary.tokenizer.decode([t for t in before if t < tk.END])
        terms = text.split(", ") if "." not in text else []
        assert not any(is_held_out(term.strip()) for term in terms if term.strip().istitle())


def test_a_text_that_was_heard_before_has_its_times_in_order(
    shipped_vocabulary: Vocabulary, spoken_pool: Pool
) -> None:
    prompter, chance = Prompter(shipped_vocabulary, spoken_pool), random.Random(4)
    texts = [prompter.text(language, chance) for language in ("en", "zh") for _ in range(60)]
    timed = [text for text in texts if text[0] >= tk.FIRST_TIME]
    assert len(timed) > 20
    for text in timed:
        times = [token for token in text if token >= tk.FIRST_TIME]
        assert times == sorted(times)
        assert text[-1] == times[-1] < tk.FIRST_TIME + tk.TIMES
    foreign = [text for text in texts if not set(text) <= set(shipped_vocabulary.compact)]
    assert foreign  # of tokens that the model does not know


def test_the_same_chance_draws_the_same(shipped_vocabulary: Vocabulary, spoken_pool: Pool) -> None:
    prompter = Prompter(shipped_vocabulary, spoken_pool)
    window = _window(*spoken_pool.named[:2])
    first, second = (
        [prompter.draw(window, chance) for _ in range(30)]
        for chance in (random.Random(5), random.Random(5))
    )
    assert first == second
