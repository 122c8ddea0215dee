"""A connection that never finishes the head of a request is ended; uvicorn would keep it."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol


class PatientConfig(uvicorn.Config):
    """Also says how long the head of a request may take (seconds)."""

    def __init__(self, app: Any, *, header_within_s: float, **options: Any) -> None:
        super().__init__(app, http=Patient, **options)
        self.header_within_s = header_within_s


class Patient(H11Protocol):
    """The clock runs from the connection, or from the first byte after a request, to the end of
    the head."""

    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._waiting is None:
            assert isinstance(self.config, PatientConfig)
            self._waiting = self.loop.call_later(self.config.header_within_s, self._cut)

    def _stop_watching(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _cut(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
