"""Compose training windows from clips: sentences with gaps, noise and level.

A window is what faster-whisper shows the model: log-mel frames, filled with zeros up to 30 s. Short
windows, which cost little, stand at a random position of the 30 s; full ones start at 0.
"""

import random
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from demo.train import tokens as tk
from demo.train.clips import Clip, Pool
from demo.train.coding import coded

RATE = 16000
FULL_S = 30
FRAMES_A_SECOND = 50
NO_SPEECH_SHARE = 0.06
CODED_SHARE = 0.25


@dataclass
class Window:
    """One window before its sound becomes log-mel: samples, what is in them when, and the tokens
    that stand before it, if any."""

    language: str
    audio: NDArray[np.float32]
    heard: int
    first: int
    spans: list[tuple[float, float, Clip, bool]] = field(default_factory=list)
    before: list[int] = field(default_factory=list)


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
        pool,
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
    window: Window, pool: Pool, chance: random.Random, *, most: int, may_cut: bool
) -> None:
    """Put sentences one after the other until the window, or a small number, is full."""
    audio, samples = window.audio, len(window.audio)
    position = round(chance.choice([0.0, chance.uniform(0, 0.4), chance.uniform(0, 1.0)]) * RATE)
    if chance.random() < 0.15:  # what a seek leaves of the sentence before
        tail = chance.choice(pool.clips[window.language]).audio[-chance.randint(300, 2400) :]
        audio[: len(tail)] = tail / 32768
        position = max(position, len(tail) + round(chance.uniform(0.1, 0.6) * RATE))
    longest_gap = 0.8 if chance.random() < 0.5 else 1.5
    while len(window.spans) < most:
        clip = pool.draw(window.language, chance)
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
