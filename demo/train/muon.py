"""Muon, as in `torch.optim`, in the precision that the machine is fast in.

Torch's own computes in half precision wherever it runs: half of a training step, on a processor
that has to emulate it.
Source: https://github.com/KellerJordan/Muon, with the learning rate of Moonshot's variant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Parameter

from demo.train.precision import half_or_single

MOMENTUM, DECAY = 0.95, 0.01
LIKE_ADAMW = 0.2  # the root mean square of an update of AdamW, so that both share one rate
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """For matrices alone; each update is the nearest orthogonal one to the momentum."""

    def __init__(self, matrices: Iterable[Parameter], lr: float = 1.0) -> None:
        super().__init__(matrices, {"lr": lr})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # nobody computes a loss anew in it
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._move(matrix, matrix.grad, group["lr"])

    def _move(self, matrix: Parameter, gradient: Tensor, rate: float) -> None:
        state = self.state[matrix]
        if not state:
            state["momentum"] = torch.zeros_like(gradient)
        momentum = state["momentum"].lerp_(gradient, 1 - MOMENTUM)
        update = orthogonal(gradient.lerp(momentum, MOMENTUM))
        matrix.mul_(1 - rate * DECAY)
        matrix.add_(update, alpha=-rate * LIKE_ADAMW * math.sqrt(max(matrix.shape)))


def orthogonal(matrix: Tensor) -> Tensor:
    """About the nearest one, by Newton and Schulz: its singular values are 0.5 to 1.5."""
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    wide = (matrix.T if tall else matrix).to(half_or_single(matrix.device))
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return (wide.T if tall else wide).to(matrix.dtype)
