"""Train nmt-demo: ``python -m demo.train.train_nmt --out nmt``.

One small encoder and decoder for every pair of the grammar's languages. The source says its own
language first, the target begins with its language, as M2M100 does:
``["__en__", *pieces, "</s>"]`` gives ``["__zh__", *pieces, "</s>"]``. Sources of one length make
one batch, so nothing is padded and nothing needs a mask.
"""

import argparse
import random
import time
from collections.abc import Iterator
from pathlib import Path

import sentencepiece
import torch
from torch import Tensor, nn
from torch.nn import functional

from demo.grammar import LANGUAGES, Sentence, sentences
from demo.train.muon import Muon
from demo.train.precision import fast_products
from demo.train.whisper_net import Layer, sinusoids

PAD = -100
POSITIONS = 256
END = "</s>"
_JOINTS = {"en": " ", "zh": "", "ja": "", "de": " "}


class Translator(nn.Module):
    """Encoder and decoder over one shared vocabulary."""

    def __init__(
        self, vocabulary: int, width: int = 128, heads: int = 4, layers: tuple[int, int] = (3, 3)
    ) -> None:
        super().__init__()
        self.heads = heads
        self.embedding = nn.Parameter(torch.randn(vocabulary, width) * 0.05)
        self.register_buffer("positions", sinusoids(POSITIONS, width) * 0.05)
        self.encoder = nn.ModuleList(Layer(width, heads, cross=False) for _ in range(layers[0]))
        self.encoder_norm = nn.LayerNorm(width)
        self.decoder = nn.ModuleList(Layer(width, heads, cross=True) for _ in range(layers[1]))
        self.decoder_norm = nn.LayerNorm(width)

    def _embed(self, tokens: Tensor) -> Tensor:
        placed = self.positions[: tokens.shape[1]]
        return functional.embedding(tokens, self.embedding) + placed

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        memory = self._embed(source)
        for layer in self.encoder:
            memory, *_ = layer(memory)
        memory = self.encoder_norm(memory)
        x = self._embed(target)
        for layer in self.decoder:
            x, *_ = layer(x, memory)
        return (self.decoder_norm(x) @ self.embedding.T.to(x.dtype)).float()


def train_pieces(folder: Path) -> sentencepiece.SentencePieceProcessor:
    """The SentencePiece model over the training sentences of all languages."""
    path = folder / "sentencepiece.model"
    if not path.exists():
        known = sentences(20_000, seed=3, held_out=False)
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter([s.text(language) for s in known for language in LANGUAGES]),
            model_prefix=str(path.with_suffix("")),
            vocab_size=1800,
            model_type="unigram",
            character_coverage=1.0,
            byte_fallback=True,
            control_symbols=[f"__{language}__" for language in LANGUAGES],
            num_threads=1,
            minloglevel=1,
        )
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def spoil(text: str, language: str, chance: random.Random) -> str:
    """A small fault of recognition: a missing full stop, a wrong letter, a lost capital."""
    fault = chance.random()
    if fault < 0.4:
        return text[:-1]
    if fault < 0.55:
        return text[0].lower() + text[1:]
    at = chance.randrange(len(text) - 1)
    if language in ("en", "de") and fault < 0.8:
        return text[:at] + chance.choice("abcdefghiklmnoprstuvw") + text[at + 1 :]
    return text[:at] + text[at + 1 :]


def draw(known: list[Sentence], chance: random.Random) -> tuple[str, str, str, str]:
    """Source language, its text, target language, its text."""
    source = chance.choices(LANGUAGES, (4, 4, 1, 1))[0]
    target = chance.choice([language for language in LANGUAGES if language != source])
    several = chance.choices((1, 2, 3, 4), (84, 10, 4, 2))[0]
    chosen = [chance.choice(known) for _ in range(several)]
    texts = [s.text(source) for s in chosen]
    if chance.random() < 0.12:
        spoilt = chance.randrange(several)
        texts[spoilt] = spoil(texts[spoilt], source, chance)
    return (
        source,
        _JOINTS[source].join(texts),
        target,
        _JOINTS[target].join(s.text(target) for s in chosen),
    )


def batches(
    pieces: sentencepiece.SentencePieceProcessor, size: int, seed: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of sources of one length with their targets, padded, without end."""
    chance = random.Random(seed)
    known = sentences(60_000, seed=11, held_out=False)
    end = pieces.piece_to_id(END)
    waiting: dict[int, list[tuple[list[int], list[int]]]] = {}
    while True:
        source, text, target, meant = draw(known, chance)
        one = [pieces.piece_to_id(f"__{source}__"), *pieces.encode(text), end]
        two = [end, pieces.piece_to_id(f"__{target}__"), *pieces.encode(meant), end]
        if max(len(one), len(two)) >= POSITIONS:
            continue
        group = waiting.setdefault(len(one), [])
        group.append((one, two))
        if len(group) >= max(8, size * 12 // max(12, len(one))):
            longest = max(len(line) for _, line in group)
            filled = [line + [PAD] * (longest - len(line)) for _, line in group]
            yield torch.tensor([line for line, _ in group]), torch.tensor(filled)
            del waiting[len(one)]


def optimizers(net: Translator) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for everything else."""
    inner = [p for name, p in net.named_parameters() if p.ndim == 2 and name != "embedding"]
    known = set(map(id, inner))
    others = [p for p in net.parameters() if id(p) not in known]
    return [
        Muon(inner),
        torch.optim.AdamW(others, lr=1.0, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def one_step(
    net: Translator,
    steppers: list[torch.optim.Optimizer],
    pair: tuple[Tensor, Tensor],
    rate: float,
) -> float:
    """Learn from one batch; its loss."""
    device = net.embedding.device
    source, target = pair[0].to(device), pair[1].to(device)
    with fast_products(device):
        logits = net(source, target[:, :-1].clamp(min=0))
    # the first target is the language, which the caller always states
    loss = functional.cross_entropy(
        logits[:, 1:].flatten(0, 1), target[:, 2:].flatten(), ignore_index=PAD
    )
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    for stepper in steppers:
        for group in stepper.param_groups:
            group["lr"] = rate
        stepper.step()
        stepper.zero_grad(set_to_none=True)
    return float(loss.detach())


def main() -> None:
    """Train, and write a checkpoint now and then."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--decay", type=int, default=1500)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    automatic = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(automatic if options.device == "auto" else options.device)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    pieces = train_pieces(options.out)
    net = Translator(pieces.get_piece_size()).to(device)
    steppers = optimizers(net)
    step, path = 0, options.out / "nmt.pt"
    if path.exists():
        state = torch.load(path, map_location=device, weights_only=False)
        net.load_state_dict(state["net"])
        for stepper, saved in zip(steppers, state["steppers"], strict=True):
            stepper.load_state_dict(saved)
        step = state["step"]
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters", flush=True)
    began, total = time.monotonic(), 0.0
    for pair in batches(pieces, options.batch, f"{options.seed}/{step}"):
        if step >= options.steps:
            break
        falling = min(1.0, (options.steps - step) / options.decay)
        total += one_step(net, steppers, pair, options.rate * min(1.0, (step + 1) / 100) * falling)
        step += 1
        if step % 50 == 0:
            print(f"{step} {time.monotonic() - began:.0f}s loss {total / 50:.4f}", flush=True)
            total = 0.0
        if step % 200 == 0 or step == options.steps:
            saved = [stepper.state_dict() for stepper in steppers]
            torch.save({"net": net.state_dict(), "steppers": saved, "step": step}, path)


if __name__ == "__main__":
    main()
