"""The Celery app of a worker: one task, which takes an announcement and runs it.

`make_worker` is called at the top of `whisper_worker/app.py` and `translator_worker/app.py`,
because the pool's children are fresh interpreters that import that module again. Everything
they need to know comes by the environment, and they alone load models.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from celery import Celery, signals
from pydantic import ValidationError

from services import logs
from services.lifeline import end_with_parent
from services.model.messages import Announcement
from services.queue import TASK_NAME, make_app
from services.settings import Settings, load
from services.worker.bundle import BundleStage, Stage
from services.worker.callbacks import Manager
from services.worker.capacity import memory_for_models
from services.worker.leases import leaving
from services.worker.model_cache import Idleness
from services.worker.offering import Offering
from services.worker.pulse import Pulse
from services.worker.run import Runner
from services.worker.spool import Spool

LEAVE_SIGNAL = signal.SIGUSR2  # from the worker to its children; billiard has the first
_JOBS_A_CHILD = 500  # a child is replaced after so many, against what native code may leak
_CHATTY = ("celery", "kombu", "amqp", "multiprocessing")

log = logs.get(__name__)


def make_worker(
    module: str,
    stages: Mapping[str, Stage],
    *,
    bundles: Mapping[str, BundleStage] | None = None,
    slots_of: Callable[[str], int] = lambda _: 1,
    most_size: float | None = None,
    get_ready: Callable[[list[str]], None] = lambda _: None,
) -> Celery:
    """The app of the worker that `module` holds as `app`.

    `stages` maps a stage's name to the function that runs it, and `bundles` to that which runs
    several jobs at once. `slots_of` tells for how many jobs of a queue a claim asks, together no
    larger than `most_size`. Each child is told to `get_ready` for the worker's queues before its
    first job.
    """
    settings = load()
    app = make_app(settings.broker_url)
    app.conf.update(
        include=[module],
        worker_max_tasks_per_child=_JOBS_A_CHILD,
        worker_enable_remote_control=False,
        worker_redirect_stdouts=False,
    )

    @signals.worker_process_init.connect(weak=False)  # type: ignore[untyped-decorator]
    def begin(**_: object) -> None:
        get_ready(queues_of(settings))

    @cache
    def runner() -> Runner:
        return make_runner(settings, stages, bundles or {}, slots_of, most_size)

    @app.task(name=TASK_NAME)  # type: ignore[untyped-decorator]
    def work(announcement: dict[str, Any]) -> None:
        try:
            runner().run(Announcement.model_validate(announcement))
        except ValidationError as error:
            log.warning("announcement_unreadable", reason=str(error))
        except Exception:
            # What leaves a task body may end the whole worker, so nothing does.
            log.exception("announcement_failed")

    return app


def make_runner(
    settings: Settings,
    stages: Mapping[str, Stage],
    bundles: Mapping[str, BundleStage],
    slots_of: Callable[[str], int],
    most_size: float | None,
) -> Runner:
    manager = Manager(settings.manager_url, settings.callback_secrets[0])
    idleness = Idleness(settings.model_idle_s)
    idleness.start()
    return Runner(
        node=settings.node,
        models=models_in(queues_of(settings)),
        slots_of=slots_of,
        most_size=most_size,
        stages=stages,
        bundles=bundles,
        manager=manager,
        offering=Offering(manager, Spool(settings.spool_folder)),
        pulse=_pulse(),
        free_mb=lambda: memory_for_models(settings),
        networks=settings.networks,
        idleness=idleness,
    )


@cache
def _pulse() -> Pulse:
    """Of this process."""
    return Pulse.from_environment()


def queues_of(settings: Settings) -> list[str]:
    """The queues that the settings name."""
    return [name for part in settings.queues.split(",") if (name := part.strip())]


def models_in(queues: list[str]) -> list[str]:
    """The models whose queues these are: what follows the first dot."""
    return [queue.split(".", 1)[1] for queue in queues if "." in queue]


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _configure_logs(**_: object) -> None:
    """Our format instead of Celery's, in the parent and in every child."""
    settings = load()
    logs.configure(settings.log_level, settings.log_format)
    if settings.log_level != "debug":
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def _listen_to_the_parent(**_: object) -> None:
    """A child whose worker was killed would work on for nobody; one that is told to leave hands
    back what it has not finished."""
    end_with_parent()
    signal.signal(LEAVE_SIGNAL, lambda *_: leaving.set())
    _pulse().start()
