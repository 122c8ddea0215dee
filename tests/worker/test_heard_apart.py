"""What is heard on each channel apart: prepared, written down, joined."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import media_files
import numpy as np
import pytest

from services import settings
from services.model.stages import AssembleSpec, PartPlan, Place, PrepareSpec, TranscribeSpec
from services.model.transcript import Body, Segment, Transcript
from services.storage.local import LocalStore
from services.worker.work import Attempt
from whisper_worker import listening, tasks
from whisper_worker.tasks import STAGES

S = 16_000
MakeWork = Callable[..., Attempt]


@pytest.fixture(scope="module", autouse=True)
def ended_decoder() -> Iterator[None]:
    yield
    tasks._decoder().close()


@pytest.fixture(autouse=True)
def stub_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("FANSCRIBE_STUB_MODELS", "true")
    monkeypatch.setenv("FANSCRIBE_DATA_DIR", str(tmp_path / "data"))
    settings.load.cache_clear()
    yield
    settings.load.cache_clear()


def test_channels_that_are_heard_apart_have_parts_of_their_own(
    make_work: MakeWork,
    make_prepare: Callable[..., PrepareSpec],
    local_store: LocalStore,
    spoken: np.ndarray,
    tmp_path: Path,
) -> None:
    late = np.concatenate([np.zeros(3 * S, np.float32), spoken])
    early = np.concatenate([spoken, np.zeros(3 * S, np.float32)])
    both = media_files.write_wav(tmp_path / "made.wav", np.stack([late, early]))
    local_store.put("both", [both.read_bytes()])
    audio = Place(key="both", url=local_store.url_to_get("both", 60))
    spec = make_prepare(audio, channels="each", part_seconds=8.0)
    result = STAGES["prepare"](spec, make_work(spec))
    assert (result.seconds, result.channels) == (len(late) / S, ["", ""])
    assert result.pcm.size == 2 * 2 * len(late)
    assert [part.channel for part in result.parts] == [1, 0, 1, 0]
    assert [part.at for part in result.parts] == [len(late), 0, len(late), 0]
    begins = [part.speech[0][0] / S for part in result.parts]
    length = (len(spoken) / S - 7.0) / 2
    assert begins == pytest.approx([2.0, 5.0, 5.0 + length, 8.0 + length], abs=0.5)


def test_a_part_is_read_from_its_own_channel_and_says_so(
    make_work: MakeWork, make_transcribe: Callable[..., TranscribeSpec]
) -> None:
    part = PartPlan(start=0, end=10 * S, speech=[(2 * S, 6 * S)], channel=1, at=20 * S)
    spec = make_transcribe(part=part, language="en", parts=2)
    result = STAGES["transcribe"](spec, make_work(spec))
    heard = Transcript.model_validate_json(result.transcript.inline)
    assert {segment.channel for segment in heard.segments} == {1}
    assert heard.segments[0].start == 2.0
    raw = Path(spec.pcm.url.removeprefix("file://")).read_bytes()
    samples = np.frombuffer(raw, "<i2")[22 * S : 26 * S].astype(np.float32) / 32768.0
    assert np.array_equal(listening._speech(make_work(spec), spec.pcm, part), samples)


def test_channels_are_joined_in_the_order_in_which_they_spoke(
    make_work: MakeWork, output_place: Callable[[str], Place]
) -> None:
    def heard(channel: int, **said: float) -> Body:
        segments = [
            Segment(id=i, start=start, end=start + 1, text=text, channel=channel)
            for i, (text, start) in enumerate(said.items())
        ]
        transcript = Transcript(language="en", text=" ".join(said), segments=segments)
        return Body(inline=transcript.model_dump_json())

    spec = AssembleSpec(
        kind="transcript",
        language="en",
        parts=[heard(0, Hello=0.0, Fine=4.0), heard(1, How=2.0, Good=4.0), heard(0, Bye=9.0)],
        urls={},
        output=output_place("tasks/task1/whole.json"),
        output_text=output_place("tasks/task1/whole.txt"),
    )
    whole = STAGES["assemble"](spec, make_work(spec)).transcript.inline
    joined = Transcript.model_validate_json(whole)
    assert joined.text == "Hello How Fine Good Bye"
    assert [(s.id, s.channel) for s in joined.segments] == [(0, 0), (1, 1), (2, 0), (3, 1), (4, 0)]
