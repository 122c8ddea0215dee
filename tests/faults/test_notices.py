"""Each finding about webhooks has a ledger, made by hand, that must raise it; and none else."""

from __future__ import annotations

from typing import Any

from benchmarks.faults.checker import check
from benchmarks.faults.ledger import Entry

PACK = {"zh": {"a": {"A": "[zh] Hello."}}}
ATTEMPT = {
    "stage": "transcribe", "language": None, "source": None, "part": 0,
    "attempt": 1, "failure": "permanent", "dead": True,
}  # fmt: skip
EVENTS = ["task.succeeded", "task.failed", "item.transcribed", "language.completed", "job.dead"]
HEARD, ZH, END = ("item.transcribed", "a"), ("language.completed", "zh"), ("task.succeeded", "")


class Story:
    """One task that has ended, and one who listens."""

    def __init__(
        self, state: str = "succeeded", *, events: list[str] = EVENTS, lives: bool = True
    ) -> None:
        self.entries: list[Entry] = []
        attempts = [ATTEMPT] if state == "failed" else []
        cells = {"failed": 1} if attempts else {"done": 1}
        self.tell("sent", order="o1", allowed=[state], expected=PACK)
        self.tell("acked", order="o1", task="task1", seconds=0.1, tries=1)
        self.tell("final", task="task1", state=state, pack=PACK, cells=cells, attempts=attempts)
        self.tell("listens", name="well", tasks=["task1"], events=events, lives=lives)

    def tell(self, kind: str, **data: Any) -> Story:
        self.entries.append(Entry(len(self.entries) + 1.0, kind, data))
        return self

    def notice(self, told: tuple[str, str], **other: Any) -> Story:
        event, subject = told
        usual = {"name": "well", "id": f"msg_{event}", "task": "task1", "signed": True}
        given = {**usual, "answer": 204, **other}
        return self.tell("notice", event=event, subject=subject, **given)

    def findings(self) -> list[tuple[str, str]]:
        return [(each.kind, each.about) for each in check(self.entries)]


def told_all() -> Story:
    return Story().notice(HEARD).notice(ZH).notice(END)


def test_who_was_told_everything_has_no_complaint() -> None:
    assert told_all().findings() == []


def test_a_notice_may_come_again_under_its_id() -> None:
    assert told_all().notice(END, answer=500).notice(END).findings() == []


def test_a_notice_that_never_came_is_lost() -> None:
    assert Story().notice(HEARD).notice(END).findings() == [("lost", "task1")]


def test_a_notice_that_the_receiver_never_took_is_lost() -> None:
    story = Story().notice(HEARD).notice(ZH)
    assert story.notice(END, answer=500).notice(END, answer=0).findings() == [("lost", "task1")]


def test_a_receiver_that_does_not_live_misses_nothing() -> None:
    assert Story(lives=False).findings() == []


def test_who_wants_some_events_misses_no_others() -> None:
    assert Story(events=["task.succeeded"]).notice(END).findings() == []


def test_a_job_that_died_is_told_by_its_name() -> None:
    job = ("job.dead", "task1/transcribe/0/-/-/0/0")
    story = Story("failed").notice(("task.failed", ""))
    assert story.findings() == [("lost", "task1")]
    assert story.notice(job).findings() == []


def test_an_event_under_two_ids_is_doubled() -> None:
    assert told_all().notice(END, id="msg_other").findings() == [("doubled", "task1")]


def test_one_id_for_two_events_is_wrong() -> None:
    story = Story().notice(HEARD).notice(ZH, id="msg_same").notice(END, id="msg_same")
    assert story.findings() == [("wrong", "msg_same")]


def test_a_bad_signature_is_wrong() -> None:
    assert told_all().notice(END, signed=False).findings() == [("wrong", "task1")]


def test_what_is_told_to_somebody_else_is_wrong() -> None:
    stolen = told_all().notice(END, name="well/stolen", id="msg_stolen")
    assert stolen.findings() == [("wrong", "task1")]
    foreign = told_all().notice(END, task="task2", id="msg_foreign")
    assert foreign.findings() == [("wrong", "task2")]
    unwanted = Story(events=["task.succeeded"]).notice(END).notice(HEARD)
    assert unwanted.findings() == [("wrong", "task1")]


def test_what_never_happened_is_wrong() -> None:
    other = told_all().notice(("language.completed", "ja"), id="msg_ja")
    assert other.findings() == [("wrong", "task1")]
