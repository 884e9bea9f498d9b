"""A llama GGUF as a source: tensors dequantised one at a time, configuration and tokenizer rebuilt.

llama.cpp stores q and k with each head's rows interleaved for its own rotary embedding; here they go back to the
order of the Hugging Face checkpoint.
"""

import json
import math
from pathlib import Path
from typing import Iterator

import gguf
import numpy as np

from . import gguf_tokenizer
from .checkpoint import Tensor
from .elements import TORCH, from_f32
from .errors import NeighbourError, oneline, shown

BLOCK = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
OUTER = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight",
         "output.weight": "lm_head.weight"}
# Llama 3's rotary scaling, the only one that a GGUF keeps as a table: low and high frequency factor, old context.
LLAMA3 = (1.0, 4.0, 8192)


def unpermute(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows [heads, half, 2] back to [heads, 2, half]: the inverse of llama.cpp's permutation."""
    half = weight.shape[0] // heads // 2
    return np.ascontiguousarray(
        weight.reshape(heads, half, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape))


class GGUFSource:
    """A GGUF file to convert."""

    def __init__(self, path: Path, dtype: str = "f32"):
        self.path, self.dtype, self.inputs = path, dtype, [path]
        try:
            reader = gguf.GGUFReader(str(path))
            self.metadata = {
                key: field.contents() for key, field in reader.fields.items() if not key.startswith("GGUF.")}
        except Exception as error:  # the reader raises whatever a malformed file leads it to
            raise NeighbourError(f"{shown(path)} is not a GGUF that can be read: {oneline(error)}") from None
        architecture = self.metadata.get("general.architecture")
        if architecture != "llama":
            raise NeighbourError(f"{shown(path)}: GGUF architecture '{shown(architecture)}' is not supported (known: "
                                 "llama); convert the model's Hugging Face folder instead")
        self._tensors = {}
        for tensor in reader.tensors:
            if tensor.name in self._tensors:
                raise NeighbourError(f"two tensors are named {shown(tensor.name)}")
            self._tensors[tensor.name] = tensor
        self._read_sizes()
        self._plan = self._names()
        self.config = json.dumps(self._config(), indent=2).encode()
        self.tokenizer = gguf_tokenizer.rebuild(self.metadata)

    def _value(self, key: str, kind: type = int, default: object = None):
        value = self.metadata.get(f"llama.{key}", default)
        if value is None:
            raise NeighbourError(f"{shown(self.path)} lacks llama.{key}")
        if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):
            raise NeighbourError(f"{shown(self.path)}: llama.{key} is '{shown(value)}', which is not supported")
        return value

    def _read_sizes(self) -> None:
        self.layers = self._value("block_count")
        self.hidden = self._value("embedding_length")
        self.intermediate = self._value("feed_forward_length")
        self.heads = self._value("attention.head_count")
        self.kv_heads = self._value("attention.head_count_kv", default=self.heads)
        if min(self.layers, self.hidden, self.intermediate, self.heads, self.kv_heads) < 1 or self.layers > 10_000:
            raise NeighbourError(f"{shown(self.path)} gives a size that makes no model")
        self.head = self._value("attention.key_length", default=self.hidden // self.heads)
        if self._value("attention.value_length", default=self.head) != self.head:
            raise NeighbourError(f"{shown(self.path)}: heads whose values differ in width from their keys")
        if self._value("rope.dimension_count", default=self.head) != self.head:
            raise NeighbourError(f"{shown(self.path)}: rotary embedding of a part of each head is not supported")
        if self._value("expert_count", default=0):
            raise NeighbourError(f"{shown(self.path)}: a mixture of experts is not supported")
        embedding = self._tensors.get("token_embd.weight")
        if embedding is None or len(embedding.shape) != 2:
            raise NeighbourError(f"{shown(self.path)} has no token_embd.weight")
        self.vocabulary = int(embedding.shape[1])

    def _shape(self, name: str) -> tuple[int, ...]:
        """Shape that a Hugging Face key must have."""
        module, _, part = name.rpartition(".")
        module = module.rpartition(".")[2]
        q, kv = self.heads * self.head, self.kv_heads * self.head
        out, into = {
            "embed_tokens": (self.vocabulary, self.hidden), "lm_head": (self.vocabulary, self.hidden),
            "q_proj": (q, self.hidden), "k_proj": (kv, self.hidden), "v_proj": (kv, self.hidden),
            "o_proj": (self.hidden, q), "gate_proj": (self.intermediate, self.hidden),
            "up_proj": (self.intermediate, self.hidden), "down_proj": (self.hidden, self.intermediate),
        }.get(module, (self.hidden, None))
        return (out,) if part == "bias" or into is None else (out, into)

    def _names(self) -> dict[str, str]:
        """Hugging Face key to GGUF name, in layer order; every tensor accounted for."""
        plan = {OUTER["token_embd.weight"]: "token_embd.weight"}
        for layer in range(self.layers):
            for short, long in BLOCK.items():
                for part in ("weight", "bias"):
                    name = f"blk.{layer}.{short}.{part}"
                    if name in self._tensors:
                        plan[f"model.layers.{layer}.{long}.{part}"] = name
                    elif part == "weight":
                        raise NeighbourError(f"{shown(self.path)} lacks tensor {name}")
        plan[OUTER["output_norm.weight"]] = "output_norm.weight"
        if "output_norm.weight" not in self._tensors:
            raise NeighbourError(f"{shown(self.path)} lacks tensor output_norm.weight")
        if "output.weight" in self._tensors:
            plan[OUTER["output.weight"]] = "output.weight"
        for name in self._tensors.keys() - set(plan.values()) - {"rope_freqs.weight"}:
            raise NeighbourError(f"{shown(self.path)}: tensor {shown(name)} has no place in a llama checkpoint")
        for name, stored in plan.items():
            shape = tuple(int(n) for n in reversed(self._tensors[stored].shape))
            if shape != self._shape(name):
                raise NeighbourError(
                    f"{shown(self.path)}: tensor {shown(stored)} has shape {shape}, expected {self._shape(name)}")
        self.attention_bias = self._all_or_none(plan, "attn_q", "attn_k", "attn_v", "attn_output")
        self.mlp_bias = self._all_or_none(plan, "ffn_gate", "ffn_up", "ffn_down")
        if any(name.endswith("norm.bias") for name in plan.values()):
            raise NeighbourError(f"{shown(self.path)}: a norm with a bias is not supported")
        return plan

    def _all_or_none(self, plan: dict[str, str], *modules: str) -> bool:
        present = [f"blk.{layer}.{module}.bias" in self._tensors for layer in range(self.layers) for module in modules]
        if any(present) and not all(present):
            raise NeighbourError(f"{shown(self.path)}: only some of {', '.join(modules)} have a bias")
        return any(present)

    def _config(self) -> dict:
        number = lambda value: float(str(np.float32(value)))  # the shortest decimal of the stored float32
        theta = number(self._value("rope.freq_base", float, 10000.0))
        config = {
            "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
            "vocab_size": self.vocabulary, "hidden_size": self.hidden, "intermediate_size": self.intermediate,
            "num_hidden_layers": self.layers, "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads, "head_dim": self.head,
            "max_position_embeddings": self._value("context_length"),
            "rms_norm_eps": number(self._value("attention.layer_norm_rms_epsilon", float)),
            "rope_theta": theta, "rope_scaling": self._rope_scaling(theta),
            "attention_bias": self.attention_bias, "mlp_bias": self.mlp_bias,
            "tie_word_embeddings": "output.weight" not in self._tensors,
            "bos_token_id": self.metadata.get("tokenizer.ggml.bos_token_id"),
            "eos_token_id": self.metadata.get("tokenizer.ggml.eos_token_id"),
            "pad_token_id": self.metadata.get("tokenizer.ggml.padding_token_id"),
            "torch_dtype": TORCH[self.dtype], "use_cache": True}
        return config

    def _rope_scaling(self, theta: float) -> dict | None:
        kind = self.metadata.get("llama.rope.scaling.type", "none")
        if "rope_freqs.weight" in self._tensors:
            return self._llama3_scaling(theta)
        if kind == "none":
            return None
        if kind == "linear":
            return {"rope_type": "linear", "factor": self._value("rope.scaling.factor", float)}
        raise NeighbourError(f"{shown(self.path)}: rotary scaling '{shown(kind)}' is not supported")

    def _llama3_scaling(self, theta: float) -> dict:
        """The parameters behind a table of frequency factors, accepted only if they give that table again."""
        table = np.asarray(self._dequantised("rope_freqs.weight"), np.float64).reshape(-1)
        low, high, context = LLAMA3
        factor = float(table.max(initial=1.0))
        wavelength = 2 * math.pi * theta ** (np.arange(0, self.head, 2) / self.head)
        smooth = (context / wavelength - low) / (high - low)
        with np.errstate(divide="ignore"):
            between = 1 / ((1 - smooth) / factor + smooth)
        expected = np.where(wavelength < context / high, 1.0, np.where(wavelength > context / low, factor, between))
        if expected.shape != table.shape or not np.allclose(expected, table, rtol=1e-5, atol=0):
            raise NeighbourError(f"{shown(self.path)}: rope_freqs.weight is not Llama 3's rotary scaling")
        return {"rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
                "original_max_position_embeddings": context}

    def _dequantised(self, name: str) -> np.ndarray:
        tensor = self._tensors[name]
        try:
            values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        except (NotImplementedError, ValueError) as error:
            raise NeighbourError(f"{shown(self.path)}: tensor {shown(name)}: {oneline(error)}") from None
        return values.astype(np.float32, copy=False).reshape(tuple(int(n) for n in reversed(tensor.shape)))

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor in layer order, dequantised one at a time."""
        for name, stored in self._plan.items():
            values = self._dequantised(stored)
            if ".q_proj." in name:
                values = unpermute(values, self.heads)
            elif ".k_proj." in name:
                values = unpermute(values, self.kv_heads)
            yield Tensor(name, self.dtype, from_f32(values, self.dtype, name))
