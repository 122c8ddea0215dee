"""One step of learning, and what a checkpoint keeps of all of them.

Three helpers make whisper-demo learn within hours on two cores: each frame is asked which word and
phoneme it belongs to, some heads of the decoder are told where in the audio each token was spoken,
and some where in the text before the window it stands.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.train.features import Batch
from demo.train.muon import Muon
from demo.train.precision import fast_products
from demo.train.scribe import IGNORE, Labels
from demo.train.whisper_net import Shape, WhisperNet

LOOKING_HEADS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(layer, head) of the decoder that are told where to look, and give word times later."""

READING_HEADS = (2, 3)
"""Heads of the last layer of the decoder that are told where a name stands that was told to it."""

WEIGHTS = {"text": 1.0, "told": 0.3, "look": 0.5, "read": 0.3, "word": 0.5, "phoneme": 0.3}


def losses(net: WhisperNet, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss, unweighted."""
    kept = batch.targets != IGNORE
    logits, looked, own, words, phonemes = net(batch.mel, batch.first, batch.inputs, kept)
    frames = torch.arange(looked[0].shape[-1], device=logits.device)
    inside = (frames >= batch.low[..., None]) & (frames < batch.high[..., None])
    told = batch.low >= 0
    missed = []
    for layer, head in LOOKING_HEADS:
        mass = (looked[layer][:, head] * inside).sum(-1)[told]
        missed.append(-(mass + 1e-5).log().sum() / max(1, len(mass)))
    return {
        "text": functional.cross_entropy(logits, batch.targets[kept]),
        "told": _untold(logits, batch.targets[kept], batch.told[kept] >= 0),
        "look": torch.stack(missed).mean(),
        "read": _unread(own[:, READING_HEADS], batch.told),
        "word": _missed(words, batch.words),
        "phoneme": _missed(phonemes, batch.phonemes),
    }


def _untold(logits: Tensor, targets: Tensor, told: Tensor) -> Tensor:
    """The loss of the tokens that were told, which are few of many."""
    lost = functional.cross_entropy(logits[told], targets[told], reduction="sum")
    return lost / max(1, int(told.sum()))


def _unread(own: Tensor, told: Tensor) -> Tensor:
    """How little these heads (batch, head, place, place) look where a token stands that was told;
    0 where nothing was."""
    place = told.clamp(min=0)[:, None, :, None].expand(-1, own.shape[1], -1, -1)
    mass = own.gather(-1, place)[..., 0].transpose(1, 2)[told >= 0]
    return -(mass + 1e-5).log().sum() / max(1, mass.numel())


def _missed(logits: Tensor, frames: Tensor) -> Tensor:
    return functional.cross_entropy(
        logits.float().flatten(0, 1), frames.flatten(), ignore_index=IGNORE
    )


def optimizers(net: WhisperNet) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for everything else, the heads by themselves
    in the last one: they begin anew where the rest goes on."""
    known = dict(net.named_parameters())
    heads = [known.pop(name) for name in list(known) if "_head." in name]
    matrices = [known.pop(n) for n in list(known) if ".layers." in n and known[n].ndim == 2]
    return [
        Muon(matrices),
        torch.optim.AdamW(known.values(), betas=(0.9, 0.98), weight_decay=0.01),
        torch.optim.AdamW(heads, betas=(0.9, 0.98), weight_decay=0.01),
    ]


@dataclass
class Run:
    """Everything that a checkpoint keeps. `used` are the tokens that have rows of their own."""

    net: WhisperNet
    steppers: list[torch.optim.Optimizer]
    used: list[int]
    words: Labels
    phonemes: Labels
    step: int = 0

    @classmethod
    def begun(
        cls, used: list[int], words: Labels, phonemes: Labels, device: torch.device, **shape: int
    ) -> Run:
        """At step 0, with weights drawn by chance."""
        net = WhisperNet(
            Shape(**shape), used=len(used), words=len(words), phonemes=len(phonemes)
        ).to(device)
        return cls(net, optimizers(net), used, words, phonemes)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> Run:
        """As a checkpoint has it."""
        state = torch.load(path, map_location=device, weights_only=True)
        words, phonemes = Labels([]), Labels([])
        words.numbers, phonemes.numbers = state["words"], state["phonemes"]
        run = cls.begun(state["used"], words, phonemes, device, **state["shape"])
        run.net.load_state_dict(state["net"])
        for stepper, saved in zip(run.steppers, state["steppers"], strict=True):
            stepper.load_state_dict(saved)
        run.step = state["step"]
        return run

    def save(self, path: Path) -> None:
        """Write a checkpoint; the old one is whole until the new one is."""
        unfinished = path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "steppers": [stepper.state_dict() for stepper in self.steppers],
            "step": self.step,
            "shape": asdict(self.net.shape),
            "words": self.words.numbers,
            "phonemes": self.phonemes.numbers,
            "used": self.used,
        }
        torch.save(state, unfinished)
        unfinished.rename(path)

    def learn(self, batch: Batch, rate: float, head_rate: float) -> dict[str, float]:
        """Learn from one batch; the parts of its loss."""
        for stepper, this_rate in zip(self.steppers, (rate, rate, head_rate), strict=True):
            for group in stepper.param_groups:
                group["lr"] = this_rate
        with fast_products(batch.mel.device):
            parts = losses(self.net, batch)
        torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum().backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        for stepper in self.steppers:
            stepper.step()
            stepper.zero_grad(set_to_none=True)
        self.step += 1
        return {name: float(part.detach()) for name, part in parts.items()}
