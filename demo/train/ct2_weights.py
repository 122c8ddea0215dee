"""Read the weights of a CTranslate2 model back as plain arrays; neither torch nor the engine runs.

The format is that of `ctranslate2.specs.ModelSpec.save`, version 6. What was quantized to int8
comes back as the nearest float: a row of whole numbers divided by the row's scale.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

VERSION = 6
_KINDS: tuple[type[np.generic], ...] = (np.float32, np.int8, np.int16, np.int32, np.float16)
_SCALE = "_scale"


def read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Every variable of a `model.bin` without the scales, also under its other names. Raises
    ValueError for another format."""
    stored, aliases = _stored(path)
    found = {
        name: _floats(name, value, stored)
        for name, value in stored.items()
        if not name.endswith(_SCALE)
    }
    for alias, name in aliases.items():
        if name in found:
            found[alias] = found[name]
    return found


def _floats(
    name: str, value: NDArray[Any], stored: Mapping[str, NDArray[Any]]
) -> NDArray[np.float32]:
    scale = stored.get(name + _SCALE)
    if scale is None or value.dtype != np.int8:
        return value.astype(np.float32)
    per_row = scale.reshape(-1, *(1,) * (value.ndim - 1)).astype(np.float32)
    return (value.astype(np.float32) / per_row).astype(np.float32)


def _stored(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    with path.open("rb") as file:
        version = _number(file, "I")
        if version != VERSION:
            raise ValueError(f"{path} has version {version} of the format, not {VERSION}")
        _text(file)  # the kind of model
        _number(file, "I")  # and its revision
        found = dict(_variable(file) for _ in range(_number(file, "I")))
        aliases = {_text(file): _text(file) for _ in range(_number(file, "I"))}
    return found, aliases


def _variable(file: BinaryIO) -> tuple[str, NDArray[Any]]:
    name = _text(file)
    shape = [_number(file, "I") for _ in range(_number(file, "B"))]
    kind = _KINDS[_number(file, "B")]
    data = file.read(_number(file, "I"))
    return name, np.frombuffer(data, kind).reshape(shape).copy()


def _number(file: BinaryIO, form: str) -> int:
    return int(struct.unpack(form, file.read(struct.calcsize(form)))[0])


def _text(file: BinaryIO) -> str:
    return file.read(_number(file, "H"))[:-1].decode()
