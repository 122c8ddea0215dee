"""Train whisper-demo.

``python -m demo.train.train_whisper --clips clips --asset multilingual.tiktoken --out whisper.pt``

Two helpers make it learn within an hour on two cores: each frame is asked which word and phoneme
it belongs to, and some heads of the decoder are told where in the audio each token was spoken.
The learning rate stays flat until ``--steps`` minus ``--decay`` and then falls to zero, so a
checkpoint can be trained on at any time.
"""

import argparse
import itertools
import random
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.train.clips import Pool
from demo.train.tokens import Vocabulary, load_encoding
from demo.train.whisper_net import Shape, WhisperNet
from demo.train.windows import IGNORE, Batch, Features, Labels, Scribe, compose, spoken_word

LOOKING_HEADS = ((0, 0), (0, 1), (1, 0), (1, 1))
"""(layer, head) of the decoder that are told where to look, and give word times later."""

STAGES = (
    (0.00, {4: 1, 6: 2, 8: 1}),
    (0.10, {4: 1, 6: 2, 8: 2, 12: 1}),
    (0.30, {6: 2, 10: 2, 15: 1, 30: 3}),
    (0.50, {6: 1, 10: 1, 30: 6}),
)
"""From this share of the training on, windows of these seconds with these weights."""

FULL_SINCE, SHIFTED, SHIFTED_LATE = 0.65, 0.7, 0.15
"""Short windows stand anywhere in the 30 s at first, later mostly at 0 as short files do."""


def losses(net: WhisperNet, batch: Batch) -> dict[str, Tensor]:
    """The parts of the loss, unweighted."""
    logits, looked, words, phonemes = net(batch.mel, batch.first, batch.inputs)
    frames = torch.arange(looked[0].shape[-1], device=logits.device)
    inside = (frames >= batch.low[..., None]) & (frames < batch.high[..., None])
    told = batch.low >= 0
    missed = []
    for layer, head in LOOKING_HEADS:
        mass = (looked[layer][:, head] * inside).sum(-1)[told]
        missed.append(-(mass + 1e-5).log().sum() / max(1, len(mass)))
    return {
        "text": functional.cross_entropy(
            logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORE
        ),
        "look": torch.stack(missed).mean(),
        "word": functional.cross_entropy(words.float().flatten(0, 1), batch.words.flatten()),
        "phoneme": functional.cross_entropy(
            phonemes.float().flatten(0, 1), batch.phonemes.flatten()
        ),
    }


WEIGHTS = {"text": 1.0, "look": 0.3, "word": 0.5, "phoneme": 0.3}


def optimizers(net: WhisperNet, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for everything else."""
    matrices = [p for name, p in net.named_parameters() if ".layers." in name and p.ndim == 2]
    inner = set(map(id, matrices))
    others = [p for p in net.parameters() if id(p) not in inner]
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def seconds_of(step: int, steps: int, chance: random.Random) -> int:
    """How long the windows of this step are."""
    weights = next(w for since, w in reversed(STAGES) if step >= since * steps)
    return chance.choices(list(weights), list(weights.values()))[0]


def rate_of(step: int, options: argparse.Namespace) -> float:
    """The learning rate: a warm-up, flat, then down to zero."""
    rising = min(1.0, (step + 1) / 150)
    falling = min(1.0, (options.steps - step) / max(1, options.decay))
    return float(options.rate * min(rising, falling))


@dataclass
class Run:
    """Everything that a checkpoint keeps."""

    net: WhisperNet
    steppers: list[torch.optim.Optimizer]
    used: list[int]
    words: Labels
    phonemes: Labels
    step: int = 0

    def load(self, path: Path, device: torch.device) -> None:
        """Go on from a checkpoint."""
        state = torch.load(path, map_location=device, weights_only=False)
        self.net.load_state_dict(state["net"])
        self.words.numbers, self.phonemes.numbers = state["words"], state["phonemes"]
        for stepper, saved in zip(self.steppers, state["steppers"], strict=True):
            stepper.load_state_dict(saved)
        self.step = state["step"]

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


def one_step(run: Run, batch: Batch, rate: float) -> dict[str, float]:
    """Learn from one batch; the parts of its loss."""
    for stepper in run.steppers:
        for group in stepper.param_groups:
            group["lr"] = rate
    with torch.autocast(batch.mel.device.type, torch.bfloat16):
        parts = losses(run.net, batch)
    torch.stack([WEIGHTS[name] * part for name, part in parts.items()]).sum().backward()
    nn.utils.clip_grad_norm_(run.net.parameters(), 1.0)
    for stepper in run.steppers:
        stepper.step()
        stepper.zero_grad(set_to_none=True)
    run.step += 1
    return {name: float(part.detach()) for name, part in parts.items()}


def train(run: Run, pool: Pool, scribe: Scribe, options: argparse.Namespace) -> None:
    """Step after step, with a line every 25 and a checkpoint every 100."""
    features = Features(next(run.net.parameters()).device)
    began, sums = time.monotonic(), dict.fromkeys(WEIGHTS, 0.0)
    while run.step < options.steps:
        chance = random.Random(f"{options.seed}/{run.step}")
        seconds = seconds_of(run.step, options.steps, chance)
        count = max(4, options.audio // seconds)
        shifted = SHIFTED if run.step < FULL_SINCE * options.steps else SHIFTED_LATE
        windows = [compose(pool, chance, seconds, shifted) for _ in range(count)]
        batch = scribe.batch(windows, features(windows, chance), chance)
        for name, part in one_step(run, batch, rate_of(run.step, options)).items():
            sums[name] += part
        if run.step % 25 == 0:
            shown = " ".join(f"{name} {value / 25:.3f}" for name, value in sums.items())
            print(f"{run.step} {time.monotonic() - began:.0f}s {seconds}s {shown}", flush=True)
            sums = dict.fromkeys(WEIGHTS, 0.0)
        if run.step % 100 == 0 or run.step == options.steps:
            run.save(options.out)
            pool.refresh()


def arguments() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--asset", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=3600)
    parser.add_argument("--decay", type=int, default=1400)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--audio", type=int, default=128, help="seconds of audio a step")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Train from the start, or on from the checkpoint that is there."""
    options = arguments()
    if options.threads:
        torch.set_num_threads(options.threads)
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(automatic if options.device == "auto" else options.device)
    torch.manual_seed(options.seed)
    vocabulary = Vocabulary(load_encoding(options.asset))
    pool = Pool(options.clips)
    pool.refresh()
    clips = list(itertools.chain(*pool.clips.values()))
    words = Labels([spoken_word(c.text, c.language, at) for c in clips for _, _, at in c.words])
    phonemes = Labels([f"{c.language}:{name}" for c in clips for _, _, name in c.phonemes])
    net = WhisperNet(
        Shape(), used=len(vocabulary.used), words=len(words), phonemes=len(phonemes)
    ).to(device)
    run = Run(net, optimizers(net, options.rate), vocabulary.used, words, phonemes)
    if options.out.exists():
        run.load(options.out, device)
    parameters = sum(p.numel() for p in net.parameters())
    print(f"{parameters:,} parameters, {len(clips)} clips, at step {run.step}", flush=True)
    train(run, pool, Scribe(vocabulary, words, phonemes), options)


if __name__ == "__main__":
    main()
