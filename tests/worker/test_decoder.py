"""The real decoder child on real files."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import media_files
import numpy as np
import pytest

from services.model.errors import FailureClass, JobFailed, LeaseLost
from whisper_worker.media import Decoder, Pcm


@pytest.fixture(scope="session")
def one_decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


@pytest.fixture
def decode(one_decoder: Decoder, tmp_path: Path) -> Callable[..., Pcm]:
    def run(source: Path, max_seconds: float = 0.0) -> Pcm:
        return one_decoder.decode(source, tmp_path / "out.pcm", max_seconds, tell=_nobody)

    return run


def _nobody(fraction: float) -> None:
    """Who does not care how far it is."""


def samples_of(pcm: Pcm) -> np.ndarray:
    return np.fromfile(pcm.path, "<i2")


def loudest_hertz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples))
    return float(np.argmax(spectrum)) * 16_000 / len(samples)


def refused(decode: Callable[..., Pcm], source: Path, **more: float) -> JobFailed:
    with pytest.raises(JobFailed) as failed:
        decode(source, **more)
    assert failed.value.failure_class is FailureClass.PERMANENT
    return failed.value


@pytest.mark.parametrize("suffix", sorted(media_files.FORMATS))
def test_every_usual_format_becomes_16_khz_mono(
    decode: Callable[..., Pcm], tmp_path: Path, suffix: str
) -> None:
    pcm = decode(media_files.write_audio(tmp_path / f"a{suffix}"))
    samples = samples_of(pcm)
    assert pcm.seconds == pytest.approx(4.0, abs=0.1)
    assert len(samples) == round(pcm.seconds * 16_000)
    assert loudest_hertz(samples) == pytest.approx(440, abs=2)
    assert pcm.coverage == 1.0
    assert pcm.warnings == []


def test_the_name_of_a_file_means_nothing(decode: Callable[..., Pcm], tmp_path: Path) -> None:
    flac = media_files.write_audio(tmp_path / "a.flac")
    assert decode(flac.rename(tmp_path / "a.mp3")).format == "flac"


def test_a_damaged_stretch_costs_itself_and_not_the_rest(
    decode: Callable[..., Pcm], tmp_path: Path
) -> None:
    path = media_files.write_audio(tmp_path / "a.mp3", 20.0)
    pcm = decode(media_files.damaged(path, at=0.33, length=400))
    assert pcm.seconds > 19.0


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".mp3", ".webm"])
def test_what_is_missing_is_measured_and_flagged(
    decode: Callable[..., Pcm], tmp_path: Path, suffix: str
) -> None:
    path = media_files.write_audio(tmp_path / f"a{suffix}", 20.0)
    pcm = decode(media_files.truncated(path, 0.8))
    assert pcm.declared_seconds == pytest.approx(20.0, abs=0.1)
    assert pcm.coverage == pytest.approx(0.8, abs=0.03)
    assert "partial_audio" in pcm.warnings


def test_what_is_mostly_missing_is_bad_media(decode: Callable[..., Pcm], tmp_path: Path) -> None:
    path = media_files.write_audio(tmp_path / "a.flac", 20.0)
    assert refused(decode, media_files.truncated(path, 0.3)).code == "bad_media"


def test_an_empty_file_says_so(decode: Callable[..., Pcm], tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    assert refused(decode, tmp_path / "a.wav").code == "empty_file"


@pytest.mark.parametrize(
    "content",
    [
        b"x",
        b"Dear diary, today I made no recording.\n" * 50,
        b"\x89PNG\r\n\x1a\n" + bytes(2000),
        b"PK\x03\x04" + bytes(2000),
        b"%PDF-1.7\n" + b"stream " * 500,
        b"RIFF\xff\xff\xff\xffWAVE",
        random.Random(7).randbytes(100_000),
        bytes(100_000),
    ],
)
def test_what_is_no_media_is_bad_media(
    decode: Callable[..., Pcm], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "a.mp3").write_bytes(content)
    failed = refused(decode, tmp_path / "a.mp3")
    assert failed.code == "bad_media"
    assert "convert it to WAV" in failed.message


def test_a_film_without_sound_says_so(decode: Callable[..., Pcm], tmp_path: Path) -> None:
    assert refused(decode, media_files.write_silent_film(tmp_path / "a.mp4")).code == (
        "no_audio_stream"
    )


@pytest.mark.parametrize("suffix", [".flac", ".ogg"])
def test_a_recording_over_the_limit_is_refused(
    decode: Callable[..., Pcm], tmp_path: Path, suffix: str
) -> None:
    failed = refused(decode, media_files.write_audio(tmp_path / f"a{suffix}", 9), max_seconds=5.0)
    assert failed.code == "audio_too_long"
    written = tmp_path / "out.pcm"
    assert not written.exists() or written.stat().st_size <= 2 * 16_000 * 15


def test_infinite_samples_are_silenced(decode: Callable[..., Pcm], tmp_path: Path) -> None:
    samples = np.zeros(16_000, np.float32)
    samples[100:200], samples[300:400], samples[500:600] = np.nan, np.inf, -np.inf
    pcm = decode(media_files.write_float_wav(tmp_path / "a.wav", samples))
    assert np.abs(samples_of(pcm)).max() == 0
    assert pcm.warnings == ["cleaned_samples"]


def test_a_film_without_its_index_is_told_why_it_cannot_be_read(
    decode: Callable[..., Pcm], tmp_path: Path
) -> None:
    path = media_files.write_audio(tmp_path / "a.m4a")
    failed = refused(decode, media_files.truncated(path, 0.8))
    assert (failed.code, "it was cut off" in failed.message) == ("bad_media", True)


def test_a_wav_that_leaves_its_length_open_is_whole(
    decode: Callable[..., Pcm], tmp_path: Path
) -> None:
    path = media_files.write_wav(tmp_path / "a.wav", media_files.tone(3.3)[None], 48_000)
    data = path.read_bytes()
    opened = data[:4] + b"\xff" * 4 + data[8:40] + b"\xff" * 4 + data[44:]
    assert data[36:40] == b"data"
    path.write_bytes(opened)
    pcm = decode(path)
    assert (pcm.seconds, pcm.warnings) == (pytest.approx(3.3, abs=0.01), [])


def test_an_ogg_file_without_its_end_is_flagged(decode: Callable[..., Pcm], tmp_path: Path) -> None:
    path = media_files.write_audio(tmp_path / "a.ogg", 20.0)
    assert decode(path).warnings == []
    assert decode(media_files.truncated(path, 0.8)).warnings == ["end_missing"]


def test_the_child_has_no_network_where_the_system_allows_it(
    decode: Callable[..., Pcm], one_decoder: Decoder, tmp_path: Path
) -> None:
    decode(media_files.write_audio(tmp_path / "a.wav"))
    child = one_decoder._child
    assert child is not None
    ours, theirs = (Path(f"/proc/{pid}/ns/net").readlink() for pid in ("self", child.pid))
    if ours == theirs:
        pytest.skip("this system gives an ordinary process no network of its own")
    assert ours != theirs


def test_a_child_that_dies_is_replaced(tmp_path: Path) -> None:
    decoder = Decoder()
    source = media_files.write_audio(tmp_path / "a.wav")
    decoder.decode(source, tmp_path / "pcm", 0, tell=_nobody)
    first = decoder._child
    assert first is not None
    os.kill(first.pid, signal.SIGSEGV)
    first.wait()
    assert decoder.decode(source, tmp_path / "pcm", 0, tell=_nobody).seconds == 4.0
    decoder.close()


def test_who_listens_may_stop_it_and_the_next_file_is_decoded(tmp_path: Path) -> None:
    decoder = Decoder()
    source = media_files.write_audio(tmp_path / "a.wav", 30.0)

    def stop(fraction: float) -> None:
        raise LeaseLost("cancelled")

    with pytest.raises(LeaseLost):
        decoder.decode(source, tmp_path / "pcm", 0, tell=stop)
    assert decoder.decode(source, tmp_path / "pcm", 0, tell=_nobody).seconds == 30.0
    decoder.close()


def test_a_child_that_was_started_ahead_takes_the_first_file(tmp_path: Path) -> None:
    decoder = Decoder()
    decoder.start()
    ahead = decoder._child
    assert decoder.decode(
        media_files.write_audio(tmp_path / "a.wav"), tmp_path / "pcm", 0, tell=_nobody
    )
    assert decoder._child is ahead
    decoder.close()
