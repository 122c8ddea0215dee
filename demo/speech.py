"""Speech for the demo, made by espeak-ng from the sentences of the grammar.

The library comes from the package ``espeakng-loader``; nothing of the system is used. Mandarin is
spoken from pinyin with tone numbers, because espeak-ng reads Chinese characters as letters.
"""

import ctypes
import threading
import wave
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import espeakng_loader
import numpy as np
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

Audio = NDArray[np.float32]

SAMPLE_RATE = 16000

_ACCENTS = {"en": ("en-us", "en", "en-gb-x-rp"), "zh": ("cmn-latn-pinyin",)}
_VARIANTS = ("m1", "m2", "m3", "m4", "m7", "m8", "f1", "f2", "f3", "f4", "f5", "max")
_WORDS_A_MINUTE = {"en": range(125, 201, 5), "zh": range(145, 221, 5)}
_HELD_OUT_ONE_IN = 8

_RETRIEVAL, _PHONEME_EVENTS = 1, 1
_RATE, _PITCH, _UTF8 = 1, 3, 1
_END, _WORD, _PHONEME = 0, 1, 7
_TRIM_BELOW = 0.006
_TRIM_KEEP_S = 0.02


@dataclass(frozen=True, slots=True)
class Voice:
    """One way to speak: an espeak-ng voice, its variant, speed and pitch."""

    name: str
    variant: str
    rate_wpm: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of an utterance: a phoneme by its name, or a word by its offset in the input."""

    start: float
    end: float
    name: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """Speech with what is spoken when, in seconds."""

    audio: Audio
    words: tuple[Sound, ...]
    phonemes: tuple[Sound, ...]


def voices(language: str, *, held_out: bool) -> list[Voice]:
    """Every voice of the language; a held-out combination is never heard in training."""
    found = []
    for name in _ACCENTS[language]:
        for variant in _VARIANTS:
            for rate in _WORDS_A_MINUTE[language]:
                digest = zlib.crc32(f"{name}+{variant}@{rate}".encode())
                if (digest % _HELD_OUT_ONE_IN == 0) == held_out:
                    found.append(Voice(name, variant, rate, 35 + digest // 8 % 31))
    return found


def speak(text: str, language: str, voice: Voice) -> Audio:
    """The text as mono 16 kHz samples between -1 and 1, without silence around it."""
    return pronounce(text, language, voice).audio


def pronounce(text: str, language: str, voice: Voice) -> Utterance:
    """The text as speech, with the times of its words and phonemes."""
    with _lock:
        samples, rate, events = _synthesize(spoken_form(text, language), voice)
    audio = _resample(samples.astype(np.float32) / 32768.0, rate)
    first, last = _speech_bounds(audio)
    audio = audio[first:last]
    shift, end = first / SAMPLE_RATE, len(audio) / SAMPLE_RATE
    return Utterance(
        audio, _sounds(events, _WORD, shift, end), _sounds(events, _PHONEME, shift, end)
    )


def spoken_form(text: str, language: str) -> str:
    """What espeak-ng is given to read: the text, or pinyin with tone numbers for Chinese."""
    if language != "zh":
        return text
    return " ".join(lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True))


def join(clips: Sequence[Audio], gaps: Sequence[float]) -> tuple[Audio, list[tuple[float, float]]]:
    """The clips in a row with ``gaps[i]`` seconds of silence before clip i, and their times.

    One more gap than clips leaves silence at the end.
    """
    parts: list[Audio] = []
    times = []
    position = 0
    for index, gap in enumerate(gaps):
        silence = round(gap * SAMPLE_RATE)
        parts.append(np.zeros(silence, np.float32))
        position += silence
        if index < len(clips):
            start, position = position, position + len(clips[index])
            parts.append(clips[index])
            times.append((start / SAMPLE_RATE, position / SAMPLE_RATE))
    return np.concatenate(parts), times


def write_wav(path: Path, audio: Audio) -> None:
    """Write 16-bit mono WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(_to_int16(audio).tobytes())


