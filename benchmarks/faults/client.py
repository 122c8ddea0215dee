"""The client of the public API that the ledger hears of: every request sent, every answer."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.faults.ledger import Ledger
from benchmarks.faults.orders import Order
from services.outbound import Client, HttpError, Response, open_client

_WAIT_S = 0.25
_READ_S = 35.0
PATIENCE_S = 120.0
ENDED = frozenset({"succeeded", "partial", "failed", "cancelled"})


class Rest:
    """One base URL; may be used by several threads."""

    def __init__(self, url: str, ledger: Ledger, *, key: str = "") -> None:
        """`key` is the server's, where it asks for one."""
        self._ledger = ledger
        self._client: Client = open_client(url, read_s=_READ_S)
        if key:
            self._client.headers["Authorization"] = f"Bearer {key}"

    def close(self) -> None:
        self._client.close()

    def submit(self, order: Order, patience_s: float = PATIENCE_S) -> str | None:
        """Sends an order until it is acknowledged, always under the same idempotency key; the
        task's id. None when nobody acknowledged it in time, or it was refused for good."""
        self._ledger.write("sent", order=order.name, allowed=order.allowed, expected=order.expected)
        headers = {"Idempotency-Key": order.name}
        first = time.monotonic()
        end = first + patience_s
        tries, why = 0, "never tried"
        while tries == 0 or time.monotonic() < end:
            began = time.monotonic()
            tries += 1
            try:
                got = self._client.post("/v1/tasks", json=order.body, headers=headers)
            except HttpError as error:
                why = repr(error)
            else:
                if got.is_success:
                    seconds = round(time.monotonic() - first, 4)  # with all tries
                    task = str(got.json()["id"])
                    self._ledger.write(
                        "acked", order=order.name, task=task, seconds=seconds, tries=tries
                    )
                    return task
                why = f"HTTP {got.status_code}: {got.text[:200]}"
                if not self._passing("/v1/tasks", got, began):
                    break
            time.sleep(_WAIT_S)
        self._ledger.write("unanswered", order=order.name, why=why, tries=tries)
        return None

    def order(self, task: str, verb: str, patience_s: float = PATIENCE_S) -> int:
        """`cancel`, `retry` or `delete` a task; the status of the answer."""
        method, path = ("DELETE", "") if verb == "delete" else ("POST", f"/{verb}")
        asked = self._ledger.now()
        got = self.ask(method, f"/v1/tasks/{task}{path}", patience_s=patience_s)
        status = 0 if got is None else got.status_code
        self._ledger.write("order", task=task, verb=verb, status=status, asked=asked)
        return status

    def upload(self, file: Path) -> str:
        """The key of a file that was stored."""
        got = self._client.post(
            f"/v1/uploads?name={file.name}",
            content=file.read_bytes(),
            headers={"Content-Type": "application/octet-stream"},
        )
        return str(got.raise_for_status().json()["key"])

    def patch(self, path: str, body: dict[str, Any]) -> int:
        """The status of the answer; 0 where there was none."""
        try:
            return int(self._client.patch(path, json=body).status_code)
        except HttpError:
            return 0

    def get(self, path: str, patience_s: float = PATIENCE_S, **query: Any) -> Any:
        """The JSON of a 2xx; None for 404 and 410 or when nobody answers in time."""
        got = self.ask("GET", path, patience_s=patience_s, **query)
        return got.json() if got is not None and got.is_success else None

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        patience_s: float = PATIENCE_S,
        **query: Any,
    ) -> Response | None:
        """The first answer that is not a passing trouble; None when there is none in time."""
        end = time.monotonic() + patience_s
        while True:
            began = time.monotonic()
            try:
                got = self._client.request(method, path, params=query, json=body)
            except HttpError:
                pass
            else:
                if not self._passing(path, got, began):
                    return got
            if time.monotonic() > end:
                return None
            time.sleep(_WAIT_S)

    def _passing(self, path: str, got: Response, began: float) -> bool:
        passing = got.status_code == 429 or got.status_code >= 500
        if passing:
            seconds = round(time.monotonic() - began, 4)
            self._ledger.write("refused", path=path, status=got.status_code, seconds=seconds)
        return passing
