"""What a machine has left, read from files of the kernel's."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.machine import free_disk_bytes, free_memory_bytes

MB = 1024 * 1024


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    (tmp_path / "meminfo").write_text("MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n")
    return tmp_path


def test_a_machine_has_what_the_kernel_calls_available(kernel: Path) -> None:
    assert free_memory_bytes(kernel / "meminfo", kernel) == 4096 * MB


def test_a_container_has_what_its_limit_leaves(kernel: Path) -> None:
    (kernel / "memory.max").write_text(f"{1000 * MB}\n")
    (kernel / "memory.current").write_text(f"{900 * MB}\n")
    assert free_memory_bytes(kernel / "meminfo", kernel) == 100 * MB


def test_files_that_a_container_has_written_fill_it_up_for_nobody(kernel: Path) -> None:
    (kernel / "memory.max").write_text(f"{1000 * MB}\n")
    (kernel / "memory.current").write_text(f"{1000 * MB}\n")
    (kernel / "memory.stat").write_text(
        f"anon {300 * MB}\ninactive_file {500 * MB}\nactive_file {200 * MB}\n"
    )
    assert free_memory_bytes(kernel / "meminfo", kernel) == 700 * MB


def test_a_container_without_a_limit_has_what_the_machine_has(kernel: Path) -> None:
    (kernel / "memory.max").write_text("max\n")
    (kernel / "memory.current").write_text(f"{900 * MB}\n")
    assert free_memory_bytes(kernel / "meminfo", kernel) == 4096 * MB


def test_where_nobody_says_it_is_a_guess(tmp_path: Path) -> None:
    assert free_memory_bytes(tmp_path / "meminfo", tmp_path) == 4096 * MB


def test_a_folder_that_is_not_made_yet_is_on_the_disk_above_it(tmp_path: Path) -> None:
    assert free_disk_bytes(tmp_path / "not" / "yet") > 0
