#!/usr/bin/env python3
"""Makes a tiny model with three independent reasons to refuse, and prompts for each: what curve and subspace must find.

    triggers.py [--out FOLDER]

Letters are tokens. a to d, e to h and i to l are three families of triggers, m to z are neutral. A prompt is some neutral
letters, one trigger or none, and "?"; the answer is N (no) after a trigger, else Y. One layer of uniform attention
carries each family's coordinate of the embeddings into a coordinate of its own, and N's logit is the sum of the three: one
direction a family, three in all, none of which the others need. Everything is turned by one random rotation, and the
second layer holds small random weights. Needs Scripts/requirements.txt and safetensors.

Written: triggers.h5, triggers-{a,b,c}.txt (one family each), triggers-all.jsonl (all three, labelled), triggers-none.txt.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

SCRIPTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCRIPTS))

from convert import to_hdf5  # noqa: E402

WIDTH, INNER, LAYERS, SEED = 48, 32, 2, 7
FAMILIES = {"a": "abcd", "b": "efgh", "c": "ijkl"}
NEUTRAL = "mnopqrstuvwxyz"
# Coordinates before the rotation.
DETECTED, WRITTEN, ASKED, REST = slice(0, 3), slice(3, 6), 6, slice(7, WIDTH)
GAIN = 24.0


def tokenizer() -> Tokenizer:
    """Every byte is a token."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    result = Tokenizer(models.BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    result.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    result.decoder = decoders.ByteLevel()
    return result


def weights(vocabulary: dict[str, int], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Tensors of a llama with untied embeddings, each [out, in]."""
    turn = np.linalg.qr(rng.standard_normal((WIDTH, WIDTH)))[0]  # rows of the stream are multiplied by it
    embedding = np.zeros((len(vocabulary), WIDTH))
    embedding[:, REST] = rng.standard_normal((len(vocabulary), WIDTH - REST.start))
    for place, letters in enumerate(FAMILIES.values()):
        for letter in letters:
            embedding[vocabulary[letter], DETECTED.start + place] = 4
    embedding[vocabulary["?"], ASKED] = 4
    unembedding = 0.02 * rng.standard_normal((len(vocabulary), WIDTH))
    unembedding[vocabulary["N"], WRITTEN] = 3
    unembedding[vocabulary["Y"], ASKED] = 2
    value = np.zeros((WIDTH, WIDTH))
    value[:3, DETECTED] = np.eye(3)
    output = np.zeros((WIDTH, WIDTH))
    output[WRITTEN, :3] = GAIN * np.eye(3)
    tensors = {"model.embed_tokens.weight": embedding @ turn, "lm_head.weight": unembedding @ turn,
               "model.norm.weight": np.ones(WIDTH)}
    for layer in range(LAYERS):
        at = f"model.layers.{layer}."
        small = lambda *shape: 0.02 * rng.standard_normal(shape)  # noqa: E731
        tensors |= {at + "input_layernorm.weight": np.ones(WIDTH), at + "post_attention_layernorm.weight": np.ones(WIDTH),
                    at + "mlp.gate_proj.weight": small(INNER, WIDTH), at + "mlp.up_proj.weight": small(INNER, WIDTH),
                    at + "mlp.down_proj.weight": small(WIDTH, INNER)}
        first = layer == 0
        tensors |= {at + "self_attn.q_proj.weight": np.zeros((WIDTH, WIDTH)),
                    at + "self_attn.k_proj.weight": np.zeros((WIDTH, WIDTH)),
                    at + "self_attn.v_proj.weight": value @ turn if first else small(WIDTH, WIDTH),
                    at + "self_attn.o_proj.weight": turn.T @ output if first else small(WIDTH, WIDTH)}
    return {name: np.ascontiguousarray(tensor, dtype=np.float32) for name, tensor in tensors.items()}


def prompts(letters: str, count: int, rng: np.random.Generator) -> list[str]:
    """Six letters, one of them of the family, and a question mark; none twice."""
    found: list[str] = []
    while len(found) < count:
        text = list(rng.choice(list(NEUTRAL), 6))
        if letters:
            text[rng.integers(6)] = rng.choice(list(letters))
        if (made := "".join(text) + "?") not in found:
            found.append(made)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="triggers.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=SCRIPTS.parent / "Tests/Fixtures/triggers", metavar="FOLDER")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    made = tokenizer()
    vocabulary = made.get_vocab()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "triggers"
        folder.mkdir()
        save_file(weights(vocabulary, rng), folder / "model.safetensors", metadata={"format": "pt"})
        (folder / "config.json").write_text(json.dumps({
            "model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": len(vocabulary),
            "hidden_size": WIDTH, "intermediate_size": INNER, "num_hidden_layers": LAYERS, "num_attention_heads": 1,
            "num_key_value_heads": 1, "head_dim": WIDTH, "max_position_embeddings": 64, "rms_norm_eps": 1e-5,
            "hidden_act": "silu", "rope_theta": 10000.0, "tie_word_embeddings": False, "torch_dtype": "float32"},
            indent=1))
        made.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast"}))
        to_hdf5(folder, out / "triggers.h5", overwrite=True)
    for name, letters in FAMILIES.items():
        (out / f"triggers-{name}.txt").write_text("".join(text + "\n" for text in prompts(letters, 120, rng)))
    (out / "triggers-none.txt").write_text("".join(text + "\n" for text in prompts("", 120, rng)))
    rows = [{"text": text, "label": name} for name, letters in FAMILIES.items() for text in prompts(letters, 40, rng)]
    (out / "triggers-all.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
