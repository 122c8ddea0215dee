"""Two languages in one cue: the same sentences, at the same times."""

from __future__ import annotations

import json
from collections import Counter

import pysubs2
import webvtt
from hypothesis import given
from spoken import STYLES, hostile_transcripts, likely_transcripts, transcript

from services.model.transcript import Segment, Transcript, Word
from services.sentences import of_segments
from task_manager.render import CueStyle, Shown, render
from task_manager.render.columns import clean, width
from task_manager.render.cues import cues

SOURCE = transcript(
    (0.5, 6.0, "Subtitles are read by people. They also want"),
    (6.0, 9.0, "to see the picture, and so lines are short. OK?"),
)
GERMAN = transcript(
    (0.5, 4.2, "Untertitel werden von Menschen gelesen."),
    (4.2, 8.7, "Die wollen auch das Bild sehen, und deshalb sind die Zeilen kurz."),
    (8.7, 9.0, "Klar?"),
    language="de",
)


def seen(text: str) -> str:
    return "".join(text.split())


def translated(text: Transcript, language: str = "de") -> Transcript:
    """Each sentence with the times that a translator worker would give it."""
    sentences = of_segments(text.segments, text.language)
    return Transcript(
        language=language,
        text="",
        segments=[
            Segment(
                id=n, start=each.start, end=each.end, text=f"»{each.text}«", channel=each.channel
            )
            for n, each in enumerate(sentences)
        ],
    )


@given(likely_transcripts(channels=True))
def test_each_sentence_stands_with_its_own_translation(source) -> None:
    """Cut by time alone, the source comes apart exactly where the translator cut it."""
    pairs = Shown((translated(source), source)).lines()
    instants = Counter(each.start for each in source.segments if each.start == each.end)
    if not instants:  # what took no time cannot be told apart by time
        assert [seen(one) for one, _ in pairs] == [f"»{seen(two)}«" for _, two in pairs]


@given(hostile_transcripts() | likely_transcripts(), likely_transcripts(), STYLES)
def test_no_word_of_either_language_is_lost_or_moved(one, two, style) -> None:
    for texts in ((one, two), (two, one)):
        found = cues(Shown(texts), style)
        for number, text in enumerate(texts):
            lines = [line for cue in found for line in cue.texts[number]]
            widest = style.reading(text.language).max_width
            assert seen("".join(lines)) == seen("".join(clean(s.text) for s in text.segments))
            assert all(width(line) <= widest for line in lines)
            assert all(len(cue.texts[number]) <= style.max_lines for cue in found)


def test_the_first_language_stands_above_the_second() -> None:
    assert render(Shown((GERMAN, SOURCE)), "srt") == (
        "1\n00:00:00,500 --> 00:00:04,117\n"
        "Untertitel werden von Menschen gelesen.\nSubtitles are read by people.\n\n"
        "2\n00:00:04,200 --> 00:00:08,617\n"
        "Die wollen auch das Bild sehen,\nund deshalb sind die Zeilen kurz.\n"
        "They also want to see the picture,\nand so lines are short.\n\n"
        "3\n00:00:08,700 --> 00:00:09,533\nKlar?\nOK?\n"
    )
    above = render(Shown((SOURCE, GERMAN), sentences=1), "srt")
    assert above.startswith(
        "1\n00:00:00,500 --> 00:00:04,117\n"
        "Subtitles are read by people.\nUntertitel werden von Menschen gelesen.\n\n"
    )


def test_vtt_names_the_second_language_and_ass_has_a_style_for_it() -> None:
    (first, *_) = webvtt.from_string(render(Shown((GERMAN, SOURCE)), "vtt")).captions
    assert first.text == "Untertitel werden von Menschen gelesen.\nSubtitles are read by people."
    assert first.raw_text.endswith("<lang en>Subtitles are read by people.</lang>")
    read = pysubs2.SSAFile.from_string(render(Shown((GERMAN, SOURCE)), "ass"))
    assert {"Default", "Second"} <= set(read.styles)
    assert read[0].text.endswith(r"\N{\rSecond}Subtitles are read by people.")
    assert read[0].plaintext == first.text


def test_txt_has_the_two_line_under_line() -> None:
    assert render(Shown((GERMAN, SOURCE)), "txt").startswith(
        "Untertitel werden von Menschen gelesen.\nSubtitles are read by people.\n\n"
        "Die wollen auch das Bild sehen, und deshalb sind die Zeilen kurz.\n"
        "They also want to see the picture, and so lines are short.\n\n"
    )


def test_json_has_both_transcripts_and_the_cues_of_both() -> None:
    told = json.loads(render(Shown((GERMAN, SOURCE)), "json"))
    assert Transcript.model_validate(told["with"]) == SOURCE
    assert told["language"] == "de"
    (first, *_) = told["cues"]
    assert [each["language"] for each in first["texts"]] == ["de", "en"]
    assert [each["lines"] for each in first["texts"]] == [
        ["Untertitel werden von Menschen gelesen."], ["Subtitles are read by people."],
    ]  # fmt: skip


def test_texts_that_nobody_spoke_stand_side_by_side_line_by_line() -> None:
    def written(text: str, language: str) -> Transcript:
        segments = [Segment(id=0, text=text)]
        return Transcript(language=language, text=text, segments=segments)

    english, german = written("One.\nTwo.", "en"), written("Eins.\nZwei.", "de")
    assert render(Shown((german, english)), "txt") == "Eins.\nOne.\n\nZwei.\nTwo.\n"
    longer = written("Eins.\nZwei.\nDrei.", "de")
    assert render(Shown((longer, english)), "txt") == "Eins. Zwei. Drei.\nOne. Two.\n"


def test_words_that_the_other_language_lacks_are_shown_without_it() -> None:
    for segments in (GERMAN.segments[:1], []):
        lacking = GERMAN.model_copy(update={"segments": segments})
        found = cues(Shown((lacking, SOURCE)), CueStyle())
        assert seen("".join(line for cue in found for line in cue.texts[1])) == seen(SOURCE.text)
    assert all(cue.texts[0] == [] for cue in found)


def test_words_of_the_source_say_when_both_languages_are_cut() -> None:
    text = "Nobody knew where the old man came from and nobody ever asked him about it at all"
    words = [
        Word(start=n * 0.2 + 6 * (n > 7), end=n * 0.2 + 0.2 + 6 * (n > 7), text=f" {word}")
        for n, word in enumerate(text.split(" "))
    ]
    end = words[-1].end
    segment = Segment(id=0, start=0, end=end, text=text, words=words)
    source = Transcript(language="en", text=text, segments=[segment])
    german = transcript(
        (0, end, "Niemand wusste, woher der alte Mann kam, und nie fragte ihn jemand danach."),
        language="de",
    )
    found = cues(Shown((german, source)), CueStyle(max_width=42, max_lines=1))
    assert [cue.texts for cue in found] == [
        [["Niemand wusste, woher der alte Mann kam,"], ["Nobody knew where the old man came from"]],
        [["und nie fragte ihn jemand danach."], ["and nobody ever asked him about it at all"]],
    ]
    assert [round(cue.start, 2) for cue in found] == [0, 7.6]
