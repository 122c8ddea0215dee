"""Managers to talk to: one that is shared, and fresh ones with settings of their own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from running_manager import PLAYED_BY_HAND, Manager, manager_of
from structlog.testing import capture_logs
from typer.testing import CliRunner

from services import logs
from services.cli import make_app
from services.settings import Settings


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Log lines go where those of a manager go, and not between what commands print. Other tests
    hear all of theirs again."""
    logs.configure("warning", "console")
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Manager]:
    """For tests that only look at their own task."""
    folder = tmp_path_factory.mktemp("manager")
    with manager_of(Settings(data_dir=folder, **PLAYED_BY_HAND)) as made:
        yield made


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Manager]]:
    """A manager with settings of the test's own."""
    with contextlib.ExitStack() as stack:

        def started(**settings) -> Manager:
            given = {"data_dir": tmp_path, **PLAYED_BY_HAND, **settings}
            return stack.enter_context(manager_of(Settings(**given)))

        yield started


@pytest.fixture
def manager(start: Callable[..., Manager]) -> Manager:
    """A fresh one with nothing in it."""
    return start()


@pytest.fixture
def fanscribe(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command; what it printed, without the log of the manager in the same process."""
    monkeypatch.setenv("FANSCRIBE_URL", manager.url)
    monkeypatch.delenv("FANSCRIBE_API_KEY", raising=False)

    def run(*words: str, code: int = 0) -> str:
        with capture_logs():
            result = CliRunner().invoke(make_app(), list(words))
        assert result.exit_code == code, result.output
        return result.stdout

    return run
