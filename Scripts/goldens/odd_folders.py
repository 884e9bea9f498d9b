"""Writes Tests/Fixtures/folders: small Hugging Face folders of safetensors, whole ones and odd ones.

Needs numpy and safetensors. What only claims to be large is a header alone.
Run: python Scripts/goldens/odd_folders.py [FOLDER]
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours.folder import write_folder  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "Tests/Fixtures/folders")
ODD = FOLDER / "odd"
ODD.mkdir(parents=True, exist_ok=True)
CONFIG = '{"model_type": "llama"}'
(ODD / "config.json").write_text(CONFIG)

# A whole model in shards, as `transformers` would find it.
write_folder(ROOT / "Tests/Fixtures/models/mqa-bf16.h5", FOLDER / "mqa-bf16", overwrite=True, shard_bytes=16_000)
write_folder(ROOT / "Tests/Fixtures/models/tiny-chat.h5", FOLDER / "tiny-chat", overwrite=True)
(FOLDER / "tiny-chat/generation_config.json").write_text('{"eos_token_id": [2, 7]}\n')


def entry(dtype, shape, begin, end, **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


def raw(name, header, data=b"", length=None, pad=True, folder=ODD):
    """A file from its header, which is text, bytes or what JSON holds, and its data."""
    text = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    if pad:
        text += b" " * (-len(text) % 8)
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


A = entry("F32", [2, 3], 0, 24)
DATA = np.arange(6, dtype="<f4").tobytes()

# Files that open
raw("plain", {"__metadata__": {"format": "pt"}, "a": A}, DATA)
(ODD / "types.safetensors").write_bytes(save({
    f"{kind}": np.arange(4).astype(kind) for kind in
    ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")}))
raw("empty-and-scalar", {"scalar": entry("F32", [], 0, 4), "none": entry("BF16", [0, 3], 4, 4)}, DATA[:4])
raw("float8", {"a.weight": entry("F8_E4M3", [2, 3], 24, 30), "b": A}, DATA + b"\x7f" * 6)
raw("float4", {"a": entry("F4", [4, 2], 0, 4), "c": entry("C64", [1], 4, 12)}, bytes(12))
raw("unknown-type", {"a": entry("INT3_GGML", [2, 3], 24, 25), "b": A}, DATA + b"\0")
raw("zero-extents", {"a": entry("F32", [0, 2**62], 0, 0), "b": entry("U8", [2**62, 0], 0, 0), "c": A}, DATA)
raw("misaligned", {"a": entry("U8", [3], 0, 3), "b": entry("F32", [2, 3], 3, 27), "c": entry("BF16", [2], 27, 31)},
    b"\1\2\3" + DATA + b"\x80\x3f\0\x40")
raw("misaligned-header", json.dumps({"a": A}) + " " * (3 - len(json.dumps({"a": A})) % 8), DATA, pad=False)
raw("other-order", {"b": entry("F32", [1], 24, 28), "a": A}, DATA + DATA[4:8])
raw("nan", {"a": A}, np.array([np.nan, np.inf, -np.inf, 0, 1, np.nan], "<f4").tobytes())
raw("escape-in-name", {"\x1b[31mred\u202eevil\u200b": A}, DATA)

# Lengths
(ODD / "empty.safetensors").write_bytes(b"")
(ODD / "short.safetensors").write_bytes(b"\x08\0\0\0")
(ODD / "lfs-pointer.safetensors").write_text(
    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 4\n")
raw("header-beyond-file", {"a": A}, b"", length=5000)
raw("header-too-long", {"a": A}, DATA, length=100_000_001)
raw("header-length-negative", {"a": A}, DATA, length=2**64 - 1)
raw("header-length-zero", b"", DATA, length=0)
raw("cut", {"a": A}, DATA[:20])
raw("bytes-after", {"a": A}, DATA + b"\0" * 8)
raw("no-tensors", {"__metadata__": {"format": "pt"}})
# Headers that are not what they should be
raw("not-json", '{"a": ', DATA)
raw("not-utf8", b'{"\xff\xfe": 1}', DATA)
raw("array", [A], DATA)
raw("text-after", json.dumps({"a": A}) + "{}", DATA)
raw("deep", "{" + '"a":' + "[" * 100 + "]" * 100 + "}", DATA)
raw("duplicate", f'{{"a": {json.dumps(A)}, "a": {json.dumps(A)}}}', DATA)
raw("duplicate-inside", '{"a": {"dtype": "F32", "dtype": "I32", "shape": [2, 3], "data_offsets": [0, 24]}}', DATA)
raw("same-letters", {"\u00e9": A, "e\u0301": entry("F32", [1], 24, 28)}, DATA + DATA[:4])
raw("metadata-number", {"__metadata__": {"format": 3}, "a": A}, DATA)
raw("metadata-list", {"__metadata__": ["pt"], "a": A}, DATA)
raw("entry-number", {"a": 5}, DATA)
raw("no-name", {"": A}, DATA)
raw("long-name", {"n" * 2000: A}, DATA)
raw("no-dtype", {"a": {"shape": [2, 3], "data_offsets": [0, 24]}}, DATA)
raw("dtype-number", {"a": entry(32, [2, 3], 0, 24)}, DATA)
raw("no-shape", {"a": {"dtype": "F32", "data_offsets": [0, 24]}}, DATA)
raw("no-offsets", {"a": {"dtype": "F32", "shape": [2, 3]}}, DATA)
# Numbers that do not fit together
raw("negative-extent", {"a": entry("F32", [-2, -3], 0, 24)}, DATA)
raw("fraction", {"a": entry("F32", [2.0, 3], 0, 24)}, DATA)
raw("overflowing-shape", {"a": entry("F32", [2**32, 2**32], 0, 24)}, DATA)
raw("overflowing-bits", {"a": entry("F64", [2**31, 2**29], 0, 24)}, DATA)
raw("overflowing-unknown", {"a": entry("X", [2**62], 0, 12), "b": entry("X", [2**62], 12, 24)}, DATA)
raw("huge-extent", '{"a": {"dtype": "F32", "shape": [99999999999999999999], "data_offsets": [0, 24]}}', DATA)
raw("nine-dimensions", {"a": entry("F32", [1] * 8 + [6], 0, 24)}, DATA)
raw("three-offsets", {"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 12, 24]}}, DATA)
raw("offsets-backwards", {"a": entry("F32", [2, 3], 24, 0)}, DATA)
raw("negative-offset", {"a": entry("F32", [2, 3], -4, 20)}, DATA)
raw("outside", {"a": entry("F32", [2, 3], 2**62, 2**62 + 24)}, DATA)
raw("wrong-size", {"a": entry("F32", [2, 2], 0, 24)}, DATA)
raw("half-byte", {"a": entry("F4", [3], 0, 1)}, b"\0")
raw("overlap", {"a": A, "b": entry("F32", [2, 3], 12, 36)}, DATA + DATA[:12])
raw("same-bytes", {"a": A, "b": A}, DATA)
raw("hole", {"a": A, "b": entry("F32", [2], 28, 36)}, DATA + bytes(12))
raw("hole-at-start", {"a": entry("F32", [2, 3], 8, 32)}, bytes(8) + DATA)


def sharded(name, weight_map, shards, text=None):
    """A folder with an index and shards, each a list of the names of its tensors."""
    folder = FOLDER / name
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(CONFIG)
    for file, names in shards.items():
        raw(file.removesuffix(".safetensors"), {n: entry("F32", [2, 3], i * 24, i * 24 + 24)
                                                for i, n in enumerate(names)}, DATA * len(names), folder=folder)
    index = json.dumps({"metadata": {"total_size": 48}, "weight_map": weight_map}) if text is None else text
    (folder / "model.safetensors.index.json").write_text(index)


ONE, TWO = "model-1.safetensors", "model-2.safetensors"
sharded("tensor-not-there", {"a": ONE, "b": TWO}, {ONE: ["a"], TWO: ["c"]})
sharded("tensor-elsewhere", {"a": ONE, "b": TWO}, {ONE: ["b"], TWO: ["a"]})
sharded("tensor-twice", {"a": ONE, "b": TWO}, {ONE: ["a"], TWO: ["a", "b"]})
sharded("tensor-unlisted", {"a": ONE, "b": TWO}, {ONE: ["a"], TWO: ["b", "c"]})
sharded("shard-missing", {"a": ONE, "b": TWO}, {ONE: ["a"]})
sharded("shard-outside", {"a": "../odd/plain.safetensors"}, {})
sharded("shard-absolute", {"a": "/etc/passwd"}, {})
sharded("shard-dots", {"a": ".."}, {})
sharded("shard-pickle", {"a": "pytorch_model.bin"}, {})
sharded("shard-number", {"a": 1}, {})
sharded("index-not-json", {}, {}, text='{"weight_map"')
sharded("index-empty", {}, {})
sharded("index-without-map", {}, {}, text='{"metadata": {}}')
sharded("index-duplicate", {}, {ONE: ["a"]}, text=f'{{"weight_map": {{"a": "{ONE}", "a": "{ONE}"}}}}')
sharded("both", {"a": ONE}, {ONE: ["a"], "model.safetensors": ["a"]})
