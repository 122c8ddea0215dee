"""Compose training windows from clips: sentences with gaps, noise and level, and what they say.

A window is what faster-whisper shows the model: log-mel frames, filled with zeros up to 30 s. Short
windows, which cost little, stand at a random position of the 30 s; full ones start at 0.
"""

import random
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray
from torch import Tensor

from demo.train import tokens as tk
from demo.train.clips import Clip, Pool
from demo.train.coding import coded
from demo.train.tokens import Vocabulary

RATE = 16000
FULL_S = 30
FRAMES_A_SECOND = 50
IGNORE = -100
SILENCE_LABEL = 0
NO_SPEECH_SHARE = 0.06
CODED_SHARE = 0.25
END_S = 0.4  # wider than the filter that smooths attention before words are timed


@dataclass
class Window:
    """One window before its sound becomes log-mel: samples, and what is in them when."""

    language: str
    audio: NDArray[np.float32]
    heard: int
    first: int
    spans: list[tuple[float, float, Clip, bool]] = field(default_factory=list)


@dataclass
class Batch:
    """Tensors of one step; ``low`` and ``high`` bound the frames a token should be read from."""

    mel: Tensor
    first: Tensor
    inputs: Tensor
    targets: Tensor
    low: Tensor
    high: Tensor
    words: Tensor
    phonemes: Tensor


class Labels:
    """Numbers for the words and phonemes of frames; 0 is silence."""

    def __init__(self, names: list[str]) -> None:
        self.numbers = {name: index + 1 for index, name in enumerate(sorted(set(names)))}

    def __len__(self) -> int:
        return len(self.numbers) + 1

    def __getitem__(self, name: str) -> int:
        return self.numbers.get(name, SILENCE_LABEL)


def spoken_word(text: str, language: str, offset: int) -> str:
    """The word that starts at this offset, or the Chinese character there."""
    if language == "zh":
        return text[offset]
    return text[offset:].split(maxsplit=1)[0].rstrip(".").lower()


