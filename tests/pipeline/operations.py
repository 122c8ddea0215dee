"""Every operation that writes, and how the world is brought to where it may happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crashing import Crash, Point
from hand import QUEUES
from world import Lease, World, unheard

from services.model.correction import Correction
from services.model.errors import FailureClass as F
from services.model.messages import Failure, NodeBeat, Progress
from services.model.task import Target, Task
from services.model.transcript import Segment, output_id
from task_manager.corrections import Writer, correction_of
from task_manager.pipeline import Pipeline
from task_manager.pipeline.settle import look_over, settle
from task_manager.schemas.correction import Corrected, CorrectedSegment
from task_manager.ticker.announce import announce
from task_manager.ticker.expand import Unfinished, finish_expansions
from task_manager.ticker.reap import Watch, reap


@dataclass(frozen=True)
class Operation:
    """`before` brings a fresh world to the place; `act` is the operation by one manager, and may
    be repeated by whoever asked for it. `audio` is false where a text is enough."""

    name: str
    before: Callable[[World], Any]
    act: Callable[[World, Pipeline, Any], Any]
    audio: bool = True
    changes: bool = False  # words are corrected, so packs are others than of an undisturbed task

    def __str__(self) -> str:
        return self.name


def _nothing(world: World) -> None:
    """A fresh world."""


def _accepted(world: World) -> None:
    world.accept()


def _at(stage: str, nth: int = 1, **wanted: Any) -> Callable[[World], Lease]:
    def before(world: World) -> Lease:
        world.accept()
        lease = world.advance(stage, nth, **wanted)
        world.hand.beat(lease.grant, token=lease.token)
        return lease

    return before


def _succeed(world: World, manager: Pipeline, lease: Lease) -> None:
    assert world.finish(lease, manager) in {200, 409, 410}


def _failing(failure: F) -> Callable[[World, Pipeline, Lease], None]:
    said = Failure(failure=failure, code="oops", message="It went wrong.")

    def act(world: World, manager: Pipeline, lease: Lease) -> None:
        world.held.clear()  # its worker has said its last word
        assert world.finish(lease, manager, failed=said) in {200, 409, 410}

    return act


def _release(world: World, manager: Pipeline, lease: Lease) -> None:
    world.held.clear()
    assert world.finish(lease, manager, released=True) in {200, 409, 410}


def _claim(world: World, manager: Pipeline, _: None) -> None:
    world.hand.token = "the-very-same-token"
    again = type(world.hand)(manager, token=world.hand.token, parts=2)
    world.held = [Lease(grant, again.token) for grant in again.claim_again("prepare", slots=4)]


def _progress(world: World, manager: Pipeline, lease: Lease) -> None:
    heard = Segment(id=0, start=0.0, end=1.0, text="Heard.")
    manager.progress(
        Progress(
            token=lease.token, job=lease.grant.job, attempt=lease.grant.attempt,
            number=1, fraction=0.5, segments=[heard],
        )
    )  # fmt: skip


def _silent(world: World) -> None:
    world.accept()
    lease = world.advance("translate")
    world.hand.beat(lease.grant, token=lease.token)
    world.held.clear()  # its worker died


def _silent_thrice(world: World) -> None:
    """One worker takes the same job again and again, and dies of it: the other one is gone."""
    world.accept()
    world.second.node_beat(NodeBeat(node=world.other.node, leaving=True))
    for losses in range(3):
        (lease,) = world.claim("translate.stub-nmt")
        world.hand.beat(lease.grant, token=lease.token)
        if losses < 2:
            reap(world.second.ports, Watch(0.0), 0.0)


def _reap(world: World, manager: Pipeline, _: None) -> None:
    reap(manager.ports, Watch(0.0), 0.0)


def _announce(world: World, manager: Pipeline, _: None) -> None:
    announce(manager.ports, unheard)


def _crashed(operation: Callable[[World, Pipeline], Any], world: World, write: str) -> None:
    """Some other manager does this, and dies after its first write of that name."""
    manager = world.manager(tapped=True)
    world.tap.listen()
    number = 0
    while True:
        world.tap.listen(Point(number, "after", write))
        try:
            operation(world, manager)
        except Crash:
            world.tap.dead = False
            if world.tap.names[-1] == write:
                world.tap.rest()
                return
        number += 1


def _task_unexpanded(world: World) -> None:
    _crashed(lambda world, manager: world.accept(manager), world, "insert_task")


def _job_unexpanded(world: World) -> None:
    lease = _at("prepare")(world)
    world.held.clear()
    _crashed(lambda world, manager: world.finish(lease, manager), world, "move_job")


def _expand(world: World, manager: Pipeline, _: None) -> None:
    finish_expansions(manager.ports, Unfinished(0.0), 0.0)


def _look_over(world: World, manager: Pipeline, _: None) -> None:
    """A look of the settle loop, as if the task's time had come."""
    for task_id in look_over(manager.ports, [manager.task(world.id)]):
        settle(manager.ports, task_id)


