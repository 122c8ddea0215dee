"""Sentences that did not change keep their translation; only the others are translated."""

from __future__ import annotations

import pytest
from driving import translate
from test_translate import spec_of, transcript_in

from services.model.stages import Former
from services.model.transcript import Body, Segment, Transcript, inline
from services.sentences import Sentence
from translator_worker.engines import Translation
from translator_worker.taking_over import known_of


@pytest.fixture(autouse=True)
def stub_models(settings_are):
    settings_are(stub_models=True)


def words(*texts: str, language: str = "en", channels: tuple[int | None, ...] = ()) -> Transcript:
    """Each heard after a pause, so that each is a sentence of its own."""
    segments = [
        Segment(
            id=number, start=number * 5.0, end=number * 5.0 + 1, text=text,
            channel=channels[number] if channels else None,
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    return Transcript(language=language, text=" ".join(texts), segments=segments)


def former_of(heard: Transcript, translated: Transcript) -> Former:
    return Former(
        transcript=inline(heard.model_dump_json()), translation=inline(translated.model_dump_json())
    )


def texts_of(result) -> list[str]:
    return [segment.text for segment in transcript_in(result).segments]


def test_only_what_changed_is_translated(work_of) -> None:
    former = former_of(
        words("One.", "Tow.", "Three."), words("一。", "二。", "三。", language="zh")
    )
    spec = spec_of(heard=words("One.", "Two.", "Three."), former=former)

    result = translate(spec, work_of(spec))

    assert texts_of(result) == ["一。", "[zh] Two.", "三。"]
    assert transcript_in(result).text == "一。[zh] Two.三。"


def test_a_part_takes_from_the_whole(work_of) -> None:
    former = former_of(
        words("One.", "Tow.", "Three."), words("一。", "二。", "三。", language="zh")
    )
    spec = spec_of(heard=words("One.", "Two.", "Three."), former=former, first=1, last=3)

    assert texts_of(translate(spec, work_of(spec))) == ["[zh] Two.", "三。"]


def test_a_segment_that_went_takes_no_other_with_it(work_of) -> None:
    former = former_of(words("One.", "Um.", "Three."), words("一。", "嗯。", "三。", language="zh"))
    heard = words("One.", "Um.", "Three.")
    heard = heard.model_copy(update={"segments": [heard.segments[0], heard.segments[2]]})
    spec = spec_of(heard=heard, former=former)

    assert texts_of(translate(spec, work_of(spec))) == ["一。", "三。"]


def test_what_was_said_twice_keeps_both_of_its_translations(work_of) -> None:
    former = former_of(words("Yes.", "No.", "Yes."), words("是。", "不。", "对。", language="zh"))
    spec = spec_of(heard=words("Yes.", "Nope.", "Yes."), former=former)

    assert texts_of(translate(spec, work_of(spec))) == ["是。", "[zh] Nope.", "对。"]


def test_channels_are_told_apart(work_of) -> None:
    channels = (0, 1, 0)
    former = former_of(
        words("One.", "Tow.", "Three.", channels=channels),
        words("一。", "二。", "三。", language="zh", channels=channels),
    )
    spec = spec_of(heard=words("One.", "Two.", "Three.", channels=channels), former=former)

    assert texts_of(translate(spec, work_of(spec))) == ["一。", "[zh] Two.", "三。"]


def test_a_translation_that_does_not_fit_its_words_is_not_taken_over(work_of) -> None:
    other = Transcript(language="zh", text="全部。", segments=[Segment(id=0, text="全部。")])
    spec = spec_of(heard=words("One.", "Two."), former=former_of(words("One.", "Two."), other))

    assert texts_of(translate(spec, work_of(spec))) == ["[zh] One.", "[zh] Two."]


def test_sentences_of_a_text_are_taken_over_in_their_order(work_of) -> None:
    translated = Transcript(
        language="zh", text="一。\n二。",
        segments=[Segment(id=n, text=text) for n, text in enumerate(["一。", "二。"])],
    )  # fmt: skip
    former = Former(text="One.\nTwo.", translation=inline(translated.model_dump_json()))
    spec = spec_of(text="One.\nThree.", former=former)

    result = translate(spec, work_of(spec))

    assert texts_of(result) == ["一。", "[zh] Three."]
    assert transcript_in(result).text == "一。\n[zh] Three."
    uneven = former.model_copy(update={"text": "One. Two. And a half."})
    spec = spec_of(text="One.\nThree.", former=uneven)
    assert texts_of(translate(spec, work_of(spec))) == ["[zh] One.", "[zh] Three."]


def test_no_model_is_needed_where_nothing_changed(work_of) -> None:
    former = former_of(words("One.", "Two."), words("一。", "二。", language="zh"))
    spec = spec_of(heard=words("One."), former=former, model="not-here")

    assert texts_of(translate(spec, work_of(spec))) == ["一。"]


def test_what_was_flagged_stays_flagged(work_of) -> None:
    translated = words("一。", language="zh")
    flagged = translated.segments[0].model_copy(update={"flags": ["truncated"]})
    translated = translated.model_copy(update={"segments": [flagged]})
    spec = spec_of(heard=words("One."), former=former_of(words("One."), translated))

    assert transcript_in(translate(spec, work_of(spec))).segments[0].flags == ["truncated"]


def test_long_words_are_fetched_from_where_they_lie() -> None:
    kept = {
        "tasks/t/words": words("One.").model_dump_json(),
        "tasks/t/translation": words("一。", language="zh").model_dump_json(),
    }
    former = Former(
        transcript=Body(key="tasks/t/words"), transcript_url="https://a/",
        translation=Body(key="tasks/t/translation"), translation_url="https://b/",
    )  # fmt: skip
    asked = []

    def read(body: Body, url: str | None) -> str:
        asked.append(url)
        return kept[body.key]

    found = known_of(former, "en", read).find(Sentence("One.", 0.0, 1.0))

    assert found == Translation("一。", [])
    assert sorted(asked) == ["https://a/", "https://b/"]
