"""Log lines: structlog through the standard library, one format for people, one for machines.

Every line has an `action`, what happened as a word for programs; a line of a library has its
logger's name there and its text as `message`. What is bound with `bind` (task_id, job, node)
stands on every line until it is unbound.
"""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor, WrappedLogger

bind = bound_contextvars  # `with logs.bind(task_id=…):`
bind_for_good = bind_contextvars  # until the context ends
_QUIET = {"httpx": "WARNING", "httpcore": "WARNING", "uvicorn.access": "WARNING"}


def get(name: str) -> structlog.stdlib.BoundLogger:
    """The logger of a module: `log = logs.get(__name__)`, then `log.info("job_claimed", …)`."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger


def configure(level: str, form: Literal["console", "json"]) -> None:
    """Sets up this process's logging; lines go to stderr. May be called again."""
    shared: list[Processor] = [
        merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(shared, form))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(least)


def _formatter(
    shared: list[Processor], form: Literal["console", "json"]
) -> structlog.stdlib.ProcessorFormatter:
    last: list[Processor]
    if form == "json":
        rename = structlog.processors.EventRenamer("action")
        json = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
        last = [structlog.processors.format_exc_info, rename, json]
    else:
        last = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=24,
                exception_formatter=structlog.dev.plain_traceback,  # locals may hold secrets
            )
        ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            _name_the_action,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *last,
        ],
    )


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