def _settle(world: World, manager: Pipeline, _: None) -> None:
    settle(manager.ports, world.id)


def _all_done(world: World) -> None:
    world.accept()
    world.work()


def _one_failed(world: World) -> None:
    lease = _at("translate", source="T")(world)
    _failing(F.PERMANENT)(world, world.second, lease)
    world.go_on()


def _all_failed(world: World) -> None:
    world.accept()
    while leases := [lease for queue in QUEUES for lease in world.claim(queue)]:
        for lease in leases:
            _failing(F.PERMANENT)(world, world.second, lease)
    world.go_on()


def _ended(world: World) -> None:
    world.accept()
    world.go_on()


def _unwritten(world: World) -> None:
    """A task has ended, and what it wants in a bucket is not there yet."""
    lease = _at("translate", source="T")(world)
    _failing(F.PERMANENT)(world, world.second, lease)
    world.work()
    settle(world.second.ports, world.id)


def _retried_unwritten(world: World) -> None:
    _one_failed(world)
    _retry(world, world.second, None)
    world.work()
    settle(world.second.ports, world.id)


def _export(world: World, manager: Pipeline, _: Any) -> None:
    world.write_due(manager)


def _deleted(world: World) -> None:
    _at("translate")(world)
    world.second.delete(world.id)
    world.pass_time(61.0)


def _cancelled_unswept(world: World) -> None:
    _at("translate")(world)
    _crashed(lambda world, manager: manager.cancel(world.id), world, "move_task")


def _cancel(world: World, manager: Pipeline, _: Any) -> None:
    manager.cancel(world.id)


def _retry(world: World, manager: Pipeline, _: Any) -> None:
    world.retries += 1
    manager.retry(world.id)


def _add(world: World, manager: Pipeline, _: Any) -> None:
    world.retries += 1
    manager.add_languages(world.id, [Target(language="de", spelling="de")])


def _added_unexpanded(world: World) -> None:
    _ended(world)
    _crashed(lambda world, manager: _add(world, manager, None), world, "move_task")


def _correcting(item: int, source: str, language: str, **words: Any) -> Callable[..., None]:
    """Puts other words in the place of those of version 0."""

    def act(world: World, manager: Pipeline, _: Any) -> None:
        world.retries += 1
        ports = manager.ports
        writer = Writer(ports.store, ports.objects, "fs_a", 200_000)
        output = output_id(world.id, item, source, language)

        def write(task: Task) -> Correction | None:
            there = ports.store.output(output)
            of_item = ports.store.items(task.id, after=item - 1, limit=1)[0]
            wanted = Corrected(version=0, **words)
            return correction_of(writer, task, of_item, there, wanted)

        manager.correct(world.id, write)

    return act


_correct_words = _correcting(0, "A", "en", segments=[CorrectedSegment(id=0, text="Herd.")])
_correct_cell = _correcting(0, "T", "zh", text="你好。" * 10_000)


def _corrected_unexpanded(world: World) -> None:
    _ended(world)
    _crashed(lambda world, manager: _correct_words(world, manager, None), world, "move_task")


def _corrected_by_hand(world: World) -> None:
    _ended(world)
    _correct_cell(world, world.second, None)
    world.go_on()


def _redoing(world: World) -> Lease:
    """The words are corrected, and half of a translation is made anew."""
    _ended(world)
    _correct_words(world, world.second, None)
    return world.advance("translate", language="ja")


