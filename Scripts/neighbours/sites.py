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

def decoder(sites: dict[str, Place]) -> Architecture:
    """The usual names around the layers."""
    return Architecture("model.embed_tokens", "model.layers", "model.norm", sites, rotary="model.rotary_emb")


ARCHITECTURES = {
    "llama": decoder(LLAMA),
    "mistral": decoder(LLAMA),
    "qwen2": decoder(LLAMA),
    "qwen3": decoder(LLAMA),
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
