"""One decoder child for all files: none of them may end it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from whisper_worker.media import Decoder


@pytest.fixture(scope="session")
def one_decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    decoder.start()
    yield decoder
    decoder.close()
