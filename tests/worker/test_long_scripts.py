"""A script of 200,000 characters against twelve hours of speech: in bounded memory, in windows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CHECK = """
import json, random, resource, sys
from services.model.transcript import Transcript
from whisper_worker.check import compare

chance = random.Random(1)
letters = "etaoinshrdlucmfw"
known = ["".join(chance.choices(letters, k=chance.randrange(1, 11))) for _ in range(8000)]

def some(count):
    return [known[int(8000 * chance.random() ** 3)] for _ in range(count)]

def heard(words):
    return [chance.choice(known) if chance.random() < 0.08 else word for word in words]

script = some(31_000)
read = {
    "whole": heard(script),
    "missing": heard(script[:10_000] + script[16_000:]),
    "doubled": heard(script[:16_000] + script[10_000:]),
    "within": heard(some(45_000) + script + some(45_000)),
    "other": some(100_000),
}[sys.argv[1]]
text = Transcript(language="en", text=" ".join(read), segments=[])

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

before, windows = megabytes(), []
check, told = compare(" ".join(script), text, pause=lambda: windows.append(1))
print(json.dumps({"rate": check.rate, "places": len(told.places), "windows": len(windows),
                  "script": len(" ".join(script)), "grown": megabytes() - before}))
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("reading", "least", "most"),
    [
        ("whole", 0.07, 0.09),  # 8 words in 100 are misheard
        ("missing", 0.25, 0.27),  # … and 6,000 of 31,000 are missing
        ("doubled", 0.27, 0.30),  # … or come twice
        ("within", 2.9, 3.1),  # … or 90,000 stand around it
        ("other", 2.9, 3.3),
    ],
)
def test_a_long_script_is_checked_in_bounded_memory(
    reading: str, least: float, most: float
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CHECK, reading], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert told["script"] > 190_000
    assert told["windows"] > 10
    assert least < told["rate"] < most
    assert told["grown"] < 200, "megabytes"
