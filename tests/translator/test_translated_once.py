"""Each sentence is translated once: what is known again, what is not, and what is kept."""

from __future__ import annotations

import pytest
from driving import translate

from demo.grammar import sentences
from services.model.remembered import LONGEST
from services.model.stages import Place, TranslateSpec
from services.model.transcript import Transcript
from translator_worker.engines import Row, Translation
from translator_worker.remembering import Once, together


def rows_of(*texts: str, target: str = "de") -> list[Row]:
    return [Row(text, "en", target) for text in texts]


class Asked:
    """What was to be made, and what came of it: `<text>`, and flags for some."""

    def __init__(self, rows: list[Row], **flags: list[str]) -> None:
        self.rows = rows
        self.flags = flags
        self.numbers: list[int] = []

    def __call__(self, numbers: list[int]) -> list[Translation]:
        self.numbers = numbers
        texts = [self.rows[number].text for number in numbers]
        return [Translation(f"<{text}>", self.flags.get(text, [])) for text in texts]


def one_by_one(rows, on, work, make):
    """What a job does with its rows where each stands for itself."""
    once = Once(rows, on, work)
    made = make(once.numbers) if once.numbers else []
    return once.completed(made), once.recalled


@pytest.fixture
def work(work_of):
    return work_of(spec_of("Hello."))


def spec_of(text: str, **more) -> TranslateSpec:
    place = Place(key="outputs/x", url="file:///nowhere")
    given = {"model": "tiny-nmt", "source_language": "en", "target_language": "zh", **more}
    return TranslateSpec(text=text, output=place, output_text=place, **given)


def texts_of(answer: tuple[list[Translation], int]) -> list[str]:
    return [translation.text for translation in answer[0]]


def test_what_comes_twice_is_made_once_and_stands_twice(work) -> None:
    rows = rows_of("a", "b", "a", "c", "b")
    asked = Asked(rows)

    answer = one_by_one(rows, "m", work, asked)

    assert texts_of(answer) == ["<a>", "<b>", "<a>", "<c>", "<b>"]
    assert (asked.numbers, answer[1]) == ([0, 1, 3], 0)
    assert [len(digests) for digests in work.asked] == [3]


def test_what_is_remembered_is_not_made(work) -> None:
    rows = rows_of("a", "b", "a")
    one_by_one(rows[:1], "m", work, Asked(rows))
    asked = Asked(rows)

    answer = one_by_one(rows, "m", work, asked)

    assert texts_of(answer) == ["<a>", "<b>", "<a>"]
    assert (asked.numbers, answer[1]) == ([1], 2)
    again = Asked(rows)
    assert one_by_one(rows, "m", work, again)[1] == 3
    assert again.numbers == []


@pytest.mark.parametrize(
    "other", [{"text": "b"}, {"source": "fr"}, {"target": "ja"}, {"on": "another model"}]
)
def test_a_translation_that_depends_on_anything_else_is_another(work, other) -> None:
    given = {"text": "a", "source": "en", "target": "de", "on": "m"}
    for values in (given, given | other):
        row = Row(values["text"], values["source"], values["target"])
        asked = Asked([row])
        one_by_one([row], values["on"], work, asked)
        assert asked.numbers == [0]


def test_what_looks_wrong_or_is_empty_or_endless_is_not_kept(work) -> None:
    rows = rows_of("odd", "x" * (LONGEST - 1), "fine")
    one_by_one(rows, "m", work, Asked(rows, odd=["truncated"]))
    one_by_one(rows_of("blank"), "m", work, lambda _: [Translation("")])

    assert list(work.memory.values()) == ["<fine>"]


def test_lines_that_explain_each_other_are_known_again_all_or_none(work) -> None:
    rows = rows_of("a", "b", "b", "b")
    first, second, third = Asked(rows), Asked(rows), Asked(rows_of("a", "b", "b", "c"))

    assert texts_of(together(rows, "m", 1, work, first)) == ["<a>", "<b>", "<b>", "<b>"]
    assert first.numbers == [0, 1, 2, 3]
    assert together(rows, "m", 1, work, second)[1] == 4
    assert second.numbers == []
    answer = together(third.rows, "m", 1, work, third)
    assert (texts_of(answer)[3], answer[1], third.numbers) == ("<c>", 0, [0, 1, 2, 3])


def test_a_line_between_other_neighbours_is_another(work) -> None:
    rows = rows_of("yes", "no")
    together(rows, "m", 1, work, Asked(rows))
    for one in (rows[:1], rows[1:]):
        alone = Asked(one)
        assert together(one, "m", 1, work, alone)[1] == 0
        assert alone.numbers == [0]

    assert together(rows, "m", 0, work, Asked(rows))[1] == 2


def test_nothing_to_translate_asks_for_nothing(work) -> None:
    assert one_by_one([], "m", work, Asked([])) == ([], 0)
    assert together([], "m", 3, work, Asked([])) == ([], 0)


# ── through the stage ────────────────────────────────────────────────────────────────────────


def transcript_in(result) -> Transcript:
    return Transcript.model_validate_json(result.transcript.inline)


def test_a_second_job_of_the_same_sentences_is_the_same_and_needs_no_engine(
    settings_are, work_of
) -> None:
    settings_are(demo_models=True)
    one, two = (each.text("en") for each in sentences(2, seed=9, held_out=True))
    spec = spec_of(f"{one}\n{two} {one}", model="nmt-demo")
    first, second, third = work_of(spec), work_of(spec), work_of(spec)
    made = translate(spec, first)
    assert (made.recalled, len(first.asked[0]), len(first.memory)) == (0, 2, 2)

    second.memory = first.memory
    again = translate(spec, second)

    assert transcript_in(again) == transcript_in(made)
    assert (again.recalled, second.fractions) == (3, [])
    third.memory = dict.fromkeys(first.memory, "from memory")
    assert translate(spec, third).text.inline == "from memory\nfrom memoryfrom memory"


def test_another_beam_is_another_translation(settings_are, work_of) -> None:
    settings_are(demo_models=True)
    one = sentences(1, seed=9, held_out=True)[0].text("en")
    spec = spec_of(one, model="nmt-demo", beam_size=1)
    work = work_of(spec)
    translate(spec, work)

    assert translate(spec_of(one, model="nmt-demo", beam_size=2), work).recalled == 0
    assert translate(spec, work).recalled == 1


def test_a_stub_remembers_nothing(settings_are, work_of) -> None:
    settings_are(stub_models=True)
    spec = spec_of("One. One.", model="stub-nmt")
    work = work_of(spec)

    assert translate(spec, work).recalled == 0
    assert (work.asked, work.memory) == ([], {})
