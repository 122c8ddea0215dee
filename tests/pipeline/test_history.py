"""A job that is lost again and again stays small enough for the store."""

from __future__ import annotations

from task_manager.pipeline.jobs import HISTORY_LINES
from task_manager.pipeline.reports import lose

TRANSLATE = "translate.stub-nmt"


def test_a_job_keeps_the_newest_lines_of_its_history(pipeline, accept, a_text, hand):
    accept([a_text], ["zh"])
    store = pipeline.ports.store
    for number in range(HISTORY_LINES + 5):
        (grant,) = hand.claim(TRANSLATE)
        lose(pipeline.ports, store.job(grant.job), f"Lost before its first beat: {number}.")

    job = store.job(grant.job)

    assert job.losses == 0
    assert len(job.history) == HISTORY_LINES
    numbers = [int(line.message.split()[-1].rstrip(".")) for line in job.history]
    assert numbers == list(range(5, HISTORY_LINES + 5))
