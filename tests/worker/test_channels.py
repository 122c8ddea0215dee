"""Several channels: mixed without loss, or kept apart; by the real decoder child."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import media_files
import numpy as np
import pytest

from services.model.errors import JobFailed
from whisper_worker.media import Decoder, Pcm

RATE = 16_000
HERTZ = (440.0, 660.0, 880.0, 1100.0, 1320.0, 1540.0, 1760.0, 1980.0)
Decode = Callable[..., Pcm]


@pytest.fixture(scope="module")
def one_decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


@pytest.fixture
def decode(one_decoder: Decoder, tmp_path: Path) -> Decode:
    def run(source: Path, max_seconds: float = 0.0, *, apart: bool = False) -> Pcm:
        target = tmp_path / "out.pcm"
        return one_decoder.decode(source, target, max_seconds, tell=lambda _: None, apart=apart)

    return run


def tones(count: int, seconds: float = 3.0) -> np.ndarray:
    """A tone of its own on each channel."""
    moments = np.arange(round(seconds * RATE)) / RATE
    return np.stack([0.5 * np.sin(2 * np.pi * hertz * moments) for hertz in HERTZ[:count]])


def channels_of(pcm: Pcm) -> np.ndarray:
    return np.fromfile(pcm.path, "<i2").reshape(max(1, len(pcm.channels)), -1) / 32_767


def power(samples: np.ndarray, hertz: float) -> float:
    """How strong a tone is in it: 1 where it is all that a full tone would be."""
    moments = np.arange(len(samples)) / RATE
    return float(abs(np.mean(samples * np.exp(-2j * np.pi * hertz * moments))) * 2)


@pytest.mark.parametrize("count", [1, 2, 6, 8])
def test_each_channel_is_kept_apart(decode: Decode, tmp_path: Path, count: int) -> None:
    source = media_files.write_wav(tmp_path / "a.wav", tones(count))
    pcm = decode(source, apart=True)
    apart = channels_of(pcm)
    assert (pcm.seconds, len(pcm.channels)) == (3.0, count)
    found = np.array([[power(channel, hertz) for hertz in HERTZ[:count]] for channel in apart])
    assert found == pytest.approx(0.5 * np.eye(count), abs=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.wav", "out.pcm"]


def test_the_files_own_names_of_its_channels_are_told(decode: Decode, tmp_path: Path) -> None:
    assert decode(media_files.write_audio(tmp_path / "a.mp3"), apart=True).channels == ["FL", "FR"]
    three = media_files.write_wav(tmp_path / "b.wav", tones(3))
    assert decode(three, apart=True).channels == ["", "", ""]


@pytest.mark.parametrize("count", [1, 2, 3, 6, 8])
def test_a_mix_has_something_of_each_channel(decode: Decode, tmp_path: Path, count: int) -> None:
    pcm = decode(media_files.write_wav(tmp_path / "a.wav", tones(count)))
    (mixed,) = channels_of(pcm)
    found = [power(mixed, hertz) for hertz in HERTZ[:count]]
    assert found == pytest.approx([0.5 / count] * count, abs=0.01)
    assert (pcm.channels, pcm.warnings) == ([], [])


@pytest.mark.parametrize("gain", [1.0, 0.9])
def test_channels_that_would_cancel_each_other_out_are_heard(
    decode: Decode, tmp_path: Path, gain: float
) -> None:
    (tone,) = tones(1)
    pcm = decode(media_files.write_wav(tmp_path / "a.wav", np.stack([tone, -gain * tone])))
    (mixed,) = channels_of(pcm)
    assert power(mixed, HERTZ[0]) == pytest.approx(0.5, abs=0.02)
    assert pcm.warnings == ["channels_cancel"]


def test_only_the_stretch_that_cancels_is_taken_from_one_channel(
    decode: Decode, tmp_path: Path
) -> None:
    left, right = tones(2, 6.0)
    left[: 3 * RATE], right[: 3 * RATE] = right[: 3 * RATE], -right[: 3 * RATE]
    pcm = decode(media_files.write_wav(tmp_path / "a.wav", np.stack([left, right])))
    (mixed,) = channels_of(pcm)
    late = mixed[3 * RATE :]
    assert power(mixed[: 3 * RATE], HERTZ[1]) == pytest.approx(0.5, abs=0.02)
    assert [power(late, hertz) for hertz in HERTZ[:2]] == pytest.approx([0.25, 0.25], abs=0.02)


def test_one_silent_channel_is_no_reason_to_warn(decode: Decode, tmp_path: Path) -> None:
    (tone,) = tones(1)
    pcm = decode(media_files.write_wav(tmp_path / "a.wav", np.stack([tone, 0 * tone])))
    assert pcm.warnings == []


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("count", [9, 12, 64])
def test_more_than_eight_channels_are_refused(
    decode: Decode, tmp_path: Path, count: int, apart: bool
) -> None:
    source = media_files.write_wav(tmp_path / "a.wav", np.zeros((count, RATE)))
    with pytest.raises(JobFailed) as failed:
        decode(source, apart=apart)
    assert failed.value.code == "too_many_channels"


def test_channels_that_are_kept_apart_count_each(decode: Decode, tmp_path: Path) -> None:
    source = media_files.write_audio(tmp_path / "a.flac", 9.0)
    assert decode(source, max_seconds=9.0).seconds == pytest.approx(9.0, abs=0.1)
    with pytest.raises(JobFailed) as failed:
        decode(source, max_seconds=9.0, apart=True)
    assert failed.value.code == "audio_too_long"
