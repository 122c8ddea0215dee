"""Log lines: structlog's, one format for people, one for machines.

Every line has an `action`, what happened as a word for programs; a line of a library has its
logger's name there and its text as `message`. What is bound with `bind` (task_id, job, node)
stands on every line until it is unbound.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from threading import Lock
from typing import Literal

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, merge_contextvars
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

bind = bound_contextvars  # `with logs.bind(task_id=…):`
bind_for_good = bind_contextvars  # until the context ends
_QUIET = {"httpx": "WARNING", "httpcore": "WARNING", "uvicorn.access": "WARNING"}


def get(name: str) -> FilteringBoundLogger:
    """The logger of a module: `log = logs.get(__name__)`, then `log.info("job_claimed", …)`."""
    logger: FilteringBoundLogger = structlog.get_logger(name)
    return logger


def configure(level: str, form: Literal["console", "json"]) -> None:
    """Sets up this process's logging; lines go to stderr. May be called again.

    Our own lines go there straight: the way through the standard library, by which those of
    libraries come, costs several times as much.
    """
    shared: list[Processor] = [
        merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = _rendered(form)
    structlog.configure(
        processors=[*shared, _name_the_action, *last],
        logger_factory=lambda *_: _Stderr(),
        wrapper_class=structlog.make_filtering_bound_logger(level.upper()),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                _name_the_action,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *last,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


class _Stderr:
    """Takes whole lines. As in the standard library, one that cannot be written fails nobody."""

    _writing = Lock()

    def msg(self, line: str) -> None:
        with self._writing, suppress(OSError, ValueError):  # no reader, no disk, closed
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def _rendered(form: Literal["console", "json"]) -> list[Processor]:
    if form == "json":
        rename = structlog.processors.EventRenamer("action")
        json = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        return [structlog.processors.format_exc_info, rename, json]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            pad_event_to=24,
            exception_formatter=structlog.dev.plain_traceback,  # locals may hold secrets
        )
    ]


def _name_the_action(_: WrappedLogger, __: str, line: EventDict) -> EventDict:
    """What happened comes first; the text of a library's line, or of ours that states its action
    beside a text, becomes `message`."""
    action = line.pop("action", None)
    if action is None and not line.get("_from_structlog", True):
        action = line["_record"].name
    if action is not None:
        line["message"], line["event"] = line["event"], action
    line.pop("color_message", None)  # uvicorn's second copy of its text
    return line
