"""Texts of config.json beside the checkpoints of the Models tests: other spellings of the same model, and bad ones.

`accepted/NAME.json` holds `checkpoint` (a fixture's name), `why`, and `config`, with which that checkpoint must give
its golden's numbers. `refused/NAME.json` holds `checkpoint`, `problem`, `key` (what the error must name), and `config`,
which must not run. Every `accepted` one is run by `transformers` here first.
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import h5py
import torch

from . import reference
from .errors import oneline
from .folder import write_folder
from .variants import rope

LONG = {"short_factor": [1.0, 1.25, 1.5, 2.0], "long_factor": [1.5, 3.0, 6.0, 12.0]}
YARN = {"factor": 4.0, "original_max_position_embeddings": 16}


class Case(NamedTuple):
    """A change of a fixture's config.json: keys set, keys dropped; what it shows, and for a bad one the key to name."""

    name: str
    checkpoint: str
    why: str
    change: dict
    drop: tuple[str, ...] = ()
    key: str | None = None


def bad(name: str, checkpoint: str, key: str, why: str, change: dict, *drop: str) -> Case:
    return Case(name, checkpoint, why, change, drop, key)


NEW = "rope_parameters"

ACCEPTED = (
    Case("dropout", "mha", "dropout is for training", {"attention_dropout": 0.5}),
    Case("gemma2-defaults", "gemma2", "keys left out have the architecture's defaults", {},
         ("layer_types", "tie_word_embeddings", "hidden_activation", NEW)),
    Case("gemma2-other-keys", "gemma2", "Gemma 2 reads hidden_activation, and has no pattern",
         {"hidden_act": "silu", "sliding_window_pattern": 3, "cache_implementation": "hybrid"}),
    Case("gemma3-older", "gemma3", "two bases and a pattern at the top",
         {"rope_theta": 50000.0, "rope_local_base_freq": 100.0, "sliding_window_pattern": 3, "rope_scaling": None},
         (NEW, "layer_types", "_sliding_window_pattern")),
    Case("gemma3-layer-types-win", "gemma3", "layer_types is what counts", {"sliding_window_pattern": 2}),
    Case("gemma3-linear-older", "gemma3-linear", "rope_scaling is for the full layers alone",
         {"rope_theta": 50000.0, "rope_local_base_freq": 100.0, "rope_scaling": {"rope_type": "linear", "factor": 8.0}},
         (NEW,)),
    Case("gpt-neox-older", "gpt-neox", "rotary_pct and rotary_emb_base", {"rotary_pct": 0.25, "rotary_emb_base": 10000},
         (NEW,)),
    Case("gpt-neox-sequential-older", "gpt-neox-sequential", "another base", {"rotary_pct": 1, "rotary_emb_base": 500},
         (NEW,)),
    Case("gpt-neox-defaults", "gpt-neox", "a quarter of each head is turned", {},
         (NEW, "use_parallel_residual", "attention_bias")),
    Case("gpt2-aliases", "gpt2", "the names that other architectures use",
         {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "max_position_embeddings": 64},
         ("n_layer", "n_embd", "n_head", "n_positions")),
    Case("gpt2-older", "gpt2", "keys that change nothing", {"n_ctx": 64, "reorder_and_upcast_attn": True},
         ("n_inner", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "add_cross_attention",
          "tie_word_embeddings", "activation_function")),
    Case("phi3-longrope-older", "phi3-longrope", "rope_scaling, and what it was called first",
         {"rope_theta": 10000.0, "rope_scaling": {"type": "longrope", **LONG}}, (NEW,)),
    Case("phi3-longrope-both", "phi3-longrope", "rope_type is the newer word",
         {"rope_theta": 10000.0, "rope_scaling": {"type": "su", "rope_type": "longrope", **LONG}}, (NEW,)),
    Case("phi3-partial-older", "phi3", "partial_rotary_factor at the top",
         {"rope_theta": 10000.0, "rope_scaling": None}, (NEW,)),
    Case("qwen2-window-unused", "qwen2", "a window that is not used",
         {"sliding_window": 3, "max_window_layers": 0, "use_sliding_window": False}, ("layer_types",)),
    Case("qwen2-windowed-older", "qwen2-windowed", "which layers have the window follows from max_window_layers",
         {"rope_theta": 10000.0,
          "rope_scaling": {"type": "yarn", "mscale": 1.5, "mscale_all_dim": 0.5, "truncate": False, **YARN}},
         (NEW, "layer_types")),
    Case("rope-dynamic-older", "rope-dynamic", "the original length is max_position_embeddings",
         {"rope_scaling": {"type": "dynamic", "factor": 2.5, "original_max_position_embeddings": 8}}, (NEW,)),
    Case("rope-linear-older", "rope-linear", "rope_scaling", {"rope_scaling": {"type": "linear", "factor": 4.0}},
         (NEW,)),
    Case("rope-llama3-older", "rope-llama3", "rope_scaling beside rope_theta", {
        "rope_theta": 10000.0, "rope_scaling": {
            "rope_type": "llama3", "factor": 4, "low_freq_factor": 1, "high_freq_factor": 4,
            "original_max_position_embeddings": 16}}, (NEW,)),
    Case("rope-scaling-wins", "rope-linear", "rope_scaling replaces rope_parameters",
         {"rope_scaling": {"type": "linear", "factor": 4.0}, NEW: rope("default", 500.0)}),
    Case("rope-theta-inside-wins", "mha", "a base inside rope_parameters is what counts", {"rope_theta": 77.0}),
    Case("rope-yarn-nulls", "rope-yarn", "options that are null are not given", {NEW: rope(
        "yarn", **YARN, beta_fast=2, beta_slow=0.1, attention_factor=None, mscale=None, mscale_all_dim=None)}),
)

