"""Write a training of ``train_whisper`` as the int8 directory that faster-whisper loads.

``python -m demo.train.export_whisper --training training --out demo/models/whisper-demo``

The tokenizer is that of the shipped model; nothing in it is trained. With ``--from``, the
model that the training started from, weights between the two are written, at ``--share`` of the way
to what was learnt: of a model trained on, they kept more of what it had known well.
"""

import argparse
import json
from pathlib import Path

import ctranslate2
import numpy as np
import torch
from numpy.typing import NDArray

from demo.train import ct2_layers as put
from demo.train.learning import LOOKING_HEADS, Run
from demo.train.restore_whisper import whole
from demo.train.tokens import END, FIRST_TIME, NO_SPEECH, SHIPPED, START, TIMES, TRANSLATE
from demo.train.tokens import VOCABULARY_SIZE as SIZE
from demo.train.train_whisper import CHECKPOINT
from demo.train.whisper_net import WhisperNet

COPIED = ("tokenizer.json", "preprocessor_config.json")


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
    spec.config.suppress_ids = [START, *range(TRANSLATE, NO_SPEECH + 1)]
    spec.config.suppress_ids_begin = [220, END]
    spec.config.lang_ids = list(range(START + 1, TRANSLATE))
    spec.config.alignment_heads = [list(head) for head in LOOKING_HEADS]
    spec.register_vocabulary(vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    out.mkdir(parents=True, exist_ok=True)
    spec.save(str(out))


def draw_back(net: WhisperNet, start: Path, used: list[int], share: float) -> None:
    """To where it was at this share of the straight way from the model it started from."""
    begun = whole(start, used)
    with torch.no_grad():
        for part, first in ((net.encoder, begun.encoder), (net.decoder, begun.decoder)):
            for learnt, known in zip(part.parameters(), first.parameters(), strict=True):
                learnt.copy_(share * learnt + (1 - share) * known)


def main() -> None:
    """Write the whole directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--training", type=Path, required=True, help="the folder of the training")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--from", type=Path, dest="start", help="the model that it started from")
    parser.add_argument("--share", type=float, default=0.8, help="of what was learnt since")
    options = parser.parse_args()
    run = Run.load(options.training / CHECKPOINT, torch.device("cpu"))
    if options.start:
        draw_back(run.net, options.start, run.used, options.share)
    copied = {name: (SHIPPED / name).read_bytes() for name in COPIED}
    vocabulary = json.loads((SHIPPED / "vocabulary.json").read_text("utf-8"))
    write_model(run.net, run.used, options.out, vocabulary)
    for name, content in copied.items():
        (options.out / name).write_bytes(content)
    print(f"step {run.step}:", *sorted(path.name for path in options.out.iterdir()))


if __name__ == "__main__":
    main()
