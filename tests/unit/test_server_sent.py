"""Server-sent events are read as the standard says, wherever the bytes are cut."""

from __future__ import annotations

import pytest

from services.client.server_sent import Reader, Sent

RAW = (
    'event: cell\r\ndata: {"text":"a\u2028b\u0085文"}\r\nid: 7\r\n\r\n'
    ": still here\n\n"
    "data: one\ndata: two\n\n"
    "event: nothing\n\n"
    "data:bare\r\r"
    "data: not whole"
).encode()
EVENTS = [
    Sent("cell", '{"text":"a\u2028b\u0085文"}', "7"),
    Sent("message", "one\ntwo", ""),
    Sent("message", "bare", ""),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_the_same_events_come_however_the_bytes_do(size: int) -> None:
    reader = Reader()
    chunks = [RAW[at : at + size] for at in range(0, len(RAW), size)]
    assert [event for chunk in chunks for event in reader.read(chunk)] == EVENTS
