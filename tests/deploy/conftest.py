"""What the files for Docker say, read as Docker reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from rehearsal import Rehearsal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """docker-compose.yml with its anchors merged."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))


@pytest.fixture(scope="session")
def compose_text() -> str:
    return (ROOT / "docker-compose.yml").read_text("utf-8")


@pytest.fixture(scope="session")
def env_example() -> dict[str, str]:
    """The variables of .env.example."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    return dict(re.findall(r"^(\w+)=(.*)$", "\n".join(lines), re.MULTILINE))


@pytest.fixture(params=["cpu", "cuda"])
def dockerfile(request: pytest.FixtureRequest) -> str:
    """A Dockerfile with its continued lines joined and without comments."""
    text = (ROOT / "deploy" / "docker" / f"Dockerfile.{request.param}").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    return re.sub(r"\\\n\s*", "", text)


@pytest.fixture
def compose_rehearsal(compose: dict[str, Any], tmp_path: Path) -> Iterator[Rehearsal]:
    with Rehearsal(compose["services"], tmp_path) as rehearsal:
        yield rehearsal
