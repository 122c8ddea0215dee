"""The Dockerfiles: what they copy is there, what they install is locked, what they run exists."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import Path

from services.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "deploy" / "docker"


def copied(dockerfile: str) -> list[str]:
    """The paths that come from the build context."""
    lines = re.findall(r"^COPY (?!--from)(.+)$", dockerfile, re.MULTILINE)
    words = [[word for word in shlex.split(line) if not word.startswith("--")] for line in lines]
    return [path for line in words for path in line[:-1]]


def test_every_copied_path_is_in_the_repository(dockerfile: str) -> None:
    missing = [path for path in copied(dockerfile) if not (ROOT / path).exists()]

    assert (len(copied(dockerfile)) > 8, missing) == (True, [])


def test_every_copied_path_passes_the_ignore_file(dockerfile: str) -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").split()
    let_through = [line[1:] for line in lines if line.startswith("!")]

    kept_out = [
        path for path in copied(dockerfile) if not any(fnmatch(path, each) for each in let_through)
    ]
    assert ("*" in lines, kept_out) == (True, [])


def test_everything_is_installed_by_hash(dockerfile: str) -> None:
    """Our own wheel alone comes without: it was built a line before."""
    loose = [
        line
        for line in re.findall(r"pip install (.+?)(?: &&|$)", dockerfile, re.MULTILINE)
        if not line.startswith(("--require-hashes -r ", "--no-deps /build/dist/"))
    ]

    assert loose == []


def test_every_line_of_a_lock_has_a_version_a_hash_and_no_address() -> None:
    for lock in [*DOCKER.glob("*.lock"), *(ROOT / "requirements").glob("*.lock")]:
        entries = re.split(r"\n(?=\S)", lock.read_text("utf-8").strip())

        bad = [
            entry
            for entry in entries
            if not re.match(r"[\w.\[\]-]+==[^\s]+.*--hash=sha256:", entry, re.DOTALL)
        ]
        assert (lock.name, bad) == (lock.name, [])
        assert "://" not in lock.read_text("utf-8")


def test_the_build_tools_are_those_that_the_project_is_developed_with() -> None:
    build = (DOCKER / "build.lock").read_text("utf-8")
    dev = (ROOT / "requirements" / "dev.lock").read_text("utf-8")
    version = re.compile(r"^hatchling==(\S+)", re.MULTILINE)

    assert version.findall(build) == version.findall(dev)


def test_every_variable_of_an_image_is_a_setting(dockerfile: str) -> None:
    given = set(re.findall(r"\b(FANSCRIBE_\w+)=", dockerfile))

    assert given <= {f"FANSCRIBE_{name.upper()}" for name in Settings.model_fields}
    assert given


def test_nothing_runs_as_root(dockerfile: str) -> None:
    users = re.findall(r"^USER (.+)$", dockerfile.rsplit("FROM ", maxsplit=1)[-1], re.MULTILINE)

    assert users == ["fanscribe"]


def test_base_images_are_pinned_by_tag(dockerfile: str) -> None:
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"python:3.12-slim"}


def test_the_image_has_the_health_check_it_copies(dockerfile: str) -> None:
    check = re.search(r"^HEALTHCHECK (.*) CMD (.+)$", dockerfile, re.MULTILINE)

    assert check
    assert "--start-period=" in check[1]
    assert json.loads(check[2]) == ["healthy"]
    assert "/usr/local/bin/healthy" in dockerfile


def test_the_gpu_image_finds_the_libraries_that_it_installs() -> None:
    """nvidia-cublas-cu12 puts its libraries into site-packages/nvidia/cublas/lib."""
    text = (DOCKER / "Dockerfile.cuda").read_text("utf-8")
    folders = re.search(r"LD_LIBRARY_PATH=(\S+)", text)
    python = re.search(r"FROM python:(3\.\d+)", text)

    assert folders
    assert python
    site = f"/opt/fanscribe/lib/python{python[1]}/site-packages/nvidia"
    assert folders[1].split(":") == [f"{site}/cublas/lib", f"{site}/cuda_nvrtc/lib"]
    assert "cudnn" not in (DOCKER / "cuda.lock").read_text("utf-8")


def test_the_wheel_builds_from_nothing_but_what_is_copied(dockerfile: str, tmp_path: Path) -> None:
    """The build step of the image, in a folder that holds the copied paths alone."""
    for path in copied(dockerfile):
        target = tmp_path / "build" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / path, target)

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")],
        cwd=tmp_path / "build", check=True, capture_output=True,
    )  # fmt: skip

    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"services/cli.py", "demo/sample/sample.json"} <= set(names)
    assert any(name.endswith("entry_points.txt") for name in names)
