"""Folder to checkpoint and back: every bit the same, and the same logits from `transformers`."""

import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import convert

from . import fixtures, reference, variants
from .checkpoint import Checkpoint
from .folder import write_folder

CASES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
VARIANT = variants.Variant("tiny-chat", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=2),
                           vocabulary=300)


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a folder, all shards together."""
    return {name: value for path in folder.glob("*.safetensors") for name, value in load_file(path).items()}


def same_bits(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Equal names, types, shapes and bytes (NaNs too)."""
    raw = lambda value: value.contiguous().view(torch.uint8)
    return a.keys() == b.keys() and all(
        a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and torch.equal(raw(a[k]), raw(b[k])) for k in a)


def check() -> tuple[list[str], bool]:
    """Run every case. Returns markdown lines and whether all held."""
    lines = ["| case | tensors | bits | texts | logits |", "|---|---:|---|---|---|"]
    met = True
    with tempfile.TemporaryDirectory() as temporary:
        for dtype, sharded in ((d, s) for d in CASES for s in (False, True)):
            root = Path(temporary) / f"{dtype}{'-sharded' if sharded else ''}"
            root.mkdir()
            source, middle, target = root / "source", root / "middle.h5", root / "target"
            model = variants.random_model(VARIANT).to(CASES[dtype])
            model.save_pretrained(source, max_shard_size="30KB" if sharded else "1GB")
            (source / "generation_config.json").unlink(missing_ok=True)
            for name, text in fixtures.tokenizer_files().items():
                (source / name).write_text(text, "utf-8")
            convert.to_hdf5(source, middle)
            shards = write_folder(middle, target, shard_bytes=20_000 if sharded else 4_000_000_000)
            bits = same_bits(tensors(source), tensors(target)) and (shards > 1) == sharded
            texts = all((source / name).read_bytes() == (target / name).read_bytes()
                        for name in ("config.json", "tokenizer.json", "tokenizer_config.json"))
            ids = variants.sequences(VARIANT)[3]
            first, second = (reference.Reference(reference.load(f)).logits(ids) for f in (source, target))
            logits = torch.equal(first, second)
            met = met and bits and texts and logits
            lines.append(f"| {root.name} | {len(tensors(target))} | {_word(bits)} | {_word(texts)} | {_word(logits)} |")
        bits = _every_pattern(Path(temporary))
        met = met and bits
        lines.append(f"| every 16-bit pattern | 2 | {_word(bits)} | | |")
    return lines, met


def _every_pattern(root: Path) -> bool:
    """All 65,536 words as f16 and as bf16, NaNs and subnormals among them, survive both ways."""
    source, middle, target = root / "patterns", root / "patterns.h5", root / "patterns-back"
    source.mkdir()
    words = torch.arange(65536, dtype=torch.int32).to(torch.int16)
    made = {"half": words.clone().view(torch.float16), "brain": words.view(torch.bfloat16).reshape(256, 256)}
    save_file(made, source / "model.safetensors")
    (source / "config.json").write_text(json.dumps({"model_type": "patterns"}))
    convert.to_hdf5(source, middle)
    write_folder(middle, target)
    with Checkpoint(middle) as checkpoint:
        stored = all(np.array_equal(checkpoint.words(k).view(np.uint16).reshape(-1), np.arange(65536)) for k in made)
    return stored and same_bits(made, tensors(target))


def _word(held: bool) -> str:
    return "identical" if held else "DIFFERENT"
