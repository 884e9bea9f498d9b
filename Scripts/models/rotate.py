#!/usr/bin/env python3
"""A llama-type checkpoint in other coordinates: the same model, its residual stream turned by a random rotation.

    rotate.py IN.h5 OUT.h5 [--seed N] [--overwrite]

RMSNorm without gain turns with its input, so gains are multiplied into the matrices that follow, and an orthogonal Q
into every matrix that reads or writes the stream: E Q, W diag(g) Q for what reads, Q'W for what writes. The logits stay the
same but for rounding, and so do CKA and dimensions of activations; principal subspaces and single coordinates do not.
OUT is in f32 and untied. Needs Scripts/requirements.txt.
"""

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import checkpoint, elements  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402

MODEL_TYPES = ("llama", "mistral", "qwen2")
READS = {"self_attn.q_proj": "input_layernorm", "self_attn.k_proj": "input_layernorm",
         "self_attn.v_proj": "input_layernorm", "mlp.gate_proj": "post_attention_layernorm",
         "mlp.up_proj": "post_attention_layernorm"}
WRITES = ("self_attn.o_proj", "mlp.down_proj")


def rotation(width: int, seed: int) -> np.ndarray:
    """A random orthogonal matrix [width, width], with Haar's distribution."""
    q, r = np.linalg.qr(np.random.default_rng(seed).standard_normal((width, width)))
    return q * np.sign(np.diag(r))


class Rotated:
    """The tensors of a checkpoint, turned."""

    def __init__(self, source: checkpoint.Checkpoint, seed: int):
        self.source = source
        self.config = json.loads(source.text("config.json") or b"{}")
        if self.config.get("model_type") not in MODEL_TYPES:
            raise NeighbourError(f"{shown(source.path)} is {shown(self.config.get('model_type'))}; "
                                 f"this turns {', '.join(MODEL_TYPES)}")
        self.q = rotation(self.config["hidden_size"], seed)
        self.config |= {"tie_word_embeddings": False, "torch_dtype": "float32"}
        self.config.pop("dtype", None)

    def values(self, name: str) -> np.ndarray:
        """A tensor in float64."""
        return elements.to_f32(self.source.words(name), self.source.kind(name)).astype(np.float64)

    def turned(self, name: str) -> np.ndarray:
        """A tensor's new values, in float64."""
        layer = re.fullmatch(r"(model\.layers\.\d+)\.(.+)\.(weight|bias)", name)
        if name == "model.embed_tokens.weight":
            return self.values(name) @ self.q
        if name == "lm_head.weight":
            return self.values(name) * self.values("model.norm.weight") @ self.q
        if name == "model.norm.weight":
            return np.ones_like(self.values(name))
        if layer is None:
            raise NeighbourError(f"tensor {shown(name)} of {shown(self.source.path)} has no place in a llama")
        block, part, kind = layer.groups()
        if part in READS:
            values = self.values(name)
            return values if kind == "bias" else values * self.values(f"{block}.{READS[part]}.weight") @ self.q
        if part in WRITES:
            return self.q.T @ self.values(name)
        if part in READS.values():
            return np.ones_like(self.values(name))
        raise NeighbourError(f"tensor {shown(name)} of {shown(self.source.path)} is not known, and can't be turned")

    def tensors(self):
        """Every tensor in f32, and an output matrix of its own."""
        for name in self.source.names:
            yield checkpoint.Tensor(name, "f32", self.turned(name).astype("<f4"))
        if "lm_head.weight" not in self.source.names:
            head = self.values("model.embed_tokens.weight") * self.values("model.norm.weight") @ self.q
            yield checkpoint.Tensor("lm_head.weight", "f32", head.astype("<f4"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="rotate.py", description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path, metavar="IN.h5")
    parser.add_argument("target", type=Path, metavar="OUT.h5")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args()
    try:
        with checkpoint.Checkpoint(options.source) as source:
            rotated = Rotated(source, options.seed)
            texts = {name: text for name in ("tokenizer.json", "tokenizer_config.json", "chat.json")
                     if (text := source.text(f"tokenizer/{name}")) is not None}
            count = checkpoint.write(
                options.target, config=json.dumps(rotated.config, indent=2).encode() + b"\n", tensors=rotated.tensors(),
                tokenizer=texts, recipe={"command": f"rotate.py --seed {options.seed}", "source": options.source.name},
                source=options.source.name, overwrite=options.overwrite)
    except NeighbourError as error:
        print(f"rotate.py: {error}", file=sys.stderr)
        return 1
    print(f"{shown(options.target)}: {count} tensors in f32")
    return 0


if __name__ == "__main__":
    sys.exit(main())