_correct_text = _correcting(0, "T", "en", text="Good day.")


def _delete(world: World, manager: Pipeline, _: Any) -> None:
    manager.delete(world.id)


def _refresh(world: World, manager: Pipeline, _: Any) -> None:
    world.pass_time(2.0)
    manager.refresh(manager.task(world.id))


def _accept(world: World, manager: Pipeline, _: Any) -> None:
    world.accept(manager)


OPERATIONS = [
    Operation("accept", _nothing, _accept),
    Operation("claim", _accepted, _claim),
    Operation("progress", _at("transcribe"), _progress),
    Operation("success of prepare", _at("prepare"), _succeed),
    Operation("success of detect", _at("detect"), _succeed),
    Operation("success of a first part", _at("transcribe", 1), _succeed),
    Operation("success of the last part", _at("transcribe", 2), _succeed),
    Operation("success of a transcript's joining", _at("assemble", language=""), _succeed),
    Operation("success of half a translation", _at("translate", source="A"), _succeed),
    Operation("success of a cell's joining", _at("assemble", language="ja"), _succeed),
    Operation("success of a whole translation", _at("translate", source="T"), _succeed, False),
    Operation("failure with a retry", _at("translate"), _failing(F.NETWORK_TIMEOUT)),
    Operation("failure for good", _at("translate"), _failing(F.PERMANENT)),
    Operation("failure of the prepare", _at("prepare"), _failing(F.PERMANENT)),
    Operation("a loss that the worker tells", _at("translate"), _failing(F.WORKER_LOST)),
    Operation("release", _at("translate"), _release),
    Operation("loss", _silent, _reap),
    Operation("third loss", _silent_thrice, _reap, False),
    Operation("announce", _accepted, _announce),
    Operation("expansion of a task by the ticker", _task_unexpanded, _expand),
    Operation("expansion of a job by the ticker", _job_unexpanded, _expand),
    Operation("a look at what waits", _at("translate"), _look_over),
    Operation("finalise", _all_done, _settle),
    Operation("finalise of a cancelled task", _cancelled_unswept, _settle),
    Operation("refresh", _at("translate"), _refresh),
    Operation("cancel while a prepare runs", _at("prepare"), _cancel),
    Operation("cancel while parts run", _at("transcribe"), _cancel),
    Operation("cancel while an expansion is pending", _job_unexpanded, _cancel),
    Operation("cancel while a translation runs", _at("translate"), _cancel),
    Operation("cancel when all is done", _all_done, _cancel, False),
    Operation("retry of one", _one_failed, _retry),
    Operation("retry of all", _all_failed, _retry),
    Operation("a language added", _ended, _add),
    Operation("a language added to what failed in part", _one_failed, _add),
    Operation("expansion of an added language by the ticker", _added_unexpanded, _expand),
    Operation("cancel of an added language", _added_unexpanded, _cancel),
    Operation("a cell corrected", _ended, _correct_cell, audio=False, changes=True),
    Operation("a text corrected", _corrected_by_hand, _correct_text, audio=False, changes=True),
    Operation("what was heard corrected", _ended, _correct_words, changes=True),
    Operation(
        "what was heard corrected after a failure", _one_failed, _correct_words, changes=True
    ),
    Operation(
        "expansion of a correction by the ticker", _corrected_unexpanded, _expand, changes=True
    ),
    Operation("success of half a translation made anew", _redoing, _succeed, changes=True),
    Operation("cancel of what is made anew", _redoing, _cancel, changes=True),
    Operation("delete while a part runs", _at("transcribe"), _delete),
    Operation("delete while an expansion is pending", _job_unexpanded, _delete),
    Operation("delete of an unexpanded task", _task_unexpanded, _delete),
    Operation("delete of an ended task", _ended, _delete),
    Operation("purge", _deleted, _settle),
]

EXPORTING = [
    Operation("export", _unwritten, _export),
    Operation("export after a retry", _retried_unwritten, _export),
    Operation("retry before the export", _unwritten, _retry),
    Operation("a language added before the export", _unwritten, _add),
    Operation("delete before the export", _unwritten, _delete),
]
