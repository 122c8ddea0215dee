"""Each sentence is translated once: what is known again, what is not, and what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from driving import run, translate

from demo.grammar import sentences
from services.model.remembered import LONGEST
from services.model.stages import Place, TranslateResult, TranslateSpec
from services.model.transcript import Transcript
from services.worker.bundle import Bundle
from translator_worker.batches import Answered, Asked, Talk, sharing_batches
from translator_worker.engines import Row, Translation
from translator_worker.remembering import in_context, one_by_one


def rows_of(*texts: str, target: str = "de") -> list[Row]:
    return [Row(text, "en", target) for text in texts]


class Tried:
    """An engine that makes `<text>`, with flags for some, and keeps what it was asked for."""

    def __init__(self, **flags: list[str]) -> None:
        self.flags = flags
        self.batches: list[list[str]] = []
        self.fails: set[str] = set()

    def translate(self, rows, *, beam_size) -> list[Translation]:
        texts = [row.text for row in rows]
        self.batches.append(texts)
        if self.fails.intersection(texts):
            raise RuntimeError("one of them is to blame")
        return [Translation(f"<{text}>", self.flags.get(text, [])) for text in texts]

    @property
    def texts(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


class Answers:
    """What the jobs of one claim were told, by job; their calls to the cache are in `lookups`."""

    def __init__(self) -> None:
        self.of: dict[str, Answered] = {}
        self.lookups: list[dict[str, list[str]]] = []

    def texts(self, job: str) -> list[str]:
        return [each.text for each in self.of[job].translations]


@pytest.fixture
def claim(work_of):
    """Works on the rows of several jobs, each with what it depends on; `of` names their tasks.
    With `beside` the rows of a job are one whole."""

    def answer(engine, jobs, *, on="m", memory=None, of=None, beside=None) -> Answers:
        told = Answers()
        works = [work_of(spec_of("x"), job=job) for job in jobs]
        for work in works:
            work.memory = {} if memory is None else memory
            if of is not None:
                task = of[work.grant.job]
                work.grant = work.grant.model_copy(update={"task": task})

        def talk(_: TranslateSpec, work) -> Talk:
            rows = jobs[work.grant.job]
            whole = beside is not None
            names = in_context(rows, on, beside) if whole else one_by_one(rows, on)
            told.of[work.grant.job] = yield Asked(engine, rows, None, names, whole=whole)
            return None  # type: ignore[return-value]

        @contextmanager
        def turn(_) -> Iterator[None]:
            yield

        def recall(wanted):
            told.lookups.append({work.grant.job: names for work, names in wanted.items()})
            return {
                work: {name: work.memory[name] for name in names if name in work.memory}
                for work, names in wanted.items()
            }

        list(sharing_batches(talk)(Bundle(works, turn, recall)))
        return told

    return answer


def spec_of(text: str, **more) -> TranslateSpec:
    place = Place(key="outputs/x", url="file:///nowhere")
    given = {"model": "tiny-nmt", "source_language": "en", "target_language": "zh", **more}
    return TranslateSpec(text=text, output=place, output_text=place, **given)


def test_what_comes_twice_is_made_once_and_stands_twice(claim) -> None:
    engine = Tried()

    answers = claim(engine, {"j": rows_of("a", "b", "a", "c", "b")})

    assert answers.texts("j") == ["<a>", "<b>", "<a>", "<c>", "<b>"]
    assert (engine.batches, answers.of["j"].recalled) == ([["a", "b", "c"]], 0)
    assert [len(each["j"]) for each in answers.lookups] == [3]


def test_what_is_remembered_is_not_made(claim) -> None:
    memory: dict[str, str] = {}
    claim(Tried(), {"j": rows_of("a")}, memory=memory)
    engine = Tried()

    answers = claim(engine, {"j": rows_of("a", "b", "a")}, memory=memory)

    assert answers.texts("j") == ["<a>", "<b>", "<a>"]
    assert (engine.texts, answers.of["j"].recalled) == (["b"], 2)
    again = Tried()
    assert claim(again, {"j": rows_of("a", "b", "a")}, memory=memory).of["j"].recalled == 3
    assert again.texts == []


@pytest.mark.parametrize(
    "other", [{"text": "b"}, {"source": "fr"}, {"target": "ja"}, {"on": "another model"}]
)
def test_a_translation_that_depends_on_anything_else_is_another(claim, other) -> None:
    given = {"text": "a", "source": "en", "target": "de", "on": "m"}
    memory: dict[str, str] = {}
    for values in (given, given | other):
        row, engine = Row(values["text"], values["source"], values["target"]), Tried()
        claim(engine, {"j": [row]}, on=values["on"], memory=memory)
        assert engine.texts == [row.text]


def test_what_looks_wrong_or_is_empty_or_endless_is_not_kept(claim) -> None:
    memory: dict[str, str] = {}
    rows = rows_of("odd", "x" * (LONGEST - 1), "fine")
    claim(Tried(odd=["truncated"]), {"j": rows}, memory=memory)

    assert list(memory.values()) == ["<fine>"]


def test_lines_that_explain_each_other_are_known_again_all_or_none(claim) -> None:
    memory: dict[str, str] = {}
    rows = rows_of("a", "b", "b", "b")
    first, second, third = Tried(), Tried(), Tried()

    answers = claim(first, {"j": rows}, memory=memory, beside=1)
    assert answers.texts("j") == ["<a>", "<b>", "<b>", "<b>"]
    assert first.batches == [["a", "b", "b", "b"]]
    assert claim(second, {"j": rows}, memory=memory, beside=1).of["j"].recalled == 4
    assert second.batches == []
    answers = claim(third, {"j": rows_of("a", "b", "b", "c")}, memory=memory, beside=1)
    assert (answers.texts("j")[3], answers.of["j"].recalled) == ("<c>", 0)
    assert third.batches == [["a", "b", "b", "c"]]


def test_a_line_between_other_neighbours_is_another(claim) -> None:
    memory: dict[str, str] = {}
    rows = rows_of("yes", "no")
    claim(Tried(), {"j": rows}, memory=memory, beside=1)
    for one in (rows[:1], rows[1:]):
        alone = Tried()
        assert claim(alone, {"j": one}, memory=memory, beside=1).of["j"].recalled == 0
        assert alone.texts == [one[0].text]

    assert claim(Tried(), {"j": rows}, memory=memory, beside=0).of["j"].recalled == 2


def test_nothing_to_translate_asks_for_nothing(claim) -> None:
    for beside in (None, 3):
        answers = claim(Tried(), {"j": []}, beside=beside)
        assert (answers.of["j"].translations, answers.of["j"].recalled) == ([], 0)
        assert answers.lookups == []


# ── jobs of one claim ────────────────────────────────────────────────────────────────────────


def test_all_jobs_of_a_claim_ask_by_one_call(claim) -> None:
    jobs = {f"j{n}": rows_of(f"{n} a", f"{n} b") for n in range(64)}

    answers = claim(Tried(), jobs)

    assert [len(each) for each in answers.lookups] == [64]
    assert answers.texts("j63") == ["<63 a>", "<63 b>"]


def test_jobs_of_a_task_share_what_any_of_them_makes(claim) -> None:
    engine = Tried(odd=["truncated"])
    jobs = {"j0": rows_of("a", "odd"), "j1": rows_of("odd", "b", "a"), "j2": rows_of("a")}

    answers = claim(engine, jobs)

    assert engine.batches == [["a", "odd", "b"]]
    assert answers.texts("j1") == ["<odd>", "<b>", "<a>"]
    assert answers.of["j1"].translations[0].flags == ["truncated"]
    assert [answers.of[job].recalled for job in jobs] == [0, 2, 1]


def test_whole_texts_of_a_task_are_made_once(claim) -> None:
    engine = Tried()
    rows = rows_of("a", "b")

    answers = claim(engine, {"j0": rows, "j1": rows}, beside=1)

    assert engine.batches == [["a", "b"]]
    assert answers.texts("j1") == answers.texts("j0") == ["<a>", "<b>"]


def test_jobs_of_different_tasks_share_nothing(claim) -> None:
    engine = Tried()

    answers = claim(engine, {"j0": rows_of("a"), "j1": rows_of("a")}, of={"j0": "t", "j1": "u"})

    assert engine.texts == ["a", "a"]
    assert [each.recalled for each in answers.of.values()] == [0, 0]


def test_what_a_job_does_not_get_to_make_is_made_by_the_next(claim) -> None:
    engine = Tried()
    engine.fails = {"bad"}

    answers = claim(engine, {"j0": rows_of("a", "bad"), "j1": rows_of("a", "b")})

    assert list(answers.of) == ["j1"]
    assert answers.texts("j1") == ["<a>", "<b>"]
    assert engine.batches == [["a", "bad", "b"], ["a", "bad"], ["b"], ["a"]]


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


def test_a_sentence_comes_out_of_a_claim_as_it_does_alone(settings_are, work_of) -> None:
    settings_are(demo_models=True)
    lines = [each.text("en") for each in sentences(6, seed=9, held_out=True)]
    texts = ["\n".join(lines[n : n + 3]) for n in range(4)]
    specs = [spec_of(text, model="nmt-demo") for text in texts]
    alone = [translate(spec, work_of(spec)).text.inline for spec in specs]

    works = [work_of(spec, job=f"j{n}") for n, spec in enumerate(specs)]
    told = {one.work.grant.job: one.ended for outcomes in run(works) for one in outcomes}

    together = [told[f"j{n}"] for n in range(4)]
    assert all(isinstance(result, TranslateResult) for result in together)
    assert [result.text.inline for result in together] == alone
    assert [result.recalled for result in together] == [0, 2, 2, 2]


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
