"""Simplified and Traditional Chinese through the stage: by no model, and around one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from driving import translate

from demo.grammar import sentences
from services.chinese import written_in
from services.model.catalog import ModelEntry
from services.model.stages import Place, TranslateResult, TranslateSpec
from services.model.transcript import Body, Segment, Transcript
from translator_worker.engines import Row
from translator_worker.engines.scripts import InEitherScript
from translator_worker.engines.stub import StubEngine

KNOWN = sentences(6, seed=21, held_out=True)

Translate = Callable[..., Transcript]


@pytest.fixture
def carry(settings_are, work_of) -> Translate:
    """The transcript that a job gives with the demo models at hand."""
    settings_are(demo_models=True)

    def carry(source: str, target: str, model: str = "nmt-demo", **more) -> Transcript:
        spec = TranslateSpec(
            model=model, source_language=source, target_language=target,
            output=Place(key="outputs/x", url="file:///nowhere"),
            output_text=Place(key="outputs/x.txt", url="file:///nowhere"), **more,
        )  # fmt: skip
        result: TranslateResult = translate(spec, work_of(spec))
        made = Transcript.model_validate_json(result.transcript.inline or "")
        assert result.text.inline == made.text
        return made

    return carry


def heard(language: str, *texts: str) -> Body:
    """A transcript whose segments follow each other, two seconds each."""
    segments = [
        Segment(id=number, start=2.0 * number, end=2.0 * number + 2, text=text)
        for number, text in enumerate(texts)
    ]
    whole = Transcript(language=language, text="".join(texts), segments=segments, duration=9.0)
    return Body(inline=whole.model_dump_json())


def test_one_script_becomes_the_other_by_sentences_that_keep_their_times(carry) -> None:
    transcript = heard("zh", "为了头发", "出发。后面的", "面条很长。")
    made = carry("zh", "zh-Hant", "opencc", transcript=transcript)
    assert [(s.start, s.end, s.text) for s in made.segments] == [
        (0.0, 3.0, "為了頭髮出發。"),
        (3.0, 6.0, "後面的麵條很長。"),
    ]
    assert (made.language, made.text, made.duration) == (
        "zh-Hant", "為了頭髮出發。後面的麵條很長。", 9.0,
    )  # fmt: skip
    back = carry("zh-Hant", "zh", "opencc", transcript=heard("zh-Hant", made.text))
    assert back.text == "为了头发出发。后面的面条很长。"


def test_a_text_in_both_scripts_keeps_its_lines(carry) -> None:
    made = carry("zh-Hant", "zh", "opencc", text="頭髮很長。\n\n他来了。皇后後面！")
    assert made.text == "头发很长。\n他来了。皇后后面！"


def test_a_model_that_writes_one_script_serves_the_other_in_the_same_words(carry) -> None:
    text = " ".join(each.text("en") for each in KNOWN)
    simplified = carry("en", "zh", text=text)
    traditional = carry("en", "zh-Hant", text=text)
    assert traditional.language == "zh-Hant"
    assert [s.text for s in traditional.segments] == [
        written_in(s.text, "zh-Hant") for s in simplified.segments
    ]
    assert traditional.text != simplified.text


@pytest.mark.parametrize("target", ["en", "ja"])
def test_a_model_that_reads_one_script_is_given_that(carry, target) -> None:
    text = "".join(each.text("zh") for each in KNOWN)
    simplified = carry("zh", target, text=text)
    traditional = carry("zh-Hant", target, text=written_in(text, "zh-Hant"))
    assert traditional.text == simplified.text


def test_a_model_that_has_both_scripts_is_asked_for_what_is_wanted(settings_are, carry) -> None:
    settings_are(stub_models=True)
    made = carry("en", "zh-Hant", "stub-nmt", text="One 头发.")
    assert made.text == "[zh-Hant] One 头发."  # the stub says it as it is: nothing was converted


def test_any_engine_is_asked_in_the_script_that_its_entry_names(
    settings_are, tmp_path, carry
) -> None:
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(
        '[[model]]\nname = "half"\nkind = "translate"\nengine = "stub"\n'
        'pairs = [["en", "zh"], ["zh", "en"]]\n'
    )
    settings_are(catalog_file=catalog)
    assert carry("en", "zh-Hant", "half", text="头发.").text == "[zh] 頭髮."
    assert carry("zh-Hant", "en", "half", text="頭髮。").text == "[en] 头发。"


def test_the_rows_of_a_batch_may_differ_in_their_scripts() -> None:
    half = ModelEntry(
        name="half", kind="translate", engine="stub", languages=["en", "zh", "zh-Hant"],
        pairs=[("en", "zh"), ("zh", "en"), ("de", "zh-Hant")],
    )  # fmt: skip
    rows = [
        Row("头发", "en", "zh"),
        Row("头发", "en", "zh-Hant"),
        Row("頭髮", "zh-Hant", "en"),
        Row("头发", "de", "zh-Hant"),
        Row("头发", "fr", "zh-Hant"),  # which it does not serve: it is asked as it is
    ]
    made = InEitherScript(StubEngine.of("1"), half).translate(rows, beam_size=None)
    assert [each.text for each in made] == [
        "[zh] 头发", "[zh] 頭髮", "[en] 头发", "[zh-Hant] 头发", "[zh-Hant] 头发",
    ]  # fmt: skip


def test_links_and_placeholders_keep_their_characters(carry) -> None:
    made = carry("zh", "zh-Hant", "opencc", text="看 https://x.com/a 和 {头发} 里的面条。")
    assert made.text == "看 https://x.com/a 和 {头发} 裡的麵條。"
