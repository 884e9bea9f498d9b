"""The tiny random checkpoints of the Models tests: each a configuration whose every option matters to the logits."""

from typing import NamedTuple

import numpy as np
import torch
import transformers

LENGTHS = (1, 2, 7, 40)


class Variant(NamedTuple):
    """One checkpoint: its configuration, how it is stored, and which sequences get what.

    `rotated` are sequences of which only `hook_rot_q` and `hook_rot_k` are stored, to see RoPE at many positions.
    `matters` are changes to config.json, each of which must change the logits: an option that could be ignored
    would test nothing.
    """

    name: str
    config: dict
    dtype: str = "keep"
    sites: tuple[int, ...] = (0, 1, 2)
    vocabulary: int = 131
    seed: int = 0
    architecture: str = "llama"
    patterns: tuple[int, ...] = ()
    rotated: tuple[int, ...] = ()
    edited: tuple[int, ...] = (0, 1, 2, 3)
    matters: tuple[dict, ...] = ()


def small(name: str, architecture: str, matters: tuple[dict, ...] = (), *, dtype: str = "bf16", seed: int = 0,
          rotated: tuple[int, ...] = (), edited: tuple[int, ...] = (), **config) -> Variant:
    """A variant that takes little room: rounded to 16 bits, with the sites and patterns of one short sequence."""
    shape = {"hidden_size": 32, "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 48,
             "max_position_embeddings": 64}
    if architecture == "gpt2":
        shape = {"n_embd": 32, "n_head": 4, "n_positions": 64, "n_layer": 2, "layer_norm_epsilon": 1e-5}
    if architecture == "gpt_neox":
        del shape["num_key_value_heads"]
    return Variant(name, shape | config, dtype, sites=(2,), seed=seed, architecture=architecture, patterns=(2,),
                   rotated=rotated, edited=edited, matters=matters)


def rope(kind: str, theta: float = 10000.0, **options) -> dict:
    return {"rope_type": kind, "rope_theta": theta, **options}


PLAIN = {"rope_parameters": rope("default")}  # what a scaled RoPE must differ from

