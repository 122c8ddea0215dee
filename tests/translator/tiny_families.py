"""Untrained models of each family: the layout and the vocabulary of real ones, random weights.

Marian's are written as Marian writes them and converted by the real converter. Those that come
from `transformers` have the vocabulary that their converter leaves; `test_converted_families.py`
makes them by the converter itself, where `torch` is installed.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np
import sentencepiece
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from demo.grammar import LANGUAGES, sentences

WIDTH, POSITIONS = 16, 64
END = "</s>"
_SPECIAL = ("<s>", "<pad>", END, "<unk>")
_TEXTS = sentences(300, seed=1, held_out=True)

M2M_TOKENS = [f"__{code}__" for code in ("de", "en", "fr", "ja", "zh")]
NLLB_TOKENS = ["deu_Latn", "eng_Latn", "fra_Latn", "jpn_Jpan", "zho_Hans"]
MADLAD_TOKENS = [f"<2{code}>" for code in ("de", "en", "fr", "ja", "zh")]


def train_pieces(path: Path, languages: Sequence[str], size: int = 1000, **options: object) -> Path:
    """A SentencePiece model of the demo's grammar."""
    texts = [sentence.text(language) for sentence in _TEXTS for language in languages]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(path.with_suffix("")),
        vocab_size=size,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    return path.with_suffix(".model").rename(path)


def pieces_of(path: Path) -> list[str]:
    """All that a SentencePiece model can cut a text into."""
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return [
        model.id_to_piece(number)
        for number in range(model.get_piece_size())
        if not (model.is_control(number) or model.is_unknown(number))
    ]


def merges_of(pieces: Sequence[str]) -> list[tuple[str, str]]:
    """All ways to make a piece of two others, the pieces in the order in which they were learnt."""
    known = set(pieces)
    return [
        (piece[:cut], piece[cut:])
        for piece in pieces
        for cut in range(1, len(piece))
        if piece[:cut] in known and piece[cut:] in known
    ]


def make_m2m100(folder: Path) -> Path:
    own = pieces_of(train_pieces(folder / "sentencepiece.bpe.model", LANGUAGES, model_type="bpe"))
    made_up = [f"madeupword{number}" for number in range(8)]
    _save(folder, [*_SPECIAL, *own, *M2M_TOKENS, *made_up], start=END)
    return folder


def make_nllb(folder: Path) -> Path:
    own = pieces_of(train_pieces(folder / "sentencepiece.bpe.model", LANGUAGES, model_type="bpe"))
    _save(folder, [*_SPECIAL, *own, *NLLB_TOKENS, "<mask>"], start=END)
    return folder


