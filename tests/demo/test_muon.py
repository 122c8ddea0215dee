"""Our optimizer of matrices against torch's; needs torch: `pip install -e '.[train]'`."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from demo.train.muon import Muon  # noqa: E402  it needs torch


@pytest.mark.parametrize("shape", [(24, 16), (16, 24)])
def test_it_moves_a_matrix_as_torch_does(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    ours = torch.nn.Parameter(torch.randn(shape))
    theirs = torch.nn.Parameter(ours.detach().clone())
    steppers = [
        Muon([ours], lr=1e-2),
        torch.optim.Muon([theirs], lr=1e-2, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
    ]
    before = ours.detach().clone()
    for _ in range(5):
        gradient = torch.randn(shape)
        ours.grad, theirs.grad = gradient, gradient.clone()
        for stepper in steppers:
            stepper.step()
    moved = (theirs - before).norm()
    assert moved > 0.1
    assert (ours - theirs).norm() < 0.05 * moved  # they differ by half a precision