VARIANTS = (
    Variant("mha", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=4), sites=(0, 1, 2, 3)),
    Variant("gqa-tied", dict(hidden_size=48, num_attention_heads=6, num_key_value_heads=3, num_hidden_layers=3,
                             tie_word_embeddings=True, rope_parameters=rope("default", 100000.0)), vocabulary=257),
    Variant("mqa-bf16", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=1, head_dim=16,
                             tie_word_embeddings=True), dtype="bf16"),
    Variant("bias-f16", dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=2, attention_bias=True,
                             mlp_bias=True, rms_norm_eps=1e-6), dtype="f16", sites=(2,)),
    Variant("rope-llama3", dict(hidden_size=32, num_attention_heads=2, num_key_value_heads=1, rope_parameters=rope(
        "llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)),
            sites=(3,)),
    Variant("tiny-chat", dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=4), vocabulary=300,
            sites=(2,)),

    small("rope-linear", "llama", (PLAIN,), seed=1, rope_parameters=rope("linear", factor=4.0)),
    small("rope-dynamic", "llama", (PLAIN,), rotated=(3,), max_position_embeddings=32,
          rope_parameters=rope("dynamic", factor=2.5)),
    small("rope-yarn", "llama", (PLAIN, {"rope_parameters": rope(
        "yarn", factor=4.0, original_max_position_embeddings=16)}), rotated=(3,), num_attention_heads=2,
          num_key_value_heads=1, rope_parameters=rope(
              "yarn", factor=4.0, original_max_position_embeddings=16, beta_fast=2.0, beta_slow=0.1)),
    small("gelu-head-dim", "llama", ({"hidden_act": "silu"}, {"hidden_act": "gelu_pytorch_tanh"}), head_dim=12,
          hidden_act="gelu"),

    small("mistral", "mistral", ({"sliding_window": None}, {"sliding_window": 4}), edited=(2,), head_dim=12,
          sliding_window=5),

    small("qwen2", "qwen2", ({"rope_parameters": rope("default")},), dtype="f16", edited=(2,),
          tie_word_embeddings=True, rope_parameters=rope("default", 1e6)),
    small("qwen2-windowed", "qwen2", (
        {"layer_types": ["full_attention"] * 3}, {"layer_types": ["sliding_attention"] * 3},
        {"rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=16)}),
          num_hidden_layers=3, use_sliding_window=True, sliding_window=5, max_window_layers=1, rope_parameters=rope(
              "yarn", factor=4.0, original_max_position_embeddings=16, mscale=1.5, mscale_all_dim=0.5,
              truncate=False)),

    small("qwen3", "qwen3", dtype="keep", edited=(2,), head_dim=12, rope_parameters=rope("default", 1e6)),
    small("qwen3-windowed", "qwen3", ({"layer_types": ["full_attention"] * 2},), head_dim=8, attention_bias=True,
          tie_word_embeddings=True, use_sliding_window=True, sliding_window=4,
          layer_types=["sliding_attention", "full_attention"]),

    small("gpt2", "gpt2", ({"activation_function": "relu"}, {"scale_attn_weights": False}), dtype="f16", edited=(2,)),
    small("gpt2-scaled", "gpt2", ({"scale_attn_by_inverse_layer_idx": False},), n_inner=48,
          scale_attn_by_inverse_layer_idx=True),

    small("gpt-neox", "gpt_neox", (
        {"use_parallel_residual": False}, {"hidden_act": "relu"},
        {"rope_parameters": rope("default", partial_rotary_factor=0.5)}), edited=(2,), num_attention_heads=2,
          rope_parameters=rope("default", partial_rotary_factor=0.25)),
    small("gpt-neox-sequential", "gpt_neox", ({"use_parallel_residual": True},), use_parallel_residual=False,
          attention_bias=False, rope_parameters=rope("default", 500.0, partial_rotary_factor=1.0)),

    small("phi3", "phi3", ({"sliding_window": None}, {"sliding_window": 4}, {
        "partial_rotary_factor": 1.0, "rope_parameters": rope("default", partial_rotary_factor=1.0)}), edited=(2,),
          sliding_window=5, partial_rotary_factor=0.5),
    small("phi3-longrope", "phi3", (
        {"rope_parameters": rope("default", partial_rotary_factor=1.0)}, {"original_max_position_embeddings": 40},
        {"max_position_embeddings": 33}), rotated=(3,), original_max_position_embeddings=32,
          max_position_embeddings=128, rope_parameters=rope(
              "longrope", short_factor=[1.0, 1.25, 1.5, 2.0], long_factor=[1.5, 3.0, 6.0, 12.0])),

    small("olmo2", "olmo2", dtype="f16", edited=(2,), rope_parameters=rope("default", 500000.0)),

    small("gemma2", "gemma2", (
        {"attn_logit_softcapping": None}, {"final_logit_softcapping": None}, {"query_pre_attn_scalar": 12},
        {"layer_types": ["full_attention"] * 3}, {"layer_types": ["sliding_attention"] * 3},
        {"hidden_activation": "silu"}), edited=(2,), num_hidden_layers=3, head_dim=12, query_pre_attn_scalar=9,
          sliding_window=4, attn_logit_softcapping=1.5, final_logit_softcapping=2.0),
    small("gemma3", "gemma3_text", (
        {"layer_types": ["full_attention"] * 3}, {"query_pre_attn_scalar": 12},
        {"rope_parameters": {"sliding_attention": rope("default", 100.0), "full_attention": rope("default", 100.0)}},
        {"rope_parameters": {"sliding_attention": rope("default", 5e4), "full_attention": rope("default", 5e4)}}),
          edited=(2,), num_hidden_layers=3, head_dim=12, query_pre_attn_scalar=9, sliding_window=4,
          sliding_window_pattern=3, rope_theta=50000.0, rope_local_base_freq=100.0),
    small("gemma3-linear", "gemma3_text", (
        {"rope_parameters": {"sliding_attention": rope("default", 100.0), "full_attention": rope("default", 5e4)}},
        {"final_logit_softcapping": None}), head_dim=8, query_pre_attn_scalar=8, sliding_window=3,
          final_logit_softcapping=2.0, layer_types=["full_attention", "sliding_attention"], rope_parameters={
              "sliding_attention": rope("default", 100.0), "full_attention": rope("linear", 5e4, factor=8.0)}),
)


def random_model(variant: Variant) -> transformers.PreTrainedModel:
    """A seeded model whose every parameter, norms and biases too, matters to the output."""
    torch.manual_seed(variant.seed + 1)
    settings = dict(vocab_size=variant.vocabulary, bos_token_id=0, eos_token_id=2, pad_token_id=2)
    if variant.architecture != "gpt2":  # which spells these otherwise
        settings |= dict(intermediate_size=64, num_hidden_layers=2, max_position_embeddings=128)
        settings |= {"layer_norm_eps" if variant.architecture == "gpt_neox" else "rms_norm_eps": 1e-5}
    config = transformers.AutoConfig.for_model(variant.architecture, **(settings | variant.config))
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    gemma = variant.architecture.startswith("gemma")
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith("bias"):
                value.copy_(0.2 * torch.randn_like(value))
            elif value.dim() == 1:  # a norm's weight; Gemma's is added to 1
                value.copy_((0 if gemma else 1) + 0.2 * torch.randn_like(value))
            elif isinstance(model.get_submodule(name.removesuffix(".weight")), torch.nn.Embedding):
                # Gemma multiplies its embeddings by sqrt(hidden).
                size = 1.4 / value.shape[1] ** 0.5 if gemma else 0.7
                value.copy_(size * torch.randn_like(value))
            else:
                inputs = value.shape[0 if variant.architecture == "gpt2" else 1]
                value.copy_(torch.randn_like(value) * 1.4 / inputs ** 0.5)
    return model


def sequences(variant: Variant) -> list[list[int]]:
    """Four token sequences of 1, 2, 7 and 40 ids; the third repeats tokens."""
    random = np.random.default_rng(variant.seed + 2)
    out = [random.integers(3, variant.vocabulary, length).tolist() for length in LENGTHS]
    out[2] = [out[2][0], out[2][1], out[2][0], out[2][1], out[2][0], out[2][0], out[2][0]]
    return out