REFUSED = (
    # What contradicts the weights.
    bad("head-dim-contradicts", "qwen3", "q_proj", "the weights have heads of 12", {"head_dim": 16}),
    bad("layer-missing", "mha", "layers.2", "the weights have 2 layers", {"num_hidden_layers": 3}),
    bad("vocabulary-contradicts", "gpt2", "wte", "the weights have 131 tokens", {"vocab_size": 132}),
    bad("positions-contradict", "gpt2", "wpe", "the weights have 64 positions", {"n_positions": 128}),
    bad("biases-missing", "qwen3", "bias", "the weights have no biases", {"attention_bias": True}),
    bad("head-missing", "gemma2", "lm_head", "the weights have no head of their own", {"tie_word_embeddings": False}),
    # Shapes that can't be.
    bad("key-value-heads", "olmo2", "num_key_value_heads", "3 does not divide 4", {"num_key_value_heads": 3}),
    bad("heads", "gpt2", "n_head", "5 does not divide 32", {"n_head": 5}),
    bad("epsilon", "gpt2", "layer_norm_epsilon", "below 0", {"layer_norm_epsilon": -1e-5}),
    # RoPE.
    bad("rope-unknown", "mha", "spiral", "no such RoPE", {NEW: rope("spiral", factor=2.0)}),
    bad("rope-not-text", "mha", "rope_type", "not a text", {NEW: {"rope_type": 3, "rope_theta": 10000.0}}),
    bad("rope-linear-without-factor", "rope-linear", "factor", "missing", {NEW: rope("linear")}),
    bad("rope-linear-zero", "rope-linear", "factor", "must be above 0", {NEW: rope("linear", factor=0)}),
    bad("rope-linear-partial", "rope-linear", "partial_rotary_factor", "llama turns whole heads",
        {NEW: rope("linear", factor=4.0, partial_rotary_factor=0.5)}),
    bad("rope-llama3-incomplete", "rope-llama3", "low_freq_factor", "missing", {NEW: rope(
        "llama3", factor=4.0, high_freq_factor=4.0, original_max_position_embeddings=16)}),
    bad("rope-yarn-no-length", "rope-yarn", "original_max_position_embeddings", "must be above 0",
        {NEW: rope("yarn", factor=4.0, original_max_position_embeddings=0)}),
    bad("rope-yarn-factor-text", "rope-yarn", "factor", "not a number",
        {NEW: rope("yarn", factor="4", original_max_position_embeddings=16)}),
    bad("rope-older-unknown", "mistral", "spiral", "no such RoPE, in the older spelling",
        {"rope_scaling": {"type": "spiral", "factor": 2.0}}, NEW),
    bad("rope-theta-nested", "gemma3", "rope_theta", "below 0", {NEW: {
        "full_attention": rope("default", -1.0), "sliding_attention": rope("default")}}),
    bad("rotary-too-much", "gpt-neox", "rotary_pct", "more than the whole head", {"rotary_pct": 1.5}, NEW),
    bad("longrope-length", "phi3-longrope", "short_factor", "3 factors for 4 pairs",
        {NEW: rope("longrope", **(LONG | {"short_factor": [1.0, 1.25, 1.5]}))}),
    bad("longrope-incomplete", "phi3-longrope", "long_factor", "missing",
        {NEW: rope("longrope", short_factor=LONG["short_factor"])}),
    bad("longrope-zero", "phi3-longrope", "long_factor", "a factor of 0",
        {NEW: rope("longrope", **(LONG | {"long_factor": [1.5, 0, 6.0, 12.0]}))}),
    bad("phi3-linear", "phi3", "linear", "Phi 3 has only longrope", {NEW: rope("linear", factor=2.0)}),
    # Windows.
    bad("layer-types-length", "qwen2-windowed", "layer_types", "2 types for 3 layers",
        {"layer_types": ["full_attention", "sliding_attention"]}),
    bad("layer-types-unknown", "gemma2", "layer_types", "no such type",
        {"layer_types": ["full_attention", "chunked_attention", "sliding_attention"]}),
    bad("layer-types-text", "gemma3", "layer_types", "not a list", {"layer_types": "full_attention"}),
    bad("window-zero", "mistral", "sliding_window", "a window of nothing", {"sliding_window": 0}),
    bad("window-negative", "gemma2", "sliding_window", "below 0", {"sliding_window": -4}),
    bad("window-missing", "gemma3", "sliding_window", "layers with a window, and no window", {"sliding_window": None}),
    bad("pattern-zero", "gemma3", "sliding_window_pattern", "a pattern of no layers", {"sliding_window_pattern": 0},
        "layer_types", "_sliding_window_pattern"),
    # Options that are not implemented, or make no sense.
    bad("activation-unknown", "mistral", "hidden_act", "no such function", {"hidden_act": "snake"}),
    bad("activation-unknown-gemma", "gemma2", "hidden_activation", "no such function", {"hidden_activation": "snake"}),
    bad("activation-unknown-gpt2", "gpt2", "activation_function", "no such function", {"activation_function": "snake"}),
    bad("cross-attention", "gpt2", "add_cross_attention", "needs an encoder", {"add_cross_attention": True}),
    bad("bidirectional", "gemma3", "use_bidirectional_attention", "not a decoder",
        {"use_bidirectional_attention": True}),
    bad("qk-norm", "mha", "use_qk_norm", "norms that llama has not", {"use_qk_norm": True}),
    bad("soft-cap-zero", "gemma2", "attn_logit_softcapping", "divides by 0", {"attn_logit_softcapping": 0}),
    bad("final-soft-cap-zero", "gemma2", "final_logit_softcapping", "divides by 0", {"final_logit_softcapping": 0.0}),
    bad("query-scale-zero", "gemma3", "query_pre_attn_scalar", "divides by 0", {"query_pre_attn_scalar": 0}),
    bad("multimodal", "gemma3", "gemma3", "images too are another architecture",
        {"model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"]}),
)


