#!/usr/bin/env python3
"""Tests of convert.py: plain unittest, no torch. Run: python Scripts/tests/test_convert.py, or with the rest:
python -m unittest discover -s Scripts/tests
"""

import contextlib
import hashlib
import io
import json
import struct
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import gguf
import h5py
import numpy as np
from tokenizers import Tokenizer, pre_tokenizers

import convert
from neighbours import checkpoint, elements, folder
from test_chat import CHATML

def words(kind: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random words of a kind; for the 16-bit kinds any bit pattern, NaNs too."""
    random = np.random.default_rng(seed)
    if kind == "f32":
        return random.standard_normal(shape).astype("<f4")
    return random.integers(0, 65536, shape, dtype=np.uint16).view(elements.WORD[kind])


def safetensors_bytes(tensors: dict[str, tuple[str, tuple[int, ...], bytes]]) -> bytes:
    """A safetensors file from names, dtypes, shapes and raw bytes."""
    header, data = {}, b""
    for name, (dtype, shape, raw) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def permute(weight: np.ndarray, heads: int) -> np.ndarray:
    """What llama.cpp does to q and k: [heads, 2, half] to [heads, half, 2]."""
    out = np.empty_like(weight)
    head = weight.shape[0] // heads
    for h in range(heads):
        for i in range(head // 2):
            out[h * head + 2 * i] = weight[h * head + i]
            out[h * head + 2 * i + 1] = weight[h * head + head // 2 + i]
    return out


class Case(unittest.TestCase):
    """A temporary folder, and the command line run in it."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.root = Path(holder.name)

    def run_convert(self, *arguments: object) -> tuple[int, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = convert.main([str(a) for a in arguments])
            except SystemExit as error:
                code = error.code
        return code, err.getvalue()

    def refused(self, expected: str, *arguments: object) -> None:
        """The command fails with one line that says why, and leaves no file behind."""
        before = {p for p in self.root.rglob("*")}
        code, err = self.run_convert(*arguments)
        self.assertEqual(code, 1, err)
        self.assertIn(expected, err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertEqual({p for p in self.root.rglob("*")}, before)

    def folder(self, tensors: dict, name: str = "model", config: dict | None = None) -> Path:
        path = self.root / name
        path.mkdir(exist_ok=True)
        (path / "config.json").write_text(json.dumps({"model_type": "llama"} if config is None else config, indent=1))
        (path / "model.safetensors").write_bytes(safetensors_bytes(tensors))
        return path

    def mixed(self) -> dict:
        return {
            "model.layers.10.b": ("F32", [3, 5], words("f32", (3, 5)).tobytes()),
            "model.layers.2.b": ("F16", [7], words("f16", (7,)).tobytes()),
            "model.embed.weight": ("BF16", [4, 1, 2], words("bf16", (4, 1, 2)).tobytes())}


class RoundTrip(Case):
    """Folder to checkpoint and back."""

    def check_back(self, source: Path, tensors: dict) -> None:
        self.assertEqual(self.run_convert("to-hdf5", source, self.root / "m.h5"), (0, ""))
        self.assertEqual(self.run_convert("to-folder", self.root / "m.h5", self.root / "back"), (0, ""))
        back = folder.SafetensorsFile(self.root / "back/model.safetensors")
        self.assertEqual(set(back.entries), set(tensors))
        for name, (dtype, shape, raw) in tensors.items():
            self.assertEqual(back.entries[name]["dtype"], dtype)
            self.assertEqual(back.entries[name]["shape"], list(shape))
            self.assertEqual(back.tensor(name).words.tobytes(), raw)
        self.assertEqual((self.root / "back/config.json").read_bytes(), (source / "config.json").read_bytes())

    def test_every_type_keeps_its_bits(self) -> None:
        self.check_back(self.folder(self.mixed()), self.mixed())

    def test_shards(self) -> None:
        tensors = self.mixed()
        source = self.folder({})
        (source / "model.safetensors").unlink()
        names = list(tensors)
        for file, part in (("a.safetensors", names[:2]), ("b.safetensors", names[2:])):
            (source / file).write_bytes(safetensors_bytes({n: tensors[n] for n in part}))
        index = {"weight_map": {n: "a.safetensors" if n in names[:2] else "b.safetensors" for n in names}}
        (source / "model.safetensors.index.json").write_text(json.dumps(index))
        self.check_back(source, tensors)
        self.assertEqual(folder.write_folder(self.root / "m.h5", self.root / "many", shard_bytes=20), 3)
        index = json.loads((self.root / "many/model.safetensors.index.json").read_text())
        self.assertEqual(index["metadata"]["total_size"], 60 + 14 + 16)
        for name, file in index["weight_map"].items():
            held = folder.SafetensorsFile(self.root / "many" / file)
            self.assertEqual(held.tensor(name).words.tobytes(), tensors[name][2])

    def test_the_file_is_as_the_format_says(self) -> None:
        source = self.folder(self.mixed())
        self.assertEqual(self.run_convert("to-hdf5", source, self.root / "m.h5")[0], 0)
        self.assertEqual((self.root / "m.h5").read_bytes()[8], 2)  # superblock of HDF5 1.8: checksummed
        with h5py.File(self.root / "m.h5") as file:
            self.assertEqual(file.attrs["format"], b"nacre-checkpoint")
            self.assertEqual(file.attrs["format_version"], 1)
            self.assertEqual(file.attrs["architecture"], b"llama")
            self.assertEqual(file["config.json"][:].tobytes(), (source / "config.json").read_bytes())
            recipe = json.loads(file["recipe.json"][:].tobytes())
            self.assertEqual(recipe["inputs"][0]["sha256"],
                             hashlib.sha256((source / "config.json").read_bytes()).hexdigest())
            for name, (dtype, shape, raw) in self.mixed().items():
                dataset = file["weights"][name]
                self.assertEqual(dataset.shape, tuple(shape))
                self.assertIsNone(dataset.chunks)
                self.assertEqual(dataset.id.get_offset() % 64, 0)
                self.assertEqual(dataset.attrs["sha256"].decode(), hashlib.sha256(raw).hexdigest())
            bits = words("bf16", (4, 1, 2)).astype(np.uint32) << 16
            np.testing.assert_array_equal(file["weights/model.embed.weight"][:], bits.view(np.float32))

    def test_the_same_input_gives_the_same_file(self) -> None:
        source = self.folder(self.mixed())
        (self.root / "again").mkdir()
        for target in (self.root / "m.h5", self.root / "again/m.h5"):
            self.assertEqual(self.run_convert("to-hdf5", source, target)[0], 0)
        self.assertEqual((self.root / "m.h5").read_bytes(), (self.root / "again/m.h5").read_bytes())

    def test_tokenizer_files(self) -> None:
        source = self.folder(self.mixed())
        (source / "tokenizer.json").write_text('{"a": "é"}', "utf-8")
        (source / "tokenizer_config.json").write_text('{"eos_token": "<|im_end|>"}')
        (source / "chat_template.jinja").write_text(CHATML)
        self.assertEqual(self.run_convert("to-hdf5", source, self.root / "m.h5")[0], 0)
        with checkpoint.Checkpoint(self.root / "m.h5") as file:
            self.assertEqual(file.text("tokenizer/tokenizer.json"), (source / "tokenizer.json").read_bytes())
            config = json.loads(file.text("tokenizer/tokenizer_config.json"))
            self.assertEqual(config, {"eos_token": "<|im_end|>", "chat_template": CHATML})
            chat = json.loads(file.text("tokenizer/chat.json"))
            self.assertEqual(chat["user"], {"prefix": "<|im_start|>user\n", "suffix": "<|im_end|>\n"})

    def test_dtype(self) -> None:
        values = np.array([1.0, 1 + 2**-8, 1 + 3 * 2**-8, -0.0, 3.4e38, np.inf, np.nan, 1e-40], np.float32)
        source = self.folder({"x": ("F32", [8], values.tobytes())})
        self.refused("too large for f16", "to-hdf5", source, self.root / "h.h5", "--dtype", "f16")
        values[4] = 3e38
        source = self.folder({"x": ("F32", [8], values.tobytes())})
        self.assertEqual(self.run_convert("to-hdf5", source, self.root / "m.h5", "--dtype", "bf16")[0], 0)
        with checkpoint.Checkpoint(self.root / "m.h5") as file:
            got = elements.to_f32(file.words("x"), file.kind("x"))
        # Ties go to even: 1 + 2^-8 down to 1, 1 + 3 * 2^-8 up to 1 + 2^-6.
        np.testing.assert_array_equal(got[:3], [1, 1, 1 + 2**-6])
        self.assertTrue(np.signbit(got[3]) and np.isinf(got[5]) and np.isnan(got[6]))
        np.testing.assert_allclose(got[[4, 7]], values[[4, 7]], rtol=2**-8, atol=2.0**-134)


class Refusals(Case):
    """One line each, and nothing written."""

    def test_sources(self) -> None:
        out = self.root / "m.h5"
        self.refused("no such file", "to-hdf5", self.root / "none", out)
        (self.root / "text").write_text("hello")
        self.refused("neither", "to-hdf5", self.root / "text", out)
        (self.root / "bad.gguf").write_bytes(b"GGUF" + bytes(40))
        self.refused("not a GGUF", "to-hdf5", self.root / "bad.gguf", out)
        (self.root / "empty").mkdir()
        self.refused("no config.json", "to-hdf5", self.root / "empty", out)
        (self.root / "empty/config.json").write_text("{")
        self.refused("is not JSON", "to-hdf5", self.root / "empty", out)
        (self.root / "empty/config.json").write_text("{}")
        self.refused("no model_type", "to-hdf5", self.root / "empty", out)
        (self.root / "empty/config.json").write_text('{"model_type": "llama"}')
        self.refused("no safetensors file", "to-hdf5", self.root / "empty", out)
        (self.root / "empty/pytorch_model.bin").write_bytes(b"")
        self.refused("pickled", "to-hdf5", self.root / "empty", out)
        self.refused("no such file", "to-folder", self.root / "none.h5", self.root / "back")
        self.refused("not an HDF5 file", "to-folder", self.root / "text", self.root / "back")

    def test_tensors(self) -> None:
        out = self.root / "m.h5"
        cases = {
            "dtype F64": {"x": ("F64", [1], bytes(8))}, "cannot be an HDF5 name": {"a/b": ("F32", [1], bytes(4))},
            "1 to 8 axes": {"x": ("F32", [], bytes(4))}, "none empty": {"x": ("F32", [0, 4], b"")},
            "holds no tensors": {}}
        for expected, tensors in cases.items():
            with self.subTest(expected):
                self.refused(expected, "to-hdf5", self.folder(tensors), out)

    def test_names_that_collide(self) -> None:
        source = self.folder({"x": ("F32", [1], bytes(4))})
        entry = b'"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
        raw = b"{" + entry + b"," + entry + b"}"
        raw += b" " * (-len(raw) % 8)
        (source / "model.safetensors").write_bytes(struct.pack("<Q", len(raw)) + raw + bytes(4))
        code, err = self.run_convert("to-hdf5", source, self.root / "m.h5")
        self.assertEqual((code, err.count("\n")), (1, 1), err)
        (source / "model.safetensors").unlink()
        for name in ("a", "b"):
            (source / f"{name}.safetensors").write_bytes(safetensors_bytes(
                {"x": ("F32", [1], bytes(4)), name: ("F32", [1], bytes(4))}))
        index = {"weight_map": {"x": "a.safetensors", "b": "b.safetensors"}}
        (source / "model.safetensors.index.json").write_text(json.dumps(index))
        self.refused("two tensors are named x", "to-hdf5", source, self.root / "m.h5")

    def test_an_index_stays_in_its_folder(self) -> None:
        source = self.folder({"x": ("F32", [1], bytes(4))})
        index = source / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": {"x": "../other.safetensors"}}))
        # As in the shell, it is not guessed which of the two is meant.
        self.refused(f"both model.safetensors and {index.name}", "to-hdf5", source, self.root / "m.h5")
        (source / "model.safetensors").unlink()
        self.refused("not the name of a file in the folder", "to-hdf5", source, self.root / "m.h5")

    def test_damage(self) -> None:
        source = self.folder(self.mixed())
        data = (source / "model.safetensors").read_bytes()
        (source / "model.safetensors").write_bytes(data[:-1])
        self.refused("not a safetensors file", "to-hdf5", source, self.root / "m.h5")
        (source / "model.safetensors").write_bytes(data)
        self.assertEqual(self.run_convert("to-hdf5", source, self.root / "m.h5")[0], 0)
        with h5py.File(self.root / "m.h5") as file:
            offset = file["weights/model.layers.10.b"].id.get_offset()
        with open(self.root / "m.h5", "r+b") as file:
            file.seek(offset + 5)
            file.write(b"\x55")
        self.refused("does not match its sha256", "to-folder", self.root / "m.h5", self.root / "back")

    def test_data_elsewhere(self) -> None:
        path = self.root / "m.h5"
        with h5py.File(path, "w") as file:
            file.attrs["format"], file.attrs["format_version"] = "nacre-checkpoint", 1
            weights = file.create_group("weights")
            weights["x"] = h5py.ExternalLink("other.h5", "/x")
        self.refused("not a plain dataset", "to-folder", path, self.root / "back")
        with h5py.File(path, "w") as file:
            file.attrs["format"], file.attrs["format_version"] = "nacre-checkpoint", 1
            file.create_group("weights").create_dataset(
                "x", (4,), "<f4", external=[("/etc/hostname", 0, h5py.h5f.UNLIMITED)])
        self.refused("in another file", "to-folder", path, self.root / "back")

    def test_existing_output(self) -> None:
        source, out = self.folder(self.mixed()), self.root / "m.h5"
        out.write_text("mine")
        self.refused("exists", "to-hdf5", source, out)
        self.assertEqual(out.read_text(), "mine")
        self.assertEqual(self.run_convert("to-hdf5", source, out, "--overwrite"), (0, ""))
        self.refused("exists", "to-folder", out, source)
        (self.root / "things").mkdir()
        (self.root / "things/letter.txt").write_text("dear")
        self.refused("left alone", "to-folder", out, self.root / "things", "--overwrite")
        self.refused("not a folder", "to-hdf5", source, self.root / "none/m.h5")

    def test_unknown_dtype_is_a_usage_error(self) -> None:
        code, err = self.run_convert("to-hdf5", self.root, self.root / "m.h5", "--dtype", "int8")
        self.assertEqual(code, 2)
        self.assertIn("invalid choice: 'int8'", err)

    def test_control_characters_are_escaped(self) -> None:
        code, err = self.run_convert("to-hdf5", self.root / "a\x1b[31mb", self.root / "m.h5")
        self.assertEqual(code, 1)
        self.assertNotIn("\x1b", err)


class GGUF(Case):
    """A tiny llama GGUF, written with the gguf library and permuted as llama.cpp does."""

    hidden, heads, kv, head, inner, layers = 32, 4, 2, 8, 64, 2

    def setUp(self) -> None:
        super().setUp()
        self.tokens = ["<|end|>", "<|begin|>"] + sorted(pre_tokenizers.ByteLevel.alphabet()) + ["ab", "Ġa"]
        random = np.random.default_rng(3)
        draw = lambda *shape: random.standard_normal(shape).astype(np.float32)
        q, k = self.heads * self.head, self.kv * self.head
        self.wanted = {"model.embed_tokens.weight": draw(len(self.tokens), self.hidden),
                       "model.norm.weight": draw(self.hidden)}
        for layer in range(self.layers):
            p = f"model.layers.{layer}."
            self.wanted |= {
                p + "input_layernorm.weight": draw(self.hidden),
                p + "post_attention_layernorm.weight": draw(self.hidden),
                p + "self_attn.q_proj.weight": draw(q, self.hidden),
                p + "self_attn.k_proj.weight": draw(k, self.hidden),
                p + "self_attn.v_proj.weight": draw(k, self.hidden),
                p + "self_attn.o_proj.weight": draw(self.hidden, q),
                p + "mlp.gate_proj.weight": draw(self.inner, self.hidden),
                p + "mlp.up_proj.weight": draw(self.inner, self.hidden),
                p + "mlp.down_proj.weight": draw(self.hidden, self.inner)}

    def write(self, architecture: str = "llama", pre: str = "smollm", model: str = "gpt2", add_bos: bool = False,
              kind: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.F32, extra: dict | None = None) -> Path:
        path = self.root / "tiny.gguf"
        writer = gguf.GGUFWriter(path, architecture)
        writer.add_block_count(self.layers)
        writer.add_context_length(64)
        writer.add_embedding_length(self.hidden)
        writer.add_feed_forward_length(self.inner)
        writer.add_head_count(self.heads)
        writer.add_head_count_kv(self.kv)
        writer.add_layer_norm_rms_eps(1e-5)
        writer.add_rope_freq_base(50000.0)
        writer.add_rope_dimension_count(self.head)
        writer.add_tokenizer_model(model)
        writer.add_tokenizer_pre(pre)
        writer.add_token_list(self.tokens)
        writer.add_token_types([3, 3] + [1] * (len(self.tokens) - 2))
        writer.add_token_merges(["a b", "Ġ a"])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(0)
        writer.add_add_bos_token(add_bos)
        writer.add_chat_template(CHATML)
        short = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm", "q_proj": "attn_q",
                 "k_proj": "attn_k", "v_proj": "attn_v", "o_proj": "attn_output", "gate_proj": "ffn_gate",
                 "up_proj": "ffn_up", "down_proj": "ffn_down"}
        for name, value in (self.wanted | (extra or {})).items():
            parts = name.split(".")
            if parts[1] == "layers":
                stored = f"blk.{parts[2]}.{short[parts[-2]]}.weight"
            else:
                stored = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                          "lm_head.weight": "output.weight"}.get(name, name)
            if "q_proj" in name:
                value = permute(value, self.heads)
            elif "k_proj" in name:
                value = permute(value, self.kv)
            if value.ndim == 2 and kind != gguf.GGMLQuantizationType.F32:
                writer.add_tensor(stored, gguf.quants.quantize(value, kind), raw_dtype=kind)
            else:
                writer.add_tensor(stored, value)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path

    def converted(self, path: Path, *options: str) -> checkpoint.Checkpoint:
        code, err = self.run_convert("to-hdf5", path, self.root / "g.h5", "--overwrite", *options)
        self.assertEqual((code, err), (0, ""))
        opened = checkpoint.Checkpoint(self.root / "g.h5")
        self.addCleanup(opened.file.close)
        return opened

    def test_tensors_and_configuration(self) -> None:
        opened = self.converted(self.write())
        self.assertEqual(set(opened.names), set(self.wanted))
        for name, value in self.wanted.items():
            self.assertEqual(opened.kind(name), "f32")
            np.testing.assert_array_equal(opened.words(name), value, name)
        config = json.loads(opened.text("config.json"))
        expected = {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "num_attention_heads": 4,
            "num_key_value_heads": 2, "num_hidden_layers": 2, "intermediate_size": 64, "rms_norm_eps": 1e-5,
            "rope_theta": 50000.0, "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 0,
            "vocab_size": len(self.tokens), "max_position_embeddings": 64, "torch_dtype": "float32"}
        self.assertEqual({key: config[key] for key in expected}, expected)

    def test_untied(self) -> None:
        head = np.ones((len(self.tokens), self.hidden), np.float32)
        opened = self.converted(self.write(extra={"lm_head.weight": head}))
        np.testing.assert_array_equal(opened.words("lm_head.weight"), head)
        self.assertFalse(json.loads(opened.text("config.json"))["tie_word_embeddings"])

    def test_quantised_and_narrowed(self) -> None:
        path = self.write(kind=gguf.GGMLQuantizationType.Q8_0)
        opened = self.converted(path)
        for name in ("model.layers.1.self_attn.q_proj.weight", "model.layers.0.mlp.down_proj.weight"):
            error = np.abs(opened.words(name) - self.wanted[name]).max()
            self.assertTrue(0 < error < 0.03, error)
        full = {name: opened.words(name).copy() for name in opened.names}
        opened = self.converted(path, "--dtype", "f16")
        self.assertEqual(json.loads(opened.text("config.json"))["torch_dtype"], "float16")
        for name, value in full.items():
            self.assertEqual(opened.kind(name), "f16")
            np.testing.assert_array_equal(opened.words(name), value.astype(np.float16))

    def test_tokenizer(self) -> None:
        opened = self.converted(self.write())
        tokenizer = Tokenizer.from_str(opened.text("tokenizer/tokenizer.json").decode())
        self.assertEqual(tokenizer.encode("ab 12<|end|>a").tokens, ["ab", "Ġ", "1", "2", "<|end|>", "a"])
        text = "naïve\n a 漢"
        self.assertEqual(tokenizer.decode(tokenizer.encode(text).ids), text)
        config = json.loads(opened.text("tokenizer/tokenizer_config.json"))
        self.assertEqual((config["bos_token"], config["eos_token"], config["chat_template"]),
                         ("<|begin|>", "<|end|>", CHATML))
        self.assertTrue(json.loads(opened.text("tokenizer/chat.json"))["reducible"])

    def test_bos_as_the_metadata_says(self) -> None:
        for pre in ("smollm", "gpt-2", "llama-bpe"):
            with self.subTest(pre):
                opened = self.converted(self.write(pre=pre, add_bos=True))
                tokenizer = Tokenizer.from_str(opened.text("tokenizer/tokenizer.json").decode())
                self.assertEqual(tokenizer.encode("ab").tokens, ["<|begin|>", "ab"])

    def test_refusals(self) -> None:
        out = self.root / "m.h5"
        one = np.ones(4, np.float32)
        for expected, options in (
                ("architecture 'qwen2'", {"architecture": "qwen2"}), ("pre-tokenizer 'qwen2'", {"pre": "qwen2"}),
                ("tokenizer 'llama'", {"model": "llama"}), ("no place in a llama", {"extra": {"x.y.z": one}}),
                ("not Llama 3's", {"extra": {"rope_freqs.weight": one * 2 + np.arange(4, dtype=np.float32)}})):
            with self.subTest(expected):
                self.refused(expected, "to-hdf5", self.write(**options), out)
        del self.wanted["model.layers.1.mlp.up_proj.weight"]
        self.refused("lacks tensor blk.1.ffn_up.weight", "to-hdf5", self.write(), out)


if __name__ == "__main__":
    unittest.main()
