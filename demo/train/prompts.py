"""Draws what stands before a training window, in the tokens in which a worker writes it.

Almost half of the windows have nothing before them, so that a model that is told nothing stays what
it is. Others have terms, of which some are said or none, and others the text of what was said
before. So a model learns to take a name from there, and to leave there what nobody says.
"""

import random
import re
from collections.abc import Sequence

from demo.grammar import sentences
from demo.names import names, sisters
from demo.train import tokens as tk
from demo.train.clips import Clip, Pool
from demo.train.tokens import Vocabulary
from demo.train.windows import FRAMES_A_SECOND, RATE, Window
from services.model.hotwords import ROOM, fitting

SHARES = {"nothing": 40, "told": 40, "untold": 10, "text": 10}
MOST_TERMS = 10
MANY_TERMS, MANY_SHARE = 70, 0.05  # that many fill all the room there is
TERMS_OF = {"names": 6, "words": 2, "both": 2}
TEXT_OF = {"plain": 4, "timed": 4, "foreign": 2}
BOTH_SHARE = 0.25  # of the texts have terms before them
UNSPOKEN_LANGUAGES = ("de", "ja")


def written(vocabulary: Vocabulary, terms: Sequence[str], text: list[int]) -> list[int]:
    """As a worker writes it: terms, and of the text before as much of its end as there is room
    for. Nothing at all where there is neither."""
    kept, _, _ = fitting(terms, lambda term: len(vocabulary.encode(term)))
    told = vocabulary.encode(f" {f'{tk.LIST_SIGN} '.join(kept)}")[:ROOM] if kept else []
    room = ROOM - len(told)
    before = [*told, *(text[-room:] if room else [])]
    return [tk.PREVIOUS, *before] if before else []


class Prompter:
    """Draws from the sentences of a pool, and from all made-up names that are not held out."""

    def __init__(self, vocabulary: Vocabulary, pool: Pool) -> None:
        self.vocabulary, self.pool = vocabulary, pool

    def draw(self, window: Window, chance: random.Random) -> list[int]:
        """The tokens before this window, by the shares above."""
        kind = _choose(SHARES, chance)
        if kind == "nothing":
            return []
        if kind == "text":
            terms = self.terms(window, chance, told=False) if chance.random() < BOTH_SHARE else []
            return written(self.vocabulary, terms, self.text(window.language, chance))
        return written(self.vocabulary, self.terms(window, chance, told=kind == "told"), [])

    def terms(self, window: Window, chance: random.Random, *, told: bool) -> list[str]:
        """Of which some are said in the window, if they are `told` and anything is said there."""
        clips = [clip for _, _, clip, _ in window.spans]
        said = _said(clips, chance) if told else []
        most = MANY_TERMS if chance.random() < MANY_SHARE else MOST_TERMS
        count = max(1, chance.randint(1, most) - len(said))
        others = self._others(window.language, count, chance)
        terms = list(dict.fromkeys([*said, *(term for term in others if not _heard(term, clips))]))
        chance.shuffle(terms)
        return terms

    def _others(self, language: str, count: int, chance: random.Random) -> list[str]:
        made_up = names(count, seed=chance.getrandbits(32), held_out=False)
        kind = _choose(TERMS_OF, chance)
        if kind == "names":
            return made_up
        words = [_word(chance.choice(self.pool.clips[language]).text, chance) for _ in made_up]
        return words if kind == "words" else [chance.choice(pair) for pair in zip(words, made_up)]  # noqa: B905

    def text(self, language: str, chance: random.Random) -> list[int]:
        """What was said before: as a caller writes it, as it was heard with its times, or in
        another language, of which the model knows few tokens."""
        kind = _choose(TEXT_OF, chance)
        count = chance.randint(1, 4)
        if kind == "foreign":
            other = chance.choice(UNSPOKEN_LANGUAGES)
            drawn = sentences(count, seed=chance.getrandbits(32), held_out=False)
            return self.vocabulary.encode(f" {' '.join(each.text(other) for each in drawn)}")
        clips = [self.pool.draw(language, chance) for _ in range(count)]
        if kind == "timed":
            return self._timed(clips, chance)
        joint = " " if language == "en" else ""
        return self.vocabulary.encode(f" {joint.join(clip.text for clip in clips)}")

    def _timed(self, clips: list[Clip], chance: random.Random) -> list[int]:
        """The tokens that a window before this one was heard as."""
        tokens: list[int] = []
        at = chance.uniform(0, 2)
        for clip in clips:
            end = at + len(clip.audio) / RATE
            spoken = self.vocabulary.text_tokens(clip.text, clip.language)
            tokens += [_time(at), *spoken, _time(end)]
            at = end + chance.uniform(0.15, 1.5)
        return tokens


def _heard(term: str, clips: list[Clip]) -> bool:
    """Whether it, or what sounds the same, is said."""
    alike = {sister for clip in clips if clip.name for sister in sisters(clip.name)}
    said = " ".join(clip.text for clip in clips).lower()
    return term.lower() in said or not alike.isdisjoint(term.split())


def _said(clips: list[Clip], chance: random.Random) -> list[str]:
    """Terms that are heard: some of the names, or one or two words where there are none."""
    named = list(dict.fromkeys(clip.name for clip in clips if clip.name))
    if named:
        return chance.sample(named, chance.randint(1, len(named)))
    if not clips:
        return []
    return [_word(chance.choice(clips).text, chance) for _ in range(chance.choice((1, 2)))]


def _word(text: str, chance: random.Random) -> str:
    """A long word as it is spelt inside a sentence, or two or three characters in a row."""
    found = [word for word in re.findall(r"[A-Za-z]+", text)[1:] if len(word) > 3]
    if found:
        return chance.choice(found)
    bare = text.rstrip("。.")
    start = chance.randrange(max(1, len(bare) - 2))
    return bare[start : start + chance.choice((2, 3))]


def _time(seconds: float) -> int:
    return tk.FIRST_TIME + min(round(seconds * FRAMES_A_SECOND), tk.TIMES - 1)


def _choose(weights: dict[str, int], chance: random.Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
