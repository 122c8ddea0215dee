"""The precision of products of matrices: half where the machine is fast in it, else single.

A processor without instructions for bfloat16 emulates them, and takes several times as long.
"""

from __future__ import annotations

import torch


def half_or_single(device: torch.device) -> torch.dtype:
    """What this device is fast in."""
    if device.type != "cpu":
        return torch.bfloat16
    fast = torch.ops.mkldnn._is_mkldnn_bf16_supported()  # noqa: SLF001 - it is said nowhere else
    return torch.bfloat16 if fast else torch.float32


def fast_products(device: torch.device) -> torch.autocast:
    """`with fast_products(device):` what is computed inside is computed so."""
    precision = half_or_single(device)
    return torch.autocast(device.type, precision, enabled=precision is torch.bfloat16)
