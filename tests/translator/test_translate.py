"""The stage from its spec to its result: sentences with ids and times, and a way to stop."""

from __future__ import annotations

import pytest
from driving import translate

from services.model.errors import FailureClass, JobFailed, LeaseLost
from services.model.stages import Place, TranslateSpec
from services.model.transcript import Body, Segment, Transcript


def spec_of(*, text: str | None = None, heard: Transcript | None = None, **changes):
    inline = Body(inline=heard.model_dump_json()) if heard else None
    values = {
        "model": "stub-nmt",
        "source_language": "en",
        "target_language": "zh",
        "output": Place(key="outputs/x", url="file:///nowhere"),
        "output_text": Place(key="outputs/x.txt", url="file:///nowhere"),
        **changes,
    }
    return TranslateSpec(text=text, transcript=inline, **values)


def transcript_in(result) -> Transcript:
    return Transcript.model_validate_json(result.transcript.inline)


@pytest.fixture
def heard() -> Transcript:
    parts = [
        (0, 2, "One. Two"),
        (2, 3, "and a half."),
        (3, 4, " "),
        (4, 5, "Three."),
        (5, 6, "Four."),
    ]
    return Transcript(
        language="en",
        text="One. Two and a half. Three. Four.",
        segments=[
            Segment(id=number, start=start, end=end, text=text)
            for number, (start, end, text) in enumerate(parts)
        ],
        duration=6.5,
    )


@pytest.fixture(autouse=True)
def stub_models(settings_are):
    settings_are(stub_models=True)


def test_every_sentence_has_its_times_and_a_running_id(heard, work_of) -> None:
    spec = spec_of(heard=heard)
    result = translate(spec, work_of(spec))
    made = transcript_in(result)
    assert [(s.id, s.start, s.end, s.text) for s in made.segments] == [
        (0, 0.0, 1.0, "[zh] One."),
        (1, 1.25, 3.0, "[zh] Two and a half."),
        (2, 4.0, 5.0, "[zh] Three."),
        (3, 5.0, 6.0, "[zh] Four."),
    ]
    assert made.text == "[zh] One.[zh] Two and a half.[zh] Three.[zh] Four."
    assert (made.language, made.duration, result.segments) == ("zh", 6.5, 4)
    assert result.text.inline == made.text


def test_a_run_of_segments_is_translated_and_no_other(heard, work_of) -> None:
    spec = spec_of(heard=heard, first=3, last=4)
    assert transcript_in(translate(spec, work_of(spec))).text == "[zh] Three."


def test_a_reference_text_has_no_times_and_keeps_its_lines(work_of) -> None:
    spec = spec_of(text="One. Two.\n\nThree.", target_language="de")
    made = transcript_in(translate(spec, work_of(spec)))
    assert made.text == "[de] One. [de] Two.\n[de] Three."
    assert [(s.start, s.end) for s in made.segments] == [(None, None)] * 3


def test_words_that_are_blank_give_an_empty_translation(work_of) -> None:
    spec = spec_of(text=" \n ")
    result = translate(spec, work_of(spec))
    assert (result.segments, result.text.inline, transcript_in(result).segments) == (0, "", [])


def test_progress_is_told_between_batches(work_of) -> None:
    spec = spec_of(text="One. " * 160)
    work = work_of(spec)
    translate(spec, work)
    assert work.fractions == [0.4, 0.8]


def test_a_cancel_stops_between_batches(work_of) -> None:
    spec = spec_of(text="One. " * 160)
    work = work_of(spec)
    work.stop_at, work.stop_with = 3, LeaseLost("cancelled")
    with pytest.raises(LeaseLost):
        translate(spec, work)
    assert work.fractions == [0.4]


def test_a_real_model_is_loaded_once_and_its_flags_are_kept(
    settings_are, tmp_path, endless_model, work_of
) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[model]]\nname = "tiny-nmt"\nkind = "translate"\nengine = "ctranslate2"\n'
        f'location = "{endless_model}"\nlanguages = ["en", "zh", "de"]\n'
    )
    settings_are(catalog_file=catalog)
    spec = spec_of(text="The red house.\n\nThe blue house.", model="tiny-nmt", beam_size=1)
    made = transcript_in(translate(spec, work_of(spec)))
    assert [segment.flags[0] for segment in made.segments] == ["truncated", "truncated"]
    again = translate(spec, work_of(spec))
    assert transcript_in(again) == made


@pytest.mark.parametrize(
    ("text_id", "target", "fails"),
    [
        ("fail-de", "de", True),
        ("1 fail-de", "zh", False),
        ("fail-zh-Hant", "zh-Hant", True),
        ("fail-zh-Hant", "zh", False),
        ("fail-permanent", "de", False),
    ],
)
def test_the_stub_fails_for_the_language_it_is_asked_to(text_id, target, fails, work_of) -> None:
    spec = spec_of(text="One.", target_language=target)
    if not fails:
        assert translate(spec, work_of(spec, text_id)).segments == 1
        return
    with pytest.raises(JobFailed, match=target) as failed:
        translate(spec, work_of(spec, text_id))
    assert failed.value.failure_class is FailureClass.PERMANENT


@pytest.mark.parametrize(
    ("model", "code"), [("nothing", "unknown_model"), ("tiny", "unknown_model")]
)
def test_a_model_that_cannot_translate_here_fails_for_good(model, code, work_of) -> None:
    spec = spec_of(text="One.", model=model)
    with pytest.raises(JobFailed) as failed:
        translate(spec, work_of(spec))
    assert (failed.value.failure_class, failed.value.code) == (FailureClass.PERMANENT, code)


def test_a_model_that_is_not_on_this_disk_is_named(settings_are, tmp_path, work_of) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[model]]\nname = "far"\nkind = "translate"\nengine = "ctranslate2"\nlocation = "far"\n'
    )
    settings_are(catalog_file=catalog, models_dir=tmp_path)
    spec = spec_of(text="One.", model="far")
    with pytest.raises(JobFailed, match="far") as failed:
        translate(spec, work_of(spec))
    assert failed.value.code == "model_missing"
