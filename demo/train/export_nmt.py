"""Write a checkpoint of ``train_nmt`` as an int8 CTranslate2 directory.

``python -m demo.train.export_nmt --folder nmt --out demo/models/nmt-demo``
"""

import argparse
import json
from pathlib import Path

import ctranslate2
import sentencepiece
import torch
from sentencepiece import sentencepiece_model_pb2

from demo.grammar import LANGUAGES
from demo.train import ct2_layers as put
from demo.train.train_nmt import END, Translator

DESCRIPTION = {
    "family": "demo",
    "name": "nmt-demo",
    "licence": "Apache-2.0",
    "tokenizer": "sentencepiece",
    "tokenizer_file": "sentencepiece.model",
    "source_prefix": ["__{source}__"],
    "source_suffix": [END],
    "target_prefix": ["__{target}__"],
    "languages": list(LANGUAGES),
    "pairs": [[one, two] for one in LANGUAGES for two in LANGUAGES if one != two],
    "max_source_tokens": 200,
    "beam_size": 1,  # measured: a wider beam finds shorter sentences that leave a word out
    "example": 'translator.translate_batch([["__en__", *pieces, "</s>"]], '
    'target_prefix=[["__zh__"]]); drop the first token of the hypothesis, "__zh__", '
    "and decode the rest with SentencePiece",
}


def without_places(tokenizer: Path) -> bytes:
    """The tokenizer without the folders of the machine that trained it."""
    proto = sentencepiece_model_pb2.ModelProto.FromString(tokenizer.read_bytes())
    proto.trainer_spec.ClearField("input")
    proto.trainer_spec.ClearField("model_prefix")
    return bytes(proto.SerializeToString())


def main() -> None:
    """Write the whole directory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    tokenizer = options.folder / "sentencepiece.model"
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    vocabulary = [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]
    state = torch.load(options.folder / "nmt.pt", map_location="cpu", weights_only=False)
    net = Translator(len(vocabulary))
    net.load_state_dict(state["net"])

    layers = (len(net.encoder), len(net.decoder))
    gelu = ctranslate2.specs.common_spec.Activation.GELU
    spec = ctranslate2.specs.TransformerSpec.from_config(
        layers, net.heads, pre_norm=True, activation=gelu
    )
    table = put.array(net.embedding)
    for side in (spec.encoder, spec.decoder):
        side.scale_embeddings = 1.0
        side.position_encodings.encodings = put.array(net.positions)
    spec.encoder.embeddings[0].weight = table
    spec.decoder.embeddings.weight = table
    spec.decoder.projection.weight = table
    put.put_layers(spec.encoder.layer, net.encoder)
    put.put_norm(spec.encoder.layer_norm, net.encoder_norm)
    put.put_layers(spec.decoder.layer, net.decoder)
    put.put_norm(spec.decoder.layer_norm, net.decoder_norm)
    spec.config.bos_token = "<s>"  # noqa: S105
    spec.config.eos_token = END
    spec.config.unk_token = "<unk>"  # noqa: S105
    spec.config.decoder_start_token = END
    spec.config.add_source_bos = False
    spec.config.add_source_eos = False
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    options.out.mkdir(parents=True, exist_ok=True)
    spec.save(str(options.out))
    (options.out / "sentencepiece.model").write_bytes(without_places(tokenizer))
    described = json.dumps(DESCRIPTION, indent=2, ensure_ascii=False)
    (options.out / "fanscribe.json").write_text(described + "\n", "utf-8")
    print(f"step {state['step']}:", *sorted(p.name for p in options.out.iterdir()))


if __name__ == "__main__":
    main()
