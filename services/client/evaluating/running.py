"""One model on a whole folder: single requests one after the other, then all files at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import cycle, groupby, islice

from services.client.calls.submitting import Item, Options
from services.client.client import Fanscribe
from services.client.errors import ClientError
from services.client.evaluating.corpus import Sample
from services.client.evaluating.scores import Heard, Score, of_item, of_model
from services.client.views import TaskView

_AT_ONCE = 50  # files a task

Tell = Callable[[str, int], None]
"""What is done, and how many more of it than when it was told last."""


def run(
    api: Fanscribe,
    samples: Sequence[Sample],
    model: str | None,
    *,
    requests: int,
    keep: bool,
    tell: Tell,
) -> Score:
    """Without a model the server chooses. Tasks are deleted when they are read, unless `keep`."""
    runner = _Runner(api, model, keep, tell)
    seconds: list[float] = []
    failed: list[Heard] = []
    if requests:
        runner.request(samples[0])  # the first loads the model, which no later one waits for
        for sample in islice(cycle(samples), requests):
            took, heard = runner.request(sample)
            seconds += [took] if heard.check is not None else []
            failed += [heard] if heard.check is None else []
            tell("requests", 1)
    files = list(runner.files(samples))
    score = of_model(runner.model, files, seconds)
    known = {each.name for each in score.failed}
    also = [each for each in failed if each.name not in known]
    return score.model_copy(update={"failed": [*score.failed, *also]})


class _Runner:
    def __init__(self, api: Fanscribe, model: str | None, keep: bool, tell: Tell) -> None:  # noqa: FBT001
        self.model = model or ""
        self._api = api
        self._options: Options = {} if model is None else {"model": model}
        self._keep = keep
        self._tell = tell

    def request(self, sample: Sample) -> tuple[float, Heard]:
        """Seconds from sending a file to the end of its task."""
        began = time.monotonic()
        task = self._submit([sample])
        for _ in self._api.events(task.id):
            pass
        took = time.monotonic() - began
        return took, self._read(task, [sample])[0]

    def files(self, samples: Sequence[Sample]) -> Iterator[Heard]:
        """All of them, as many at once as the server has nodes for."""
        by_language = sorted(samples, key=lambda sample: sample.language)
        for _, group in groupby(by_language, key=lambda sample: sample.language):
            of_language = list(group)
            for first in range(0, len(of_language), _AT_ONCE):
                batch = of_language[first : first + _AT_ONCE]
                yield from self._together(batch)

    def _together(self, batch: Sequence[Sample]) -> list[Heard]:
        task, told = self._submit(batch), 0

        def look(seen: TaskView) -> None:
            nonlocal told
            done = max(0, seen.counts.cells_done - len(batch))  # the texts are cells too
            self._tell("files", done - told)
            told = done

        self._api.wait(task, on_progress=look)
        self._tell("files", len(batch) - told)
        return self._read(task, batch)

    def _submit(self, batch: Sequence[Sample]) -> TaskView:
        """In their own language only, so that nothing is translated."""
        language = batch[0].language
        items = [Item(each.audio, each.text, each.name) for each in batch]
        return self._api.submit(
            *items, targets=[language], language=language, options=self._options or None
        )

    def _read(self, task: TaskView, batch: Sequence[Sample]) -> list[Heard]:
        items = {item.text_id: item for item in self._api.items(task)}
        self.model = self.model or str(self._api.task(task).options.get("transcribe_model", ""))
        if not self._keep:
            with suppress(ClientError):  # it goes with its time
                self._api.delete(task)
        return [of_item(each.name, each.language, items[each.name]) for each in batch]
