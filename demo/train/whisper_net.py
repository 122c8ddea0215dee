"""Whisper in plain torch, with the parameter names of its transformers twin.

Two parts differ while training and are written out as ordinary weights at the end: the tokens
that the demo never speaks share one embedding, and the embedding of a time is a linear map of the
sinusoid of that position, so that all 1,501 times are learnt together.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.train.tokens import TIMES, VOCABULARY_SIZE

TIME_MAP_BEGINS = 0.1  # of the sinusoid of its position is the embedding of a time at first


@dataclass(frozen=True)
class Shape:
    """The sizes of the network."""

    width: int = 128
    heads: int = 4
    encoder_layers: int = 4
    decoder_layers: int = 2
    mels: int = 80
    positions: int = 1500
    text_positions: int = 448


def sinusoids(length: int, width: int) -> Tensor:
    """The fixed positions of Whisper's encoder."""
    step = math.log(10000) / (width // 2 - 1)
    scales = torch.exp(-step * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * scales[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width, bias=False)
        self.v_proj = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, width)

    def forward(
        self, x: Tensor, memory: Tensor | None = None, *, causal: bool = False, look: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        source = x if memory is None else memory
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in (self.q_proj(x), self.k_proj(source), self.v_proj(source))
        )
        weights = None
        if look:
            scores = (q @ k.transpose(-1, -2)).float() / math.sqrt(q.shape[-1])
            if causal:
                later = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
                scores = scores.masked_fill(later, -math.inf)
            weights = scores.softmax(-1)
            mixed = weights.to(v.dtype) @ v
        else:
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out_proj(mixed.transpose(1, 2).flatten(2)), weights


class Layer(nn.Module):
    def __init__(self, width: int, heads: int, *, cross: bool) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.self_attn_layer_norm = nn.LayerNorm(width)
        if cross:
            self.encoder_attn = Attention(width, heads)
            self.encoder_attn_layer_norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.cross = cross

    def forward(
        self, x: Tensor, memory: Tensor | None = None, *, look: bool = False
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """What became of it, where in the memory it looked, and, if asked, where in itself."""
        weights = None
        read, own = self.self_attn(self.self_attn_layer_norm(x), causal=self.cross, look=look)
        x = x + read
        if self.cross:
            seen, weights = self.encoder_attn(self.encoder_attn_layer_norm(x), memory, look=True)
            x = x + seen
        x = x + self.fc2(functional.gelu(self.fc1(self.final_layer_norm(x))))
        return x, weights, own


class Encoder(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.register_buffer("positions", sinusoids(shape.positions, shape.width))
        self.layers = nn.ModuleList(
            Layer(shape.width, shape.heads, cross=False) for _ in range(shape.encoder_layers)
        )
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor, first: Tensor) -> tuple[Tensor, Tensor]:
        """The encoded frames, and what half of the layers made of them."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        at = first[:, None] + torch.arange(x.shape[1])[None, :].to(first.device)
        x = x + self.positions[at]
        middle = x
        for number, layer in enumerate(self.layers):
            x, *_ = layer(x)
            if number + 1 == len(self.layers) // 2:
                middle = x
        return self.layer_norm(x), middle


class Decoder(nn.Module):
    def __init__(self, shape: Shape, used: int) -> None:
        super().__init__()
        self.words = nn.Parameter(torch.randn(used, shape.width) * 0.05)
        self.unused = nn.Parameter(torch.zeros(shape.width))
        self.time_map = nn.Linear(shape.width, shape.width)
        nn.init.eye_(self.time_map.weight)
        self.time_map.weight.data.mul_(TIME_MAP_BEGINS)
        self.register_buffer("times", sinusoids(TIMES, shape.width))
        self.embed_positions = nn.Parameter(sinusoids(shape.text_positions, shape.width) * 0.05)
        self.layers = nn.ModuleList(
            Layer(shape.width, shape.heads, cross=True) for _ in range(shape.decoder_layers)
        )
        self.layer_norm = nn.LayerNorm(shape.width)
        self.others = math.log(VOCABULARY_SIZE - used - TIMES)

    def embedding(self) -> Tensor:
        """Rows for the words in use, the times, and the one row of all unused tokens."""
        return torch.cat([self.words, self.time_map(self.times), self.unused[None]])

    def forward(
        self, tokens: Tensor, memory: Tensor, kept: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor], Tensor]:
        """Logits over the compact vocabulary (last: any unused token), where in the sound each
        layer looked, and where in the text the last one. With a mask of places there are logits for
        these alone, in a row: prompts are long, and unasked."""
        table = self.embedding()
        x = functional.embedding(tokens, table) + self.embed_positions[: tokens.shape[1]]
        looked = []
        for layer in self.layers:
            x, weights, own = layer(x, memory, look=layer is self.layers[-1])
            looked.append(weights)
        asked = self.layer_norm(x if kept is None else x[kept])
        logits = (asked @ table.T.to(x.dtype)).float()
        bias = torch.zeros(logits.shape[-1], device=logits.device)
        bias[-1] = self.others
        return logits + bias, looked, own


class WhisperNet(nn.Module):
    """Encoder and decoder, with the two heads that say which word and phoneme a frame is."""

    def __init__(self, shape: Shape, *, used: int, words: int, phonemes: int) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape, used)
        self.word_head = nn.Linear(shape.width, words)
        self.phoneme_head = nn.Linear(shape.width, phonemes)

    def forward(
        self, mel: Tensor, first: Tensor, tokens: Tensor, kept: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor], Tensor, Tensor, Tensor]:
        memory, middle = self.encoder(mel, first)
        logits, looked, own = self.decoder(tokens, memory, kept)
        return logits, looked, own, self.word_head(memory), self.phoneme_head(middle)