def make(models: Path, folder: Path) -> None:
    """Write every case, after running the accepted ones; print what `transformers` makes of the refused ones."""
    reference.quiet()
    shutil.rmtree(folder, ignore_errors=True)
    for kind, cases in (("accepted", ACCEPTED), ("refused", REFUSED)):
        (folder / kind).mkdir(parents=True)
        for case in cases:
            with tempfile.TemporaryDirectory() as temporary:
                stored = Path(temporary) / "model"
                write_folder(models / f"{case.checkpoint}.h5", stored)
                config = json.loads((stored / "config.json").read_text())
                config = {key: value for key, value in config.items() if key not in case.drop} | case.change
                (stored / "config.json").write_text(json.dumps(config))
                difference = _difference(stored, models / f"{case.checkpoint}.golden.h5")
            if kind == "accepted" and difference != 0:
                raise SystemExit(f"{case.name}: {difference}")
            if kind == "refused":
                print(f"{case.name}: transformers: {difference}")
            note = {"why": case.why} if case.key is None else {"problem": case.why, "key": case.key}
            text = json.dumps({"checkpoint": case.checkpoint, **note, "config": config}, indent=1)
            (folder / kind / f"{case.name}.json").write_text(text + "\n", "utf-8")
    print(f"{folder}: {len(ACCEPTED)} accepted, {len(REFUSED)} refused")


def _difference(stored: Path, golden: Path) -> float | str:
    """How far the longest sequence's logits are from the golden's, or why there are none."""
    with h5py.File(golden) as file:
        tokens = file["sequences/3/tokens"][:].tolist()
        wanted = torch.from_numpy(file["sequences/3/logits"][:])
    try:
        found = reference.Reference(reference.load(stored)).logits(tokens)
    except Exception as error:  # whatever a library makes of a bad configuration
        return oneline(error)
    return float((found - wanted).abs().max()) if found.shape == wanted.shape else f"logits {list(found.shape)}"
