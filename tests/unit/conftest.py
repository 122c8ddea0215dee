"""Makers of plain values for the tests of the pure core."""

from __future__ import annotations

import pytest
from hypothesis import settings

from services.model.task import AudioInput, ItemSpec, Manifest, Options, Target, Task

settings.register_profile("unhurried", deadline=None)  # no test measures time
settings.load_profile("unhurried")


@pytest.fixture
def an_audio():
    return AudioInput(key="uploads/u1", size=10, sha256="ab" * 32, name="1.mp3")


@pytest.fixture
def a_task():
    """A task of the given items and targets."""

    def make(items: list[ItemSpec], targets: list[str], **changes) -> Task:
        manifest = Manifest(
            items=items,
            targets=[Target(language=language, spelling=language) for language in targets],
            options=Options(transcribe_model="stub-whisper"),
        )
        return Task(id="t1", owner="local", created_at=1.0, manifest=manifest, **changes)

    return make
