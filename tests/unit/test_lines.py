"""How long an owner's line is: a short one is counted, a long one is remembered for a second."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from task_manager.pipeline import lines
from task_manager.pipeline.lines import LONG, RANK_CAP, Lines


class Counting:
    """A store that where so many jobs wait, and knows how often it was asked."""

    def __init__(self, held: int) -> None:
        self.held = held
        self.asked = 0

    def count_waiting(self, owner: str, queue: str, cap: int) -> int:
        self.asked += 1
        return min(self.held, cap)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [100.0]
    monkeypatch.setattr(lines, "time", SimpleNamespace(monotonic=lambda: at[0]))
    return at


def _ask(lengths: Lines, store: Any, owner: str = "o", queue: str = "q") -> int:
    return lengths.length(store, owner, queue)


def test_a_short_line_is_counted_each_time(clock: list[float]) -> None:
    store, lengths = Counting(LONG - 1), Lines()

    assert LONG - 1 == _ask(lengths, store)
    store.held = 3
    assert 3 == _ask(lengths, store)


def test_a_long_line_is_counted_once_a_second_and_grows_with_each_job(clock: list[float]) -> None:
    store, lengths = Counting(LONG), Lines()

    assert [LONG, LONG + 1, LONG + 2] == [_ask(lengths, store) for _ in range(3)]
    assert 1 == store.asked

    store.held = 7
    clock[0] += lines.FRESH_S
    assert [7, 7] == [_ask(lengths, store) for _ in range(2)]
    assert 3 == store.asked


def test_each_owner_has_a_line_of_his_own_in_each_queue(clock: list[float]) -> None:
    store, lengths = Counting(LONG), Lines()
    _ask(lengths, store)

    store.held = 1
    assert [1, 1] == [_ask(lengths, store, "other"), _ask(lengths, store, queue="other")]
    assert LONG + 1 == _ask(lengths, store)


def test_no_line_is_longer_than_the_cap(clock: list[float]) -> None:
    store, lengths = Counting(10 * RANK_CAP), Lines()

    assert [RANK_CAP] * 3 == [_ask(lengths, store) for _ in range(3)]
