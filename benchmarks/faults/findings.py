"""What a run broke, in one shape for everybody who judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["lost", "doubled", "stuck", "wrong", "slow"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`about` is a task, a job, an order or a measurement; `told` says what was seen."""

    kind: Kind
    about: str
    told: str
