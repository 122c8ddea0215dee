"""Writes what a window says: the tokens, the frames that they are read from, and labels of frames.

What stands before a window is read but not learnt: its targets are masked.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.train import tokens as tk
from demo.train.clips import Clip
from demo.train.tokens import Vocabulary
from demo.train.windows import FRAMES_A_SECOND, RATE, Window

IGNORE = -100
SILENCE_LABEL = 0
TIMED_SHARE = 0.85
END_S = 0.4  # wider than the filter that smooths attention before words are timed

Numbers = NDArray[np.int64]
Line = list[tuple[int, float, float]]


@dataclass
class Lines:
    """A row for each window; ``low`` and ``high`` bound the frames a token should be read from, -1
    where anything goes; ``told`` is the place in the row where the token that is to be written
    stands before the window, -1 where nobody told it; ``words`` and ``phonemes`` have a column for
    each frame."""

    inputs: Numbers
    targets: Numbers
    low: Numbers
    high: Numbers
    told: Numbers
    words: Numbers
    phonemes: Numbers


class Labels:
    """Numbers for the words and phonemes of frames; 0 is silence. Names, which are an open class,
    have none: nothing is asked of their frames."""

    def __init__(self, names: list[str]) -> None:
        self.numbers = {name: index + 1 for index, name in enumerate(sorted(set(names)))}

    def __len__(self) -> int:
        return len(self.numbers) + 1

    def __getitem__(self, name: str) -> int:
        return self.numbers.get(name, IGNORE)


def spoken_word(text: str, language: str, offset: int) -> str:
    """The word that starts at this offset, or the Chinese character there."""
    if language == "zh":
        return text[offset]
    return text[offset:].split(maxsplit=1)[0].rstrip(".").lower()


def labels(clips: list[Clip]) -> tuple[Labels, Labels]:
    """Of the words and of the phonemes in these clips."""
    words = {
        spoken_word(clip.text, clip.language, at) for clip in clips for _, _, at in clip.words
    } - {clip.name.lower() for clip in clips}
    sounds = {f"{clip.language}:{sound}" for clip in clips for _, _, sound in clip.phonemes}
    return Labels(list(words)), Labels(list(sounds))


class Scribe:
    """Writes with a vocabulary and these labels."""

    def __init__(self, vocabulary: Vocabulary, words: Labels, phonemes: Labels) -> None:
        self.vocabulary, self.words, self.phonemes = vocabulary, words, phonemes
        self._offsets: dict[str, list[tuple[int, int]]] = {}

    def tokens(self, window: Window, *, timed: bool) -> Line:
        """Each token with the seconds it is read from (-1 where anything goes)."""
        language = tk.LANGUAGE_TOKENS[window.language]
        silent = not window.spans
        out = [(tk.START, -1.0, -1.0), (tk.NO_SPEECH if silent else language, -1.0, -1.0)]
        out.append((tk.TRANSCRIBE, -1.0, -1.0))
        if not timed:
            out.append((tk.NO_TIMESTAMPS, -1.0, -1.0))
        elif silent:
            out.append((tk.FIRST_TIME, -1.0, -1.0))
        for start, end, clip, whole in window.spans:
            if timed:
                out.append(self._time(window, start))
            if timed and not whole:
                break
            for token, offset in self._located(clip):
                spot = bisect_right([at for _, _, at in clip.words], offset) - 1
                since, until, _ = clip.words[max(spot, 0)]
                if start + since > window.heard / RATE - 0.05:
                    break
                out.append((token, start + since, start + until))
            if timed:
                out.append(self._time(window, end))
        # word times end where the end of the text is read from, so it is told a place as well
        finished = bool(window.spans) and window.spans[-1][3]
        last = window.spans[-1][1] if finished else -1.0
        out.append((tk.END, last, last + END_S if finished else -1.0))
        return out

    def _time(self, window: Window, seconds: float) -> tuple[int, float, float]:
        index = min(round(seconds * FRAMES_A_SECOND) + window.first, tk.TIMES - 1)
        return tk.FIRST_TIME + index, seconds - 0.08, seconds + 0.08

    def _located(self, clip: Clip) -> list[tuple[int, int]]:
        if clip.text not in self._offsets:
            self._offsets[clip.text] = self.vocabulary.offsets(clip.text, clip.language)
        return self._offsets[clip.text]

    def frames(self, window: Window, count: int) -> tuple[Numbers, Numbers]:
        """The word and the phoneme of each frame."""
        words = np.full(count, SILENCE_LABEL, np.int64)
        phonemes = np.full(count, SILENCE_LABEL, np.int64)
        for start, _, clip, _ in window.spans:
            for since, until, offset in clip.words:
                name = spoken_word(clip.text, clip.language, offset)
                words[_frames(start + since, start + until)] = self.words[name]
            for since, until, sound in clip.phonemes:
                name = f"{clip.language}:{sound}"
                phonemes[_frames(start + since, start + until)] = self.phonemes[name]
        return words, phonemes

    def lines(self, windows: list[Window], frames: int, chance: random.Random) -> Lines:
        """What one training step reads and has to write, for windows of so many frames."""
        written = [self.tokens(w, timed=chance.random() < TIMED_SHARE) for w in windows]
        longest = max(len(w.before) + len(line) for w, line in zip(windows, written, strict=True))
        shape, seen = (len(windows), longest - 1), (len(windows), frames)
        lines = Lines(
            np.zeros(shape, np.int64),
            *(np.full(shape, gap, np.int64) for gap in (IGNORE, -1, -1, -1)),
            *(np.zeros(seen, np.int64) for _ in range(2)),
        )
        for row, (window, line) in enumerate(zip(windows, written, strict=True)):
            self._write(lines, row, window, line)
            lines.words[row], lines.phonemes[row] = self.frames(window, frames)
        return lines

    def _write(self, lines: Lines, row: int, window: Window, line: Line) -> None:
        read = list(window.before)
        first = len(read)  # the place of the token that starts a transcript; it is not learnt
        read += [token for token, _, _ in line]
        numbers = self.vocabulary.numbers(read)
        lines.inputs[row, : len(numbers) - 1] = numbers[:-1]
        lines.targets[row, first : len(numbers) - 1] = numbers[first + 1 :]
        if not window.spans:
            (spoken,) = self.vocabulary.numbers([tk.LANGUAGE_TOKENS[window.language]])
            lines.inputs[row, first + 1] = spoken
        for name in {clip.name for _, _, clip, _ in window.spans if clip.name}:
            self._tell(lines.told[row], read, first, self.vocabulary.encode(f" {name}"))
        most = lines.words.shape[1]
        for column, (_, since, until) in enumerate(line[1:], start=first):
            if until > 0:
                span = _frames(since, until)
                lines.low[row, column] = min(span.start, most - 1)
                lines.high[row, column] = min(max(span.stop, span.start + 1), most)

    def _tell(self, told: Numbers, read: list[int], first: int, name: list[int]) -> None:
        """Where a name is written that stands before the window, too; a token is written in the
        column before its own."""
        starts = [at for at in range(len(read)) if read[at : at + len(name)] == name]
        for written in (at for at in starts if at > first and starts[0] < first):
            told[written - 1 : written - 1 + len(name)] = range(starts[0], starts[0] + len(name))


def _frames(since: float, until: float) -> slice:
    start = max(0, round(since * FRAMES_A_SECOND))
    return slice(start, max(start + 1, round(until * FRAMES_A_SECOND)))
