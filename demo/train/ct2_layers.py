"""Write layers of the training networks into the model format of CTranslate2."""

from typing import Any

import numpy as np
from ctranslate2.specs import common_spec
from numpy.typing import NDArray
from torch import Tensor, nn

from demo.train.whisper_net import Attention, Layer


def array(tensor: Tensor) -> NDArray[np.float32]:
    """A plain float32 array."""
    return tensor.detach().float().cpu().numpy().copy()


def put_norm(spec: Any, norm: nn.LayerNorm) -> None:
    """Scale and shift of a layer norm."""
    spec.gamma, spec.beta = array(norm.weight), array(norm.bias)


def put_linear(spec: Any, *layers: nn.Linear) -> None:
    """One or more linear layers, fused into one."""
    spec.weight = np.concatenate([array(layer.weight) for layer in layers])
    spec.bias = np.concatenate(
        [
            np.zeros(layer.out_features, np.float32) if layer.bias is None else array(layer.bias)
            for layer in layers
        ]
    )


def put_embedding(spec: common_spec.EmbeddingsSpec, table: NDArray[np.float32]) -> None:
    """The rows of an embedding."""
    spec.weight = table


def put_layers(specs: Any, layers: nn.ModuleList) -> None:
    """All layers of an encoder or a decoder."""
    for spec, layer in zip(specs, layers, strict=True):
        assert isinstance(layer, Layer)
        own, norm = layer.self_attn, layer.self_attn_layer_norm
        put_norm(spec.self_attention.layer_norm, norm)
        put_linear(spec.self_attention.linear[0], own.q_proj, own.k_proj, own.v_proj)
        put_linear(spec.self_attention.linear[1], own.out_proj)
        if layer.cross:
            seen: Attention = layer.encoder_attn
            put_norm(spec.attention.layer_norm, layer.encoder_attn_layer_norm)
            put_linear(spec.attention.linear[0], seen.q_proj)
            put_linear(spec.attention.linear[1], seen.k_proj, seen.v_proj)
            put_linear(spec.attention.linear[2], seen.out_proj)
        put_norm(spec.ffn.layer_norm, layer.final_layer_norm)
        put_linear(spec.ffn.linear_0, layer.fc1)
        put_linear(spec.ffn.linear_1, layer.fc2)
