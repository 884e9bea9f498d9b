"""Which module of an architecture, and which side of it, is which site of nacre's.

One table an architecture, in the order in which a layer computes. A site that an architecture lacks has no row.
`hook_rot_q`, `hook_rot_k`, `hook_attn_scores` and `hook_pattern` are read where `transformers` calls its attention
function, the same in all, so no table has them.
"""

from typing import Callable, NamedTuple

import torch
import transformers

from .errors import NeighbourError, shown

Part = Callable[[torch.Tensor, transformers.PreTrainedConfig], torch.Tensor]


class Place(NamedTuple):
    """A module by its path within a layer ("" is the layer itself), its input or output, and which part of it."""

    module: str
    is_input: bool = False
    part: Part | None = None


class Architecture(NamedTuple):
    """Where a model keeps what nacre names: paths from the model, and the sites of a layer."""

    embedding: str
    layers: str
    norm: str
    sites: dict[str, Place]
    positions: str | None = None  # learned positions; an architecture without them turns queries and keys
    rotary: str | None = None


def into(module: str) -> Place:
    return Place(module, is_input=True)


def without(sites: dict[str, Place], *names: str) -> dict[str, Place]:
    return {name: place for name, place in sites.items() if name not in names}


# Norm, attention, add; norm, gated MLP, add. Mistral's and Qwen's are the same; Qwen 3's norms of q and k come between
# hook_q and hook_rot_q.
LLAMA = {
    "hook_resid_pre": into(""),
    "ln1.hook_normalized": Place("input_layernorm"),
    "attn.hook_q": Place("self_attn.q_proj"),
    "attn.hook_k": Place("self_attn.k_proj"),
    "attn.hook_v": Place("self_attn.v_proj"),
    "attn.hook_z": into("self_attn.o_proj"),
    "hook_attn_out": Place("self_attn"),
    "hook_resid_mid": into("post_attention_layernorm"),
    "ln2.hook_normalized": Place("post_attention_layernorm"),
    "mlp.hook_pre": Place("mlp.gate_proj"),
    "mlp.hook_pre_linear": Place("mlp.up_proj"),
    "mlp.hook_post": into("mlp.down_proj"),
    "hook_mlp_out": Place("mlp"),
    "hook_resid_post": Place(""),
}
# Norms after attention and MLP too: what is added to the stream is their output.
GEMMA = LLAMA | {
    "hook_attn_out": Place("post_attention_layernorm"),
    "hook_resid_mid": into("pre_feedforward_layernorm"),
    "ln2.hook_normalized": Place("pre_feedforward_layernorm"),
    "hook_mlp_out": Place("post_feedforward_layernorm"),
}

# Norms only after attention and MLP.
OLMO2 = without(LLAMA, "ln1.hook_normalized", "ln2.hook_normalized") | {
    "hook_attn_out": Place("post_attention_layernorm"),
    "hook_resid_mid": into("mlp"),
    "hook_mlp_out": Place("post_feedforward_layernorm"),
}


def query_key_value(which: int) -> Part:
    """q, k or v of a Phi 3 projection: all queries, then all keys, then all values."""
    def part(value: torch.Tensor, config: transformers.PreTrainedConfig) -> torch.Tensor:
        head = config.hidden_size // config.num_attention_heads
        heads = (config.num_attention_heads, config.num_key_value_heads, config.num_key_value_heads)
        return value.split([head * count for count in heads], dim=-1)[which]

    return part


PHI3 = LLAMA | {
    "attn.hook_q": Place("self_attn.qkv_proj", part=query_key_value(0)),
    "attn.hook_k": Place("self_attn.qkv_proj", part=query_key_value(1)),
    "attn.hook_v": Place("self_attn.qkv_proj", part=query_key_value(2)),
    "mlp.hook_pre": Place("mlp.gate_up_proj", part=lambda value, _: value.chunk(2, dim=-1)[0]),
    "mlp.hook_pre_linear": Place("mlp.gate_up_proj", part=lambda value, _: value.chunk(2, dim=-1)[1]),
}

GPT2 = {
    "hook_resid_pre": into(""),
    "ln1.hook_normalized": Place("ln_1"),
    "attn.hook_q": Place("attn.c_attn", part=lambda value, _: value.chunk(3, dim=-1)[0]),
    "attn.hook_k": Place("attn.c_attn", part=lambda value, _: value.chunk(3, dim=-1)[1]),
    "attn.hook_v": Place("attn.c_attn", part=lambda value, _: value.chunk(3, dim=-1)[2]),
    "attn.hook_z": into("attn.c_proj"),
    "hook_attn_out": Place("attn"),
    "hook_resid_mid": into("ln_2"),
    "ln2.hook_normalized": Place("ln_2"),
    "mlp.hook_pre": Place("mlp.c_fc"),
    "mlp.hook_post": into("mlp.c_proj"),
    "hook_mlp_out": Place("mlp"),
    "hook_resid_post": Place(""),
}


def interleaved(which: int) -> Part:
    """q, k or v of a GPT-NeoX projection: the three of one head, then the three of the next."""
    def part(value: torch.Tensor, config: transformers.PreTrainedConfig) -> torch.Tensor:
        return value.unflatten(-1, (config.num_attention_heads, 3, -1))[..., which, :].flatten(-2)

    return part


GPT_NEOX = {
    "hook_resid_pre": into(""),
    "ln1.hook_normalized": Place("input_layernorm"),
    "attn.hook_q": Place("attention.query_key_value", part=interleaved(0)),
    "attn.hook_k": Place("attention.query_key_value", part=interleaved(1)),
    "attn.hook_v": Place("attention.query_key_value", part=interleaved(2)),
    "attn.hook_z": into("attention.dense"),
    "hook_attn_out": Place("attention"),
    "hook_resid_mid": into("post_attention_layernorm"),
    "ln2.hook_normalized": Place("post_attention_layernorm"),
    "mlp.hook_pre": Place("mlp.dense_h_to_4h"),
    "mlp.hook_post": into("mlp.dense_4h_to_h"),
    "hook_mlp_out": Place("mlp"),
    "hook_resid_post": Place(""),
}


def decoder(sites: dict[str, Place]) -> Architecture:
    """The usual names around the layers."""
    return Architecture("model.embed_tokens", "model.layers", "model.norm", sites, rotary="model.rotary_emb")


ARCHITECTURES = {
    "llama": decoder(LLAMA),
    "mistral": decoder(LLAMA),
    "qwen2": decoder(LLAMA),
    "qwen3": decoder(LLAMA),
    "gemma2": decoder(GEMMA),
    "gemma3_text": decoder(GEMMA),
    "phi3": decoder(PHI3),
    "olmo2": decoder(OLMO2),
    "gpt2": Architecture("transformer.wte", "transformer.h", "transformer.ln_f", GPT2, positions="transformer.wpe"),
    "gpt_neox": Architecture("gpt_neox.embed_in", "gpt_neox.layers", "gpt_neox.final_layer_norm", GPT_NEOX,
                             rotary="gpt_neox.rotary_emb"),
}


def architecture(config: transformers.PreTrainedConfig) -> Architecture:
    """The table for a model's configuration."""
    found = ARCHITECTURES.get(config.model_type)
    if found is None:
        raise NeighbourError(f"the sites of {shown(config.model_type)} are not known here; there are those of "
                             + ", ".join(sorted(ARCHITECTURES)))
    if getattr(config, "use_parallel_residual", False):  # attention and MLP stand side by side: nothing is between
        return found._replace(sites=without(found.sites, "hook_resid_mid"))
    return found
