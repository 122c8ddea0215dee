"""What every store promises of outputs, packs and events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from store_factories import AWKWARD, NOW, a_pack, an_event, an_output

from services.model.task import TaskEvent
from services.model.transcript import Body
from task_manager.store.protocol import Store


@pytest.mark.parametrize(
    ("version", "attempt", "replaces"),
    [(0, 1, False), (0, 2, False), (0, 3, True), (1, 0, True)],
)
def test_only_a_higher_version_and_attempt_replaces_an_output(
    store: Store, *, version: int, attempt: int, replaces: bool
) -> None:
    first = an_output(attempt=2, facts=AWKWARD, body=Body(key="k", size=5))
    second = an_output(version=version, attempt=attempt, text=Body(inline="再见"))
    assert store.put_output(first)

    assert store.put_output(second) is replaces
    assert store.output(first.id) == (second if replaces else first)


def test_a_transcript_becomes_a_cell_and_no_cell_a_transcript(store: Store) -> None:
    heard, cell = (an_output(kind=kind, attempt=2) for kind in ("transcript", "identity"))
    store.put_output(heard)

    assert store.put_output(cell)
    assert not store.put_output(heard)
    assert not store.put_output(cell)
    assert store.output(cell.id) == cell


def test_versions_are_kept_beside_the_output_and_never_replaced(store: Store) -> None:
    output = an_output(language="zh")
    for number, by in ((0, ""), (4, "fs_a"), (11, "fs_b")):
        store.put_version(output.model_copy(update={"version": number, "corrected_by": by}))
    store.put_version(output.model_copy(update={"version": 4, "text": Body(inline="later")}))
    store.put_version(an_output(language="zh-Hant", version=7, facts=AWKWARD))

    found = store.version_lines(output.id)
    assert [(line.version, line.corrected_by) for line in found] == [
        (0, ""), (4, "fs_a"), (11, "fs_b"),
    ]  # fmt: skip
    assert {line.created_at for line in found} == {NOW}
    newest = {at_most: store.version(output.id, at_most) for at_most in (0, 3, 4, 10, 11, 99)}
    assert {at_most: each and each.version for at_most, each in newest.items()} == {
        0: 0, 3: 0, 4: 4, 10: 4, 11: 11, 99: 11,
    }  # fmt: skip
    assert newest[4] == output.model_copy(update={"version": 4, "corrected_by": "fs_a"})
    assert store.version(an_output(language="zh-Hant").id, 6) is None
    assert store.version(an_output(language="zh-Hant").id, 7).facts == AWKWARD
    assert store.output(output.id) is None
    assert store.outputs("t") == []


def test_lines_of_outputs_tell_their_version_and_who_corrected_them(store: Store) -> None:
    store.put_output(an_output())
    store.put_output(an_output(version=3, corrected_by="fs_a"))

    (line,) = store.output_lines("t", 0, 0)
    assert (line.version, line.corrected_by) == (3, "fs_a")


def test_an_unknown_output_is_none(store: Store) -> None:
    assert store.output("t/0/A/zh") is None


def test_the_lines_of_outputs_are_all_but_their_texts(store: Store) -> None:
    for item in range(4):
        store.put_output(an_output(item, "T", kind="identity"))
        store.put_output(an_output(item, "A", "de", kind="transcript", facts=AWKWARD))
        store.put_output(an_output(item, "A", "zh"))
    store.put_output(an_output(1, "A", "zh", attempt=3, facts={"now": True}))

    lines = store.output_lines("t", 1, 2)

    assert [(line.item, line.source, line.language, line.kind) for line in lines] == [
        (item, *rest)
        for item in (1, 2)
        for rest in [
            ("A", "de", "transcript"), ("A", "zh", "translation"), ("T", "zh", "identity"),
        ]
    ]  # fmt: skip
    assert [line.facts for line in lines] == [AWKWARD, {"now": True}, {}, AWKWARD, {}, {}]


def test_outputs_come_by_item_then_source_then_language(store: Store) -> None:
    places = [
        (item, source, language)
        for item in (0, 2, 10)
        for source in "AT"
        for language in ("de", "zh", "zh-Hant")
    ]
    for place in reversed(places):
        store.put_output(an_output(*place))
    store.put_output(an_output(task_id="other"))

    def found(**asked: object) -> list[tuple[int, str, str]]:
        outputs = store.outputs("t", **asked)  # type: ignore[arg-type]
        return [(output.item, output.source, output.language) for output in outputs]

    assert places == found()
    assert [place for place in places if place[0] == 2] == found(first=1, last=9)
    assert [place for place in places if place[2] == "zh"] == found(language="zh")
    assert [(10, "A", "de"), (10, "T", "de")] == found(first=3, language="de")
    assert len(places) == store.count_outputs("t")


@pytest.mark.parametrize(("revision", "replaces"), [(0, False), (1, False), (2, True)])
def test_only_a_higher_revision_replaces_a_pack(
    store: Store, *, revision: int, replaces: bool
) -> None:
    first, second = a_pack(), a_pack(revision=revision, body="{}")
    assert store.put_pack(first)

    assert store.put_pack(second) is replaces
    assert store.pack("t", "zh") == (second if replaces else first)
    assert store.pack("t", "ja") is None


def test_events_are_numbered_from_one_and_read_from_any_number(store: Store) -> None:
    assert store.last_event("t") == 0
    assert [1, 2, 3] == [store.append_event(an_event("item", {"n": n})) for n in range(3)]
    assert store.append_event(an_event("state", AWKWARD, "other")) == 1

    assert [2, 3] == [event.number for event in store.events("t", after=1, limit=9)]
    assert [1] == [event.number for event in store.events("t", limit=1)]
    assert store.last_event("t") == 3
    assert store.events("other", limit=9)[0].data == AWKWARD


def test_events_of_many_writers_have_no_gaps(store: Store) -> None:
    def write(writer: int) -> list[int]:
        return [store.append_event(an_event("item", {"writer": writer})) for _ in range(10)]

    with ThreadPoolExecutor(8) as threads:
        numbers = [number for some in threads.map(write, range(8)) for number in some]

    assert list(range(1, 81)) == sorted(numbers)
    assert list(range(1, 81)) == [event.number for event in store.events("t", limit=100)]


def test_an_event_under_a_number_that_is_taken_is_not_written(store: Store) -> None:
    store.append_event(an_event("state", {"by": "the first"}))
    second = TaskEvent(task_id="t", number=1, at=NOW, kind="state", data={"by": "the second"})

    assert not store.insert_event(second)
    assert store.insert_event(second.model_copy(update={"number": 2}))
    assert ["the first", "the second"] == [e.data["by"] for e in store.events("t", limit=9)]


def test_a_transcript_that_no_target_asked_for_is_no_cell(store: Store) -> None:
    kinds = {"en": "transcript", "zh": "identity", "de": "translation"}
    for language, kind in kinds.items():
        output = an_output(language=language)
        store.put_output(output.model_copy(update={"kind": kind}))

    assert 2 == store.count_outputs("t")