def make_nllb_of_today(folder: Path) -> Path:
    """With a `tokenizer.json` and no SentencePiece model, as many are published."""
    make_nllb(folder)
    path = folder / "sentencepiece.bpe.model"
    own = pieces_of(path)
    numbers = {token: number for number, token in enumerate([*_SPECIAL, *own])}
    tokenizer = Tokenizer(models.BPE(numbers, merges_of(own), unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([*_SPECIAL, *NLLB_TOKENS, "<mask>"])
    tokenizer.enable_truncation(4)  # as such files may say, and must not do
    tokenizer.save(str(folder / "tokenizer.json"))
    path.unlink()
    return folder


def make_madlad(folder: Path) -> Path:
    """T5: positions are relative, and the tokenizer sees `<2xx>` in a text."""
    path = train_pieces(
        folder / "spiece.model", LANGUAGES, user_defined_symbols=MADLAD_TOKENS, byte_fallback=True
    )
    model = sentencepiece.SentencePieceProcessor(model_file=str(path))
    vocabulary = [model.id_to_piece(number) for number in range(model.get_piece_size())]
    _save(folder, vocabulary, start="<unk>", t5=True)
    return folder


def write_opus(folder: Path, *, targets: Sequence[str], separate: bool = False) -> Path:
    """A model as it lies in an archive of OPUS-MT; `targets` are its `>>xxx<<` tokens, if any."""
    folder.mkdir(parents=True, exist_ok=True)
    source = pieces_of(train_pieces(folder / "source.spm", ["en"], 300))
    target = pieces_of(train_pieces(folder / "target.spm", ["de", "zh", "ja"], 900))
    sides = (
        ([END, "<unk>", *targets, *source], [END, "<unk>", *target])
        if separate
        else ([END, "<unk>", *targets, *dict.fromkeys([*source, *target])],) * 2
    )
    names = ["source.yml", "target.yml"] if separate else ["vocab.yml", "vocab.yml"]
    for name, tokens in zip(names, sides, strict=True):
        lines = [f"{json.dumps(token, ensure_ascii=False)}: {n}" for n, token in enumerate(tokens)]
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    np.savez(folder / "model.npz", **_marian_weights(*map(len, sides), separate=separate))
    (folder / "decoder.yml").write_text(yaml.safe_dump({"models": ["model.npz"], "vocabs": names}))
    return folder


def make_marian(folder: Path, *, targets: Sequence[str] = (), separate: bool = False) -> Path:
    """By the converter of OPUS-MT's own files."""
    opus = write_opus(folder.parent / f"{folder.name}-opus", targets=targets, separate=separate)
    command = [sys.executable, "-m", "ctranslate2.converters.opus_mt", "--force"]
    subprocess.run([*command, "--model_dir", opus, "--output_dir", folder], check=True)
    for name in ("source.spm", "target.spm"):
        (opus / name).rename(folder / name)
    (folder / "fanscribe.json").write_text(json.dumps({"positions": POSITIONS}))
    return folder


def _save(folder: Path, vocabulary: list[str], *, start: str, t5: bool = False) -> None:
    options = {"relative_attention_bias": True, "rms_norm": True, "ffn_glu": True} if t5 else {}
    spec = ctranslate2.specs.TransformerSpec.from_config((1, 1), 2, **options)
    fill(spec, np.random.default_rng(5), len(vocabulary))
    if not t5:
        for side in (spec.encoder, spec.decoder):
            drawn = np.random.default_rng(6).normal(0, 0.5, (POSITIONS, WIDTH))
            side.position_encodings.encodings = drawn.astype(np.float32)
    spec.decoder.projection.bias[vocabulary.index(END)] = 1.5
    spec.config.decoder_start_token = start
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "fanscribe.json").write_text(json.dumps({"positions": POSITIONS}))


def fill(spec: object, chance: np.random.Generator, vocabulary: int) -> None:
    """Random weights of the right shapes."""
    shapes = {
        "embeddings": (vocabulary, WIDTH), "projection": (vocabulary, WIDTH),
        "/self_attention/linear_0": (3 * WIDTH, WIDTH), "/attention/linear_1": (2 * WIDTH, WIDTH),
        "linear_0": (WIDTH, WIDTH), "linear_1": (WIDTH, WIDTH), "linear_2": (WIDTH, WIDTH),
    }  # fmt: skip

    def visit(layer: object, name: str) -> None:
        for key, value in list(vars(layer).items()):
            path = f"{name}/{key}"
            if isinstance(value, list):
                for number, inner in enumerate(value):
                    visit(inner, f"{path}_{number}")
            elif isinstance(value, ctranslate2.specs.LayerSpec):
                visit(value, path)
            elif key in {"gamma", "beta"}:
                setattr(layer, key, np.full(WIDTH, float(key == "gamma"), np.float32))
            elif key in {"weight", "bias"}:
                shape = next(s for part, s in shapes.items() if part in _tail(name))
                size = shape if key == "weight" else shape[0]
                drawn = chance.normal(0, 0.5, size) if key == "weight" else np.zeros(size)
                setattr(layer, key, drawn.astype(np.float32))
            elif key == "relative_attention_bias":
                setattr(layer, key, chance.normal(0, 0.5, (32, 2)).astype(np.float32))
            elif key == "relative_attention_max_distance":
                setattr(layer, key, np.dtype("int32").type(128))

    visit(spec, "")


def _tail(name: str) -> str:
    return "/" + "/".join(name.split("/")[-2:])


def _marian_weights(source: int, target: int, *, separate: bool) -> dict[str, np.ndarray]:
    config = {
        "type": "transformer", "enc-depth": 1, "dec-depth": 1, "transformer-heads": 2,
        "transformer-ffn-activation": "swish", "transformer-preprocess": "",
        "transformer-postprocess": "dan", "transformer-postprocess-emb": "d",
        "transformer-decoder-autoreg": "self-attention", "transformer-no-projection": False,
        "transformer-guided-alignment-layer": "last",
    }  # fmt: skip
    chance = np.random.default_rng(7)
    text = yaml.safe_dump(config).encode() + b"\0"
    weights = {"special:model.yml": np.frombuffer(text, np.int8)}

    def draw(name: str, *shape: int) -> None:
        weights[name] = chance.normal(0, 0.5, shape).astype(np.float32)

    def norm(name: str) -> None:
        weights[f"{name}_ln_scale"] = np.ones((1, WIDTH), np.float32)
        weights[f"{name}_ln_bias"] = np.zeros((1, WIDTH), np.float32)

    for side, blocks in (("encoder", ["self"]), ("decoder", ["self", "context"])):
        for block in blocks:
            for part in "qkvo":
                draw(f"{side}_l1_{block}_W{part}", WIDTH, WIDTH)
                draw(f"{side}_l1_{block}_b{part}", 1, WIDTH)
            norm(f"{side}_l1_{block}_Wo")
        for part in "12":
            draw(f"{side}_l1_ffn_W{part}", WIDTH, WIDTH)
            draw(f"{side}_l1_ffn_b{part}", 1, WIDTH)
        norm(f"{side}_l1_ffn_ffn")
    if separate:
        draw("encoder_Wemb", source, WIDTH)
        draw("decoder_Wemb", target, WIDTH)
        draw("decoder_ff_logit_out_Wt", target, WIDTH)
    else:
        draw("Wemb", source, WIDTH)
    draw("decoder_ff_logit_out_b", 1, target)
    weights["decoder_ff_logit_out_b"][0, 0] = 1.5  # to come to an end now and then
    return weights
