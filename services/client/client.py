"""The two clients of the API: the same methods, which block in one and are awaited in the other."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from services.client import awaiting, blocking
from services.client.awaiting import Awaiting
from services.client.blocking import Blocking
from services.client.calls import dead, following, results, server, submitting, uploads
from services.client.calls import tasks as of_task
from services.client.calls import terms as of_terms
from services.client.calls import webhooks as hooks
from services.client.server import Server

PATIENCE_S = 30.0
TIMEOUT_S = 120.0


class Webhooks(Blocking):
    """Who is told of all your tasks."""

    create = blocking.method(hooks.create)
    list = blocking.method(hooks.listed)
    get = blocking.method(hooks.get)
    change = blocking.method(hooks.change)
    delete = blocking.method(hooks.delete)
    rotate = blocking.method(hooks.rotate)
    ping = blocking.method(hooks.ping)
    deliveries = blocking.iterator(hooks.deliveries)
    replay = blocking.method(hooks.replay)
    replay_dead = blocking.method(hooks.replay_dead)


class TermLists(Blocking):
    """Names and terms that you keep for your tasks."""

    create = blocking.method(of_terms.create)
    list = blocking.method(of_terms.listed)
    get = blocking.method(of_terms.get)
    change = blocking.method(of_terms.change)
    delete = blocking.method(of_terms.delete)


class Nodes(Blocking):
    """The workers of the server."""

    list = blocking.method(server.nodes)
    drain = blocking.method(server.drain)
    resume = blocking.method(server.resume)
    label = blocking.method(server.label)


class DeadJobs(Blocking):
    """What failed for good, over all tasks."""

    list = blocking.iterator(dead.jobs)
    retry = blocking.method(dead.retry)


class Fanscribe(Blocking):
    """One server, with methods that block; a context manager.

    Without `url` and `key` it is that of FANSCRIBE_URL and FANSCRIBE_API_KEY. A server that is busy
    or gone is asked again for `patience_s` seconds, where that does no harm.
    """

    submit = blocking.method(submitting.submit)
    task = blocking.method(of_task.get)
    tasks = blocking.iterator(of_task.listed)
    wait = blocking.method(of_task.wait)
    events = blocking.iterator(following.events)
    all_events = blocking.iterator(following.all_events)
    items = blocking.iterator(of_task.items)
    cancel = blocking.method(of_task.cancel)
    retry = blocking.method(of_task.retry)
    add_languages = blocking.method(of_task.add_languages)
    delete = blocking.method(of_task.delete)
    deliveries = blocking.iterator(hooks.task_deliveries)
    replay = blocking.method(hooks.replay_task_delivery)

    result = blocking.method(results.result)
    coded_result = blocking.method(results.coded_result)
    cell = blocking.method(results.cell)
    cells = blocking.method(results.cells)
    transcript = blocking.method(results.transcript)
    correct = blocking.method(results.correct)
    versions = blocking.method(results.versions)
    check = blocking.method(results.check)
    differences = blocking.iterator(results.differences)
    subtitles = blocking.method(results.subtitles)

    upload = blocking.method(uploads.upload)
    get_upload = blocking.method(uploads.get)
    delete_upload = blocking.method(uploads.delete)

    ready = blocking.method(server.ready)
    queues = blocking.method(server.queues)
    models = blocking.method(server.models)
    languages = blocking.method(server.languages)

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience_s: float = PATIENCE_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        runner = blocking.Runner(Server.named(url, key, patience_s, timeout_s))
        super().__init__(runner)
        self.url = runner.server.url
        self.webhooks = Webhooks(runner)
        self.term_lists = TermLists(runner)
        self.nodes = Nodes(runner)
        self.dead_jobs = DeadJobs(runner)

    def close(self) -> None:
        self._runner.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class AsyncWebhooks(Awaiting):
    """Who is told of all your tasks."""

    create = awaiting.method(hooks.create)
    list = awaiting.method(hooks.listed)
    get = awaiting.method(hooks.get)
    change = awaiting.method(hooks.change)
    delete = awaiting.method(hooks.delete)
    rotate = awaiting.method(hooks.rotate)
    ping = awaiting.method(hooks.ping)
    deliveries = awaiting.iterator(hooks.deliveries)
    replay = awaiting.method(hooks.replay)
    replay_dead = awaiting.method(hooks.replay_dead)


class AsyncTermLists(Awaiting):
    """Names and terms that you keep for your tasks."""

    create = awaiting.method(of_terms.create)
    list = awaiting.method(of_terms.listed)
    get = awaiting.method(of_terms.get)
    change = awaiting.method(of_terms.change)
    delete = awaiting.method(of_terms.delete)


class AsyncNodes(Awaiting):
    """The workers of the server."""

    list = awaiting.method(server.nodes)
    drain = awaiting.method(server.drain)
    resume = awaiting.method(server.resume)
    label = awaiting.method(server.label)


class AsyncDeadJobs(Awaiting):
    """What failed for good, over all tasks."""

    list = awaiting.iterator(dead.jobs)
    retry = awaiting.method(dead.retry)


class AsyncFanscribe(Awaiting):
    """One server, with methods that are awaited; an asynchronous context manager.

    As Fanscribe, method by method.
    """

    submit = awaiting.method(submitting.submit)
    task = awaiting.method(of_task.get)
    tasks = awaiting.iterator(of_task.listed)
    wait = awaiting.method(of_task.wait)
    events = awaiting.iterator(following.events)
    all_events = awaiting.iterator(following.all_events)
    items = awaiting.iterator(of_task.items)
    cancel = awaiting.method(of_task.cancel)
    retry = awaiting.method(of_task.retry)
    add_languages = awaiting.method(of_task.add_languages)
    delete = awaiting.method(of_task.delete)
    deliveries = awaiting.iterator(hooks.task_deliveries)
    replay = awaiting.method(hooks.replay_task_delivery)

    result = awaiting.method(results.result)
    coded_result = awaiting.method(results.coded_result)
    cell = awaiting.method(results.cell)
    cells = awaiting.method(results.cells)
    transcript = awaiting.method(results.transcript)
    correct = awaiting.method(results.correct)
    versions = awaiting.method(results.versions)
    check = awaiting.method(results.check)
    differences = awaiting.iterator(results.differences)
    subtitles = awaiting.method(results.subtitles)

    upload = awaiting.method(uploads.upload)
    get_upload = awaiting.method(uploads.get)
    delete_upload = awaiting.method(uploads.delete)

    ready = awaiting.method(server.ready)
    queues = awaiting.method(server.queues)
    models = awaiting.method(server.models)
    languages = awaiting.method(server.languages)

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        *,
        patience_s: float = PATIENCE_S,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        runner = awaiting.Runner(Server.named(url, key, patience_s, timeout_s))
        super().__init__(runner)
        self.url = runner.server.url
        self.webhooks = AsyncWebhooks(runner)
        self.term_lists = AsyncTermLists(runner)
        self.nodes = AsyncNodes(runner)
        self.dead_jobs = AsyncDeadJobs(runner)

    async def aclose(self) -> None:
        await self._runner.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()
