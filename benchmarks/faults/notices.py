"""Judges by the ledger what webhooks have told: to each who listens everything, once by its id, to
nobody anything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from benchmarks.faults.findings import Finding
from benchmarks.faults.ledger import Entry
from benchmarks.faults.timeline import place_of

Told = tuple[str, str]  # event and subject: the text id, the language, the job, or nothing

_SUBJECTS = {"item.transcribed": "text_id", "language.completed": "language", "job.dead": "job"}


def subject_of(event: str, data: dict[str, str]) -> str:
    """What of its task an event is about."""
    return data[_SUBJECTS[event]] if event in _SUBJECTS else ""


def check_notices(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Of a run without receivers, or one that broke before they were named, it says nothing."""
    listeners = {each["name"]: each for each in entries if each.kind == "listens"}
    if not listeners:
        return
    notices = [each for each in entries if each.kind == "notice"]
    expected = _expected(entries)
    for listener in listeners.values():
        yield from _all_arrived(listener, notices, expected)
    for each in notices:
        yield from _was_right(each, listeners.get(each["name"]), expected)
    yield from _one_id_each(notices)


def _expected(entries: Sequence[Entry]) -> dict[str, set[Told]]:
    """What is to be told of each task that has succeeded or failed."""
    sent = {each["order"]: each["expected"] for each in entries if each.kind == "sent"}
    packs = {each["task"]: sent[each["order"]] for each in entries if each.kind == "acked"}
    found: dict[str, set[Told]] = {}
    for final in entries:
        if final.kind != "final" or final["state"] not in {"succeeded", "failed"}:
            continue
        task, pack = final["task"], packs.get(final["task"], {})
        found[task] = {(f"task.{final['state']}", "")}
        if final["state"] == "failed":
            found[task] |= {
                ("job.dead", place_of(task, each)) for each in final["attempts"] if each["dead"]
            }
            continue
        found[task] |= {("language.completed", language) for language in pack}
        found[task] |= {
            ("item.transcribed", text_id)
            for texts in pack.values()
            for text_id, sources in texts.items()
            if "A" in sources
        }
    return found


def _all_arrived(
    listener: Entry, notices: Sequence[Entry], expected: dict[str, set[Told]]
) -> Iterator[Finding]:
    """At least once, and the receiver took it."""
    if not listener["lives"]:
        return
    taken = {
        (each["task"], each["event"], each["subject"])
        for each in notices
        if each["name"] == listener["name"] and 200 <= each["answer"] < 300
    }
    for task in listener["tasks"]:
        for event, subject in sorted(expected.get(task, ())):
            if event in listener["events"] and (task, event, subject) not in taken:
                told = f"{listener['name']} was never told {event} {subject}".rstrip()
                yield Finding("lost", task, told)


def _was_right(
    notice: Entry, listener: Entry | None, expected: dict[str, set[Told]]
) -> Iterator[Finding]:
    """Signed, and meant for who got it."""
    name, event, task = notice["name"], notice["event"], notice["task"]
    what = f"{event} {notice['subject']}".rstrip()
    if not notice["signed"]:
        yield Finding("wrong", task, f"{name} was told {what} with a bad signature")
    if listener is None or task not in listener["tasks"] or event not in listener["events"]:
        yield Finding("wrong", task, f"{name} was told {what}, which is not for it")
    elif task in expected and (event, notice["subject"]) not in expected[task]:
        yield Finding("wrong", task, f"{name} was told {what}, which never happened")


def _one_id_each(notices: Sequence[Entry]) -> Iterator[Finding]:
    """However often a notice comes, it has one id, which no other has."""
    ids: dict[tuple[str, str, Told], set[str]] = defaultdict(set)
    meanings: dict[str, set[tuple[str, str, Told]]] = defaultdict(set)
    for each in notices:
        about = each["name"], each["task"], (each["event"], each["subject"])
        ids[about].add(each["id"])
        meanings[each["id"]].add(about)
    for (name, task, told), several in ids.items():
        if len(several) > 1:
            yield Finding("doubled", task, f"{name} was told {told} under {sorted(several)}")
    for message_id, several_meanings in meanings.items():
        if len(several_meanings) > 1:
            yield Finding("wrong", message_id, f"one id for {sorted(several_meanings)}")
