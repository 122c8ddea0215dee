"""What an exception means for the job: one table from what was raised to its failure class."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable
from dataclasses import dataclass

from services.model.errors import FailureClass, JobFailed, RequestRefused
from services.model.messages import Failure

_NO_MEMORY = re.compile(
    r"out of memory|failed to allocate|CUBLAS_STATUS_ALLOC_FAILED"
    r"|no CUDA-capable|driver version is insufficient|bad_alloc",
    re.IGNORECASE,
)
_BROKEN_CUDA = re.compile(r"CUDA failed with error|cuBLAS failed|cuDNN failed", re.IGNORECASE)
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


@dataclass(frozen=True, slots=True)
class Row:
    """One sign and what follows from it. After a `fatal` one the process may not go on."""

    fits: Callable[[BaseException], bool]
    failure: FailureClass
    code: str
    fatal: bool = False


def _says(pattern: re.Pattern[str]) -> Callable[[BaseException], bool]:
    """Engines tell their errors apart by message only."""
    return lambda error: isinstance(error, RuntimeError) and bool(pattern.search(str(error)))


TABLE: tuple[Row, ...] = (  # the first row that fits decides
    Row(lambda e: isinstance(e, MemoryError), FailureClass.RESOURCE_EXHAUSTED, "out_of_memory"),
    Row(_says(_NO_MEMORY), FailureClass.RESOURCE_EXHAUSTED, "out_of_memory"),
    # Any other error leaves the CUDA context useless: a fresh process is the only cure.
    Row(_says(_BROKEN_CUDA), FailureClass.WORKER_LOST, "gpu_failed", fatal=True),
    Row(
        lambda e: isinstance(e, OSError) and e.errno in _NO_SPACE,
        FailureClass.RESOURCE_EXHAUSTED,
        "out_of_space",
    ),
    Row(lambda e: isinstance(e, TimeoutError), FailureClass.NETWORK_TIMEOUT, "network"),
    Row(lambda e: isinstance(e, ConnectionError), FailureClass.NETWORK_TIMEOUT, "network"),
    Row(lambda e: isinstance(e, RequestRefused), FailureClass.PERMANENT, "refused"),
)


def classify(error: BaseException) -> Failure:
    """The failure to report; what no row knows is internal, and named by its type."""
    if isinstance(error, JobFailed):
        return _failure(error.failure_class, error.code, error.message, error.retry_after_s)
    row = _row(error)
    if row is None:
        return _failure(FailureClass.INTERNAL, "internal", f"{type(error).__name__}: {error}")
    code = error.code if isinstance(error, RequestRefused) else row.code
    return _failure(row.failure, code, str(error) or type(error).__name__)


def is_fatal(error: BaseException) -> bool:
    """Whether this process must end after the report."""
    row = _row(error)
    return row is not None and row.fatal


def _row(error: BaseException) -> Row | None:
    return next((row for row in TABLE if row.fits(error)), None)


def _failure(
    failure: FailureClass, code: str, message: str, retry_after_s: float | None = None
) -> Failure:
    return Failure(
        failure=failure, code=code[:100], message=message[:2000], retry_after_s=retry_after_s
    )
