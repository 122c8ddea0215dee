"""The documents that an expansion is made of: the jobs and outputs of one item of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from services.model.job import JOB_VERSION, Job, Stage, job_id, queue_name
from services.model.task import Source, Task
from services.model.transcript import Body, Output, Runs, output_id


def new_output(
    task: Task,
    item: int,
    source: Source,
    language: str,
    *,
    kind: Literal["transcript", "translation", "identity"],
    text: Body,
    body: Body | None,
    attempt: int,
    now: float,
    facts: Mapping[str, Any],
    differences: Body | None = None,
    runs: Runs | None = None,
    version: int = 0,
) -> Output:
    return Output(
        id=output_id(task.id, item, source, language),
        task_id=task.id,
        item=item,
        text_id=task.manifest.items[item].text_id,
        source=source,
        language=language,
        kind=kind,
        version=version,
        attempt=attempt,
        text=text,
        body=body,
        differences=differences,
        runs=None if runs is None else list(runs),
        created_at=now,
        facts=dict(facts),
    )


def new_job(
    task: Task,
    stage: Stage,
    item: int,
    *,
    now: float,
    size: float,
    language: str = "",
    source: str = "",
    part: int = 0,
    model: str = "",
    inputs: dict[str, Any] | None = None,
    version: int = JOB_VERSION,
) -> Job:
    if stage in {Stage.DETECT, Stage.TRANSCRIBE}:
        model = task.manifest.options.transcribe_model
    label = task.manifest.options.node_label
    return Job(
        id=job_id(
            task.id, stage, item, language=language, source=source, part=part, version=version
        ),
        task_id=task.id,
        stage=stage,
        item=item,
        language=language,
        source=source,
        part=part,
        version=version,
        owner=task.owner,
        queue=queue_name(stage, model, label),
        model=model,
        label=label,
        size=size,
        priority=task.priority,
        created_at=now,
        due=now,
        inputs=inputs or {},
    )
