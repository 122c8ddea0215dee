from __future__ import annotations

import errno

import numpy as np
import pytest

from services.model.errors import FailureClass, Invalid, JobFailed
from services.worker.classify import classify, is_fatal

F = FailureClass


def said(message: str) -> RuntimeError:
    return RuntimeError(message)


def numpy_runs_out() -> BaseException:
    try:
        np.empty((2**62,), np.uint8)
    except MemoryError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("error", "failure", "code"),
    [
        (JobFailed(F.PERMANENT, "bad_media", "no"), F.PERMANENT, "bad_media"),
        (MemoryError(), F.RESOURCE_EXHAUSTED, "out_of_memory"),
        (numpy_runs_out(), F.RESOURCE_EXHAUSTED, "out_of_memory"),
        (said("CUDA failed with error out of memory"), F.RESOURCE_EXHAUSTED, "out_of_memory"),
        (said("mkl_malloc: failed to allocate memory"), F.RESOURCE_EXHAUSTED, "out_of_memory"),
        (
            said("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED"),
            F.RESOURCE_EXHAUSTED,
            "out_of_memory",
        ),
        (
            said("CUDA failed with error CUDA driver version is insufficient for CUDA"),
            F.RESOURCE_EXHAUSTED,
            "out_of_memory",
        ),
        (said("CUDA failed with error an illegal memory access"), F.WORKER_LOST, "gpu_failed"),
        (said("cuBLAS failed with status 14"), F.WORKER_LOST, "gpu_failed"),
        (OSError(errno.ENOSPC, "No space left on device"), F.RESOURCE_EXHAUSTED, "out_of_space"),
        (TimeoutError(), F.NETWORK_TIMEOUT, "network"),
        (ConnectionResetError(), F.NETWORK_TIMEOUT, "network"),
        (Invalid("no", code="unknown_model"), F.PERMANENT, "unknown_model"),
        (PermissionError(errno.EACCES, "no"), F.INTERNAL, "internal"),
        (said("something else"), F.INTERNAL, "internal"),
        (KeyError("x"), F.INTERNAL, "internal"),
    ],
)
def test_every_sign_has_its_class(error: BaseException, failure: F, code: str) -> None:
    found = classify(error)
    assert (found.failure, found.code) == (failure, code)


def test_what_a_busy_service_asks_for_is_passed_on() -> None:
    error = JobFailed(F.SERVICE_UNAVAILABLE, "service_unavailable", "busy", retry_after_s=7.0)
    assert classify(error).retry_after_s == 7.0


def test_only_a_broken_gpu_ends_the_process() -> None:
    assert is_fatal(said("CUDA failed with error an illegal memory access"))
    assert not is_fatal(said("CUDA failed with error out of memory"))
    assert not is_fatal(MemoryError())


def test_a_long_message_is_cut_to_what_the_wire_takes() -> None:
    assert len(classify(said("x" * 9000)).message) == 2000
