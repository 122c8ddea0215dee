"""Write a checkpoint of ``train_whisper`` as the int8 directory that faster-whisper loads.

``python -m demo.train.export_whisper --checkpoint whisper.pt --asset multilingual.tiktoken
--out demo/models/whisper-demo``
"""

import argparse
import json
import shutil
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from numpy.typing import NDArray
from transformers.convert_slow_tokenizer import TikTokenConverter

from demo.train import ct2_layers as put
from demo.train.tokens import END, FIRST_TIME, NO_TIMESTAMPS, PATTERN, START, TIMES, load_encoding
from demo.train.tokens import VOCABULARY_SIZE as SIZE
from demo.train.train_whisper import LOOKING_HEADS
from demo.train.whisper_net import Shape, WhisperNet

_LANGUAGES = """
en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr
bg lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn
yo so af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su
"""
LANGUAGES_IN_ORDER = tuple(_LANGUAGES.split())


def special_tokens() -> list[str]:
    """The special tokens before the times, in Whisper's order, from 50257 on."""
    names = ["endoftext", "startoftranscript", *LANGUAGES_IN_ORDER, "translate", "transcribe"]
    names += ["startoflm", "startofprev", "nospeech", "notimestamps"]
    return [f"<|{name}|>" for name in names]


def full_embedding(net: WhisperNet, used: list[int]) -> NDArray[np.float32]:
    """The 51,865 rows: the words in use, the times, and one row for everything else."""
    table = put.array(net.decoder.embedding())
    rows = np.repeat(table[-1:], SIZE, axis=0)
    rows[used] = table[: len(used)]
    rows[FIRST_TIME : FIRST_TIME + TIMES] = table[len(used) : len(used) + TIMES]
    return rows


def write_model(net: WhisperNet, used: list[int], out: Path, vocabulary: list[str]) -> None:
    """Fill the specification, quantize to int8, save."""
    shape = net.shape
    spec = ctranslate2.specs.WhisperSpec(
        shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads
    )
    for conv_spec, conv in (
        (spec.encoder.conv1, net.encoder.conv1),
        (spec.encoder.conv2, net.encoder.conv2),
    ):
        conv_spec.weight, conv_spec.bias = put.array(conv.weight), put.array(conv.bias)
    spec.encoder.position_encodings.encodings = put.array(net.encoder.positions)
    put.put_layers(spec.encoder.layer, net.encoder.layers)
    put.put_norm(spec.encoder.layer_norm, net.encoder.layer_norm)
    rows = full_embedding(net, used)
    spec.decoder.embeddings.weight = rows
    spec.decoder.projection.weight = rows
    spec.decoder.position_encodings.encodings = put.array(net.decoder.embed_positions)
    put.put_layers(spec.decoder.layer, net.decoder.layers)
    put.put_norm(spec.decoder.layer_norm, net.decoder.layer_norm)
    first_language = START + 1
    spec.config.suppress_ids = [START, *range(NO_TIMESTAMPS - 5, NO_TIMESTAMPS)]
    spec.config.suppress_ids_begin = [220, END]
    spec.config.lang_ids = list(range(first_language, first_language + len(LANGUAGES_IN_ORDER)))
    spec.config.alignment_heads = [list(head) for head in LOOKING_HEADS]
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))


def write_tokenizer(asset: Path, out: Path) -> list[str]:
    """Write tokenizer.json and give the vocabulary in the order of its numbers."""
    times = [f"<|{index * 0.02:.2f}|>" for index in range(TIMES)]
    converter = TikTokenConverter(
        str(asset), pattern=PATTERN, extra_special_tokens=special_tokens()
    )
    tokenizer = converter.converted()
    # times are ordinary added tokens, as in the tokenizers that faster-whisper knows
    tokenizer.add_tokens(times)
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    numbers = tokenizer.get_vocab(with_added_tokens=True)
    vocabulary = [""] * SIZE
    for token, number in numbers.items():
        vocabulary[number] = token
    return vocabulary


def main() -> None:
    """Write the whole directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--asset", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    state = torch.load(options.checkpoint, map_location="cpu", weights_only=False)
    used = state["used"]
    net = WhisperNet(
        Shape(**state["shape"]),
        used=len(used),
        words=len(state["words"]) + 1,
        phonemes=len(state["phonemes"]) + 1,
    )
    net.load_state_dict(state["net"])
    shutil.rmtree(options.out, ignore_errors=True)
    options.out.mkdir(parents=True)
    vocabulary = write_tokenizer(options.asset, options.out)
    encoding = load_encoding(options.asset)
    assert encoding.n_vocab == END, encoding.n_vocab
    write_model(net, used, options.out, vocabulary)
    preprocessor = {
        "chunk_length": 30, "feature_extractor_type": "WhisperFeatureExtractor",
        "feature_size": 80, "hop_length": 160, "n_fft": 400, "n_samples": 480000,
        "nb_max_frames": 3000, "padding_side": "right", "padding_value": 0.0,
        "processor_class": "WhisperProcessor", "return_attention_mask": False,
        "sampling_rate": 16000,
    }  # fmt: skip
    path = options.out / "preprocessor_config.json"
    path.write_text(json.dumps(preprocessor, indent=2) + "\n", "utf-8")
    print(f"step {state['step']}:", *sorted(p.name for p in options.out.iterdir()))


if __name__ == "__main__":
    main()