def compose(pool: Pool, chance: random.Random, seconds: int, shifted: float) -> Window:
    """Draw one window of this many seconds; this share of them not at the start of the 30 s."""
    full = seconds == FULL_S
    language = chance.choice(list(tk.LANGUAGE_TOKENS))
    samples = seconds * RATE
    window = Window(language, np.zeros(samples, np.float32), 0, 0)
    if chance.random() < NO_SPEECH_SHARE:
        window.heard = samples if chance.random() < 0.5 else chance.randint(RATE // 2, samples)
        loudness = 10 ** chance.uniform(-4.5, -0.7)
        _add_noise(window.audio, window.heard, chance, loudness=loudness)
        return window
    few = chance.random() < (0.7 if full else 0.45)
    may_cut = full and chance.random() < 0.8
    _place_sentences(
        window,
        pool.clips[language],
        chance,
        most=chance.randint(1, 4) if few else 99,
        may_cut=may_cut,
    )
    window.heard = _heard_samples(window, samples, chance)
    if chance.random() < 0.6:
        level = float(np.sqrt(np.mean(window.audio[: window.heard] ** 2))) + 1e-5
        loudness = level * 10 ** (-chance.uniform(10, 45) / 20)
        babble = pool.clips[language]
        _add_noise(window.audio, window.heard, chance, loudness=loudness, babble=babble)
    window.audio *= 10 ** chance.uniform(-1.0, 0.15)
    if chance.random() < CODED_SHARE:
        window.audio[: window.heard] = coded(window.audio[: window.heard], chance)
    if chance.random() < shifted:
        window.first = chance.randint(0, (FULL_S - seconds) * FRAMES_A_SECOND)
    return window


def _place_sentences(
    window: Window, clips: list[Clip], chance: random.Random, *, most: int, may_cut: bool
) -> None:
    """Put sentences one after the other until the window, or a small number, is full."""
    audio, samples = window.audio, len(window.audio)
    position = round(chance.choice([0.0, chance.uniform(0, 0.4), chance.uniform(0, 1.0)]) * RATE)
    if chance.random() < 0.15:  # what a seek leaves of the sentence before
        tail = chance.choice(clips).audio[-chance.randint(300, 2400) :]
        audio[: len(tail)] = tail / 32768
        position = max(position, len(tail) + round(chance.uniform(0.1, 0.6) * RATE))
    longest_gap = 0.8 if chance.random() < 0.5 else 1.5
    while len(window.spans) < most:
        clip = chance.choice(clips)
        whole = position + len(clip.audio) <= samples
        shown = min(len(clip.audio), samples - position)
        if shown < RATE // 4 or not (whole or may_cut):
            return
        if not whole and len(clip.audio) - shown < RATE // 8:
            return
        gain = 10 ** chance.uniform(-0.15, 0.15)
        audio[position : position + shown] += clip.audio[:shown] * (gain / 32768)
        start = position / RATE
        window.spans.append((start, start + len(clip.audio) / RATE, clip, whole))
        if not whole:
            return
        position += shown + round(chance.uniform(0.15, longest_gap) * RATE)


def _heard_samples(window: Window, samples: int, chance: random.Random) -> int:
    """Where the file ends; the frames after that are zero."""
    if window.spans and not window.spans[-1][3]:
        return samples
    spoken = window.spans[-1][1] if window.spans else 0.0
    if chance.random() < 0.75:
        end = min(samples, round((spoken + chance.uniform(0, 0.8)) * RATE))
    elif chance.random() < 0.3:
        end = samples - round((samples - round(spoken * RATE)) * chance.random())
    else:
        end = samples
    return max(end, RATE // 4)


def _add_noise(
    audio: NDArray[np.float32],
    heard: int,
    chance: random.Random,
    *,
    loudness: float,
    babble: list[Clip] | None = None,
) -> None:
    source = np.random.default_rng(chance.getrandbits(32))
    kind = chance.random()
    if kind < 0.15 and babble is not None:
        noise = np.zeros(heard, np.float32)
        for _ in range(heard * 3 // (RATE * 2) + 2):
            clip = chance.choice(babble).audio
            at = chance.randrange(max(1, heard - RATE))
            part = clip[: heard - at]
            noise[at : at + len(part)] += part
        loudness *= 0.5
    elif kind < 0.25 and babble is None:
        return
    else:
        noise = source.standard_normal(heard, dtype=np.float32)
        if kind < 0.6:
            spectrum = np.fft.rfft(noise)
            spectrum /= np.sqrt(np.arange(len(spectrum)) + 20.0) ** chance.choice([1.0, 2.0])
            noise = np.fft.irfft(spectrum, heard).astype(np.float32)
    audio[:heard] += noise * (loudness / (float(np.sqrt(np.mean(noise**2))) + 1e-9))


class Features:
    """Log-mel frames as faster-whisper computes them, for a batch at once."""

    def __init__(self, device: torch.device) -> None:
        filters = FeatureExtractor.get_mel_filters(RATE, 400, n_mels=80).astype("float32")
        self.filters = torch.from_numpy(filters).to(device)
        self.hann = torch.hann_window(400).to(device)
        self.device = device

    def __call__(self, windows: list[Window], chance: random.Random) -> Tensor:
        sound = torch.from_numpy(np.stack([w.audio for w in windows])).to(self.device)
        spectrum = torch.stft(sound, 400, 160, window=self.hann, return_complex=True)
        power = spectrum[..., :-1].abs().square()
        logs = (self.filters @ power).clamp(min=1e-10).log10()
        loudest = logs.amax((1, 2), keepdim=True)
        louder = [chance.uniform(0, 0.5) if chance.random() < 0.3 else 0.0 for _ in windows]
        floor = loudest + torch.tensor(louder, device=self.device)[:, None, None] - 8.0
        mel = (torch.maximum(logs, floor) + 4.0) / 4.0
        frames = torch.tensor([w.heard // 160 for w in windows], device=self.device)
        beyond = torch.arange(mel.shape[-1], device=self.device)[None, :] >= frames[:, None]
        return mel.masked_fill(beyond[:, None, :], 0.0)


class Scribe:
    """Writes the tokens of a window, the frames they are read from, and the labels of frames."""

    def __init__(self, vocabulary: Vocabulary, words: Labels, phonemes: Labels) -> None:
        self.vocabulary, self.words, self.phonemes = vocabulary, words, phonemes
        self._offsets: dict[str, list[tuple[int, int]]] = {}

    def tokens(self, window: Window, *, timed: bool) -> list[tuple[int, float, float]]:
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

    def frames(self, window: Window, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The word and the phoneme of each frame."""
        words = np.zeros(count, np.int64)
        phonemes = np.zeros(count, np.int64)
        for start, _, clip, _ in window.spans:
            for since, until, offset in clip.words:
                name = spoken_word(clip.text, clip.language, offset)
                words[_frames(start + since, start + until)] = self.words[name]
            for since, until, sound in clip.phonemes:
                name = f"{clip.language}:{sound}"
                phonemes[_frames(start + since, start + until)] = self.phonemes[name]
        return words, phonemes

    def batch(self, windows: list[Window], mel: Tensor, chance: random.Random) -> Batch:
        """Everything one training step needs."""
        count = mel.shape[-1] // 2
        written = [self.tokens(w, timed=chance.random() < 0.85) for w in windows]
        longest = max(map(len, written)) - 1
        shape = (len(windows), longest)
        inputs = np.zeros(shape, np.int64)
        targets = np.full(shape, IGNORE, np.int64)
        low, high = np.full(shape, -1, np.int64), np.full(shape, -1, np.int64)
        words = np.zeros((len(windows), count), np.int64)
        phonemes = np.zeros((len(windows), count), np.int64)
        compact = self.vocabulary.compact
        for row, (window, line) in enumerate(zip(windows, written, strict=True)):
            ids = [compact[token] for token, _, _ in line]
            inputs[row, : len(ids) - 1] = ids[:-1]
            targets[row, : len(ids) - 1] = ids[1:]
            if not window.spans:
                inputs[row, 1] = compact[tk.LANGUAGE_TOKENS[window.language]]
            for column, (_, since, until) in enumerate(line[1:]):
                if until > 0:
                    span = _frames(since, until)
                    low[row, column] = min(span.start, count - 1)
                    high[row, column] = min(max(span.stop, span.start + 1), count)
            words[row], phonemes[row] = self.frames(window, count)
        first = torch.tensor([w.first for w in windows])
        arrays = [torch.from_numpy(a) for a in (inputs, targets, low, high, words, phonemes)]
        device = mel.device
        return Batch(mel, first.to(device), *(array.to(device) for array in arrays))


def _frames(since: float, until: float) -> slice:
    start = max(0, round(since * FRAMES_A_SECOND))
    return slice(start, max(start + 1, round(until * FRAMES_A_SECOND)))
