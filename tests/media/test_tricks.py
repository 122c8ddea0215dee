"""A file opens no other one, whatever it says, and asks nobody (T22)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import av
import numpy as np
import pytest
import tricks
from making import Made, write
from pytest_httpserver import HTTPServer

from services.model.errors import JobFailed
from whisper_worker import decoding
from whisper_worker.media import Decoder

RATE = 16_000
OWN, SECRET = 500.0, 3000.0  # Hz
WHERE = ["by path", "by file URL", "by its name", "by http"]


@pytest.fixture(scope="module")
def one_canary() -> Iterator[HTTPServer]:
    """Has the secret too, and notes who comes."""
    server = HTTPServer(host="127.0.0.1", port=0, threaded=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def canary(one_canary: HTTPServer) -> Iterator[HTTPServer]:
    yield one_canary
    one_canary.clear()


@pytest.fixture
def secret(canary: HTTPServer, tmp_path: Path) -> Path:
    made = write(tmp_path / "secret.wav", Made(".wav", "wav", "pcm_s16le", RATE), tone(SECRET))
    canary.expect_request("/secret.wav").respond_with_data(made.read_bytes())
    return made


def tone(hertz: float) -> np.ndarray:
    moments = np.arange(3 * RATE) / RATE
    return (0.5 * np.sin(2 * np.pi * hertz * moments))[None].astype(np.float32)


def target_of(where: str, secret: Path, canary: HTTPServer) -> str:
    return {
        "by path": str(secret),
        "by file URL": f"file://{secret}",
        "by its name": secret.name,
        "by http": canary.url_for("/secret.wav"),
    }[where]


def loudness(pcm: Path, hertz: float) -> float:
    """Of that tone in what came out, if anything did."""
    samples = np.fromfile(pcm, "<i2") / 32_768 if pcm.exists() else np.zeros(1)
    moments = np.arange(len(samples)) / RATE
    return float(abs(np.mean(samples * np.exp(-2j * np.pi * hertz * moments))) * 2)


@pytest.mark.parametrize("suffix", ["", ".mp3", ".m3u8"])
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("kind", tricks.SCRIPTS)
def test_a_script_is_no_media_and_nothing_it_names_is_opened(
    one_decoder: Decoder, secret: Path, canary: HTTPServer, kind: str, where: str, suffix: str
) -> None:
    target = target_of(where, secret, canary)
    path = secret.with_name(f"sent{suffix}")
    tricks.script(path, tricks.SCRIPTS[kind], target, canary.port)
    with pytest.raises(JobFailed) as failed:
        one_decoder.decode(path, secret.with_name("pcm"), 0, tell=lambda _: None)
    assert failed.value.code == "bad_media"
    assert "crash" not in failed.value.message
    assert loudness(secret.with_name("pcm"), SECRET) == 0.0
    assert canary.log == []


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("link", ["url ", "segment"])
def test_a_container_that_points_elsewhere_gives_no_more_than_its_own_sound(
    one_decoder: Decoder, secret: Path, canary: HTTPServer, link: str, where: str
) -> None:
    target = target_of(where, secret, canary)
    path = secret.with_name("sent")
    if link == "segment":
        whole = write(path, Made("", "matroska", "pcm_s16le", RATE), tone(OWN)).read_bytes()
        path.write_bytes(tricks.with_next_segment(whole, target))
    else:
        whole = write(path, Made("", "mov", "pcm_s16le", RATE), tone(OWN)).read_bytes()
        path.write_bytes(tricks.with_reference(whole, b"url ", target))
    pcm = one_decoder.decode(path, secret.with_name("pcm"), 0, tell=lambda _: None)
    assert pcm.seconds == pytest.approx(3.0, abs=0.1)
    assert loudness(pcm.path, OWN) == pytest.approx(0.5, abs=0.02)
    assert loudness(pcm.path, SECRET) < 0.001
    assert canary.log == []


@pytest.mark.parametrize("where", WHERE)
def test_a_track_that_lies_in_another_file_is_not_heard(
    one_decoder: Decoder, secret: Path, canary: HTTPServer, where: str
) -> None:
    path = linked_track(secret, target_of(where, secret, canary))
    with pytest.raises(JobFailed) as failed:
        one_decoder.decode(path, secret.with_name("pcm"), 0, tell=lambda _: None)
    assert failed.value.code == "bad_media"
    assert canary.log == []


def linked_track(secret: Path, target: str) -> Path:
    path = secret.with_name("sent")
    whole = write(path, Made("", "mov", "pcm_s16le", RATE), tone(OWN)).read_bytes()
    path.write_bytes(tricks.with_reference(whole, b"alis", target))
    return path


def test_the_canary_and_the_secret_are_seen_where_nothing_holds_ffmpeg_back(
    secret: Path, canary: HTTPServer
) -> None:
    """Else the tests above could not fail."""
    playlist = secret.with_name("sent.m3u8")
    tricks.script(playlist, tricks.SCRIPTS["m3u8"], canary.url_for("/secret.wav"), canary.port)
    options = {"protocol_whitelist": "file,http,tcp", "allowed_segment_extensions": "ALL"}
    with suppress(av.FFmpegError), av.open(str(playlist), options=options):
        pass
    assert len(canary.log) > 0
    concat = tricks.script(playlist, tricks.SCRIPTS["ffconcat"], str(secret), 0)
    with av.open(str(concat), options={"safe": "0"}) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 3 * RATE
    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(linked_track(secret, str(secret))), options=options) as container:
        heard = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)
    heard.astype("<i2").tofile(secret.with_name("pcm"))
    assert loudness(secret.with_name("pcm"), SECRET) == pytest.approx(0.5, abs=0.05)


def test_no_container_that_is_read_is_one_that_names_others() -> None:
    others = {"applehttp", "concat", "dash", "dvdvideo", "hls", "image2", "imf", "lavfi", "rtp",
              "rtsp", "sap", "sdp", "tee", "webm_dash_manifest"}  # fmt: skip
    assert not others & set(decoding.FORMATS.split(","))
