"""Writes down what workers and managers said to each other: registrations, claims, last words."""

from __future__ import annotations

import json
import threading
from typing import Any

from benchmarks.faults.http1 import Message
from benchmarks.faults.ledger import Ledger


class Witness:
    """The `watch` of the balancer that stands between workers and managers.

    `gaps` are the longest silences between two beats of a token (seconds).
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._beats: dict[str, float] = {}
        self.gaps: dict[str, float] = {}

    def watch(
        self, request: Message, answer: Message | None, asked: float, delivered: bool
    ) -> None:
        name = request.path.rpartition("/")[2]
        if request.method != "POST" or name not in {"claim", "finish", "register", "beat"}:
            return
        said = _json(request.body)
        told = _json(answer.body) if answer is not None and answer.status == 200 else None
        if name == "finish":
            self._finish(said, told, answer, asked, delivered)
        elif told is not None:
            seen = {"claim": self._claim, "register": self._register, "beat": self._beat}
            seen[name](said, told, asked, delivered)

    def _claim(self, said: Any, told: Any, asked: float, delivered: bool) -> None:
        for grant in told["grants"]:
            self._ledger.write(
                "granted",
                job=grant["job"],
                task=grant["task"],
                attempt=grant["attempt"],
                token=said["token"],
                node=said["node"],
                asked=asked,
                delivered=delivered,
            )

    def _register(self, said: Any, _told: Any, _asked: float, _delivered: bool) -> None:
        self._ledger.write("registered", node=said["node"], kind=said["kind"], pid=said["pid"])

    def _beat(self, said: Any, told: Any, _asked: float, _delivered: bool) -> None:
        for lease in told["leases"]:
            if lease["state"] != "held":
                self._ledger.write("unheld", job=lease["job"], state=lease["state"])
        with self._lock:
            token, now = said["token"], self._ledger.now()
            first = token not in self._beats
            if not first:
                gap = now - self._beats[token]
                self.gaps[token] = max(self.gaps.get(token, 0.0), gap)
            self._beats[token] = now
        if first:
            for lease in told["leases"]:
                self._ledger.write("begun", job=lease["job"])

    def _finish(
        self, said: Any, told: Any, answer: Message | None, asked: float, delivered: bool
    ) -> None:
        with self._lock:
            self._beats.pop(said["token"], None)
        verdicts = {each["job"]: each["status"] for each in told["verdicts"]} if told else {}
        for report in said["reports"]:
            failed = report.get("failed")
            status = answer.status if answer is not None and answer.status != 200 else None
            self._ledger.write(
                "finished",
                job=report["job"],
                attempt=report["attempt"],
                token=said["token"],
                node=said["node"],
                outcome=_outcome(report),
                failure=failed["failure"] if failed else None,
                verdict=verdicts.get(report["job"], status),
                asked=asked,
                delivered=delivered,
            )


def _outcome(report: dict[str, Any]) -> str:
    if report.get("result") is not None:
        return "succeeded"
    return "released" if report.get("released") else "failed"


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
