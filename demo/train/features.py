"""Makes the tensors of a step: log-mel frames as faster-whisper computes them, and the lines."""

import random
from dataclasses import astuple, dataclass

import numpy as np
import torch
from faster_whisper.feature_extractor import FeatureExtractor
from torch import Tensor

from demo.train.scribe import Scribe
from demo.train.windows import RATE, Window


@dataclass
class Batch:
    """Tensors of one step; see ``scribe.Lines``. ``first`` is where in the 30 s a window begins."""

    mel: Tensor
    first: Tensor
    inputs: Tensor
    targets: Tensor
    low: Tensor
    high: Tensor
    told: Tensor
    words: Tensor
    phonemes: Tensor


class Features:
    """Log-mel frames for a batch at once."""

    def __init__(self, device: torch.device) -> None:
        filters = FeatureExtractor.get_mel_filters(RATE, 400, n_mels=80).astype("float32")
        self.filters = torch.from_numpy(filters).to(device)
        self.hann = torch.hann_window(400).to(device)
        self.device = device

    def __call__(self, windows: list[Window], chance: random.Random) -> Tensor:
        sound = torch.from_numpy(np.stack([w.audio for w in windows])).to(self.device)
        spectrum = torch.stft(sound, 400, 160, window=self.hann, return_complex=True)
        power = spectrum[..., :-1].abs().square()
        logs = (self.filters @ power).clamp(min=1e-10).log10()
        loudest = logs.amax((1, 2), keepdim=True)
        louder = [chance.uniform(0, 0.5) if chance.random() < 0.3 else 0.0 for _ in windows]
        floor = loudest + torch.tensor(louder, device=self.device)[:, None, None] - 8.0
        mel = (torch.maximum(logs, floor) + 4.0) / 4.0
        frames = torch.tensor([w.heard // 160 for w in windows], device=self.device)
        beyond = torch.arange(mel.shape[-1], device=self.device)[None, :] >= frames[:, None]
        return mel.masked_fill(beyond[:, None, :], 0.0)

    def batch(self, windows: list[Window], scribe: Scribe, chance: random.Random) -> Batch:
        """Everything one training step needs."""
        mel = self(windows, chance)
        lines = scribe.lines(windows, mel.shape[-1] // 2, chance)
        first = torch.tensor([w.first for w in windows], device=self.device)
        return Batch(
            mel, first, *(torch.from_numpy(array).to(self.device) for array in astuple(lines))
        )