def write_audio(path: Path, audio: Audio, *, bit_rate: int = 32000) -> None:
    """Write the container that the suffix names: ``.wav``, ``.flac``, ``.mp3`` or ``.ogg``."""
    if path.suffix == ".wav":
        write_wav(path, audio)
        return
    codec, layout = {
        ".flac": ("flac", "s16"),
        ".mp3": ("libmp3lame", "s16p"),
        ".ogg": ("libopus", "s16"),
    }[path.suffix]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=SAMPLE_RATE)
        stream.layout = "mono"
        if path.suffix != ".flac":
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(_to_int16(audio)[None], format=layout, layout="mono")
        frame.sample_rate = SAMPLE_RATE
        resampler = av.AudioResampler(stream.format, "mono", stream.rate)
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Mark = tuple[int, float, str]
_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)
_lock = threading.Lock()
_heard: list[NDArray[np.int16]] = []
_marks: list[_Mark] = []


def _collect(samples: Any, count: int, events: Any) -> int:
    if count > 0:
        _heard.append(np.ctypeslib.as_array(samples, (count,)).copy())
    index = 0
    while events[index].type != _END:
        event = events[index]
        if event.type == _WORD:
            _marks.append((_WORD, event.audio_position / 1000, str(event.text_position - 1)))
        elif event.type == _PHONEME:
            _marks.append((_PHONEME, event.audio_position / 1000, event.id.string.decode()))
        index += 1
    return 0


_on_sound = _Callback(_collect)


@cache
def _library() -> tuple[Any, int]:
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(_RETRIEVAL, 0, data, _PHONEME_EVENTS)
    if rate <= 0:
        raise RuntimeError("espeak-ng did not start; reinstall espeakng-loader")
    library.espeak_SetSynthCallback(_on_sound)
    return library, rate


def _synthesize(text: str, voice: Voice) -> tuple[NDArray[np.int16], int, list[_Mark]]:
    library, rate = _library()
    _heard.clear()
    _marks.clear()
    if library.espeak_SetVoiceByName(f"{voice.name}+{voice.variant}".encode()) != 0:
        raise ValueError(f"espeak-ng has no voice {voice.name}+{voice.variant}")
    library.espeak_SetParameter(_RATE, voice.rate_wpm, 0)
    library.espeak_SetParameter(_PITCH, voice.pitch, 0)
    data = text.encode() + b"\0"
    library.espeak_Synth(data, len(data), 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    return np.concatenate(_heard), rate, list(_marks)


def _resample(samples: Audio, rate: int) -> Audio:
    spectrum = np.fft.rfft(samples)
    count = round(len(samples) * SAMPLE_RATE / rate)
    kept = spectrum[: count // 2 + 1]
    return (np.fft.irfft(kept, count) * (count / len(samples))).astype(np.float32)


def _speech_bounds(audio: Audio) -> tuple[int, int]:
    loud = np.flatnonzero(np.abs(audio) > _TRIM_BELOW)
    if len(loud) == 0:
        return 0, len(audio)
    keep = round(_TRIM_KEEP_S * SAMPLE_RATE)
    return max(0, int(loud[0]) - keep), min(len(audio), int(loud[-1]) + keep)


def _sounds(marks: list[_Mark], kind: int, shift: float, end: float) -> tuple[Sound, ...]:
    chosen = [(max(0.0, at - shift), name) for which, at, name in marks if which == kind]
    ends = [at for at, _ in chosen[1:]] + [end]
    return tuple(
        Sound(min(at, end), min(max(at, until), end), name)
        for (at, name), until in zip(chosen, ends, strict=True)
    )


def _to_int16(audio: Audio) -> NDArray[np.int16]:
    return (np.clip(audio, -1.0, 1.0) * 32767.0).astype(np.int16)
