"""A model in `transformers` (float32, CPU, eager attention) with every site of nacre's recorded and editable.

Sites carry TransformerLens's names; sites.py says where each architecture has them. Widths: residual sites
[tokens, hidden]; q, rot_q and z [tokens, heads*head_dim]; k, rot_k and v [tokens, kv_heads*head_dim]; MLP sites
[tokens, intermediate]; attention scores and patterns [heads, tokens, tokens]. Unlike TransformerLens's,
`hook_normalized` is the norm module's output, after its weight.
"""

import contextlib
from pathlib import Path
from typing import Callable
from unittest import mock

import torch
import transformers
from transformers.modeling_utils import AttentionInterface

from .sites import Place, architecture

Edit = Callable[[torch.Tensor], torch.Tensor]


def quiet() -> None:
    """Keep `transformers` from talking."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()


def load(folder: Path, config: transformers.PreTrainedConfig | None = None,
         attention: str = "eager") -> transformers.PreTrainedModel:
    """The model of a folder, in float32; its own configuration unless another is given."""
    quiet()
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=torch.float32, attn_implementation=attention).eval()


class Reference:
    """Runs a model on plain token ids."""

    def __init__(self, model: transformers.PreTrainedModel):
        self.model, self.architecture = model, architecture(model.config)
        self.blocks = model.get_submodule(self.architecture.layers)
        self.layers = len(self.blocks)

    @torch.no_grad()
    def logits(self, tokens: list[int], edits: dict[str, Edit] | None = None) -> torch.Tensor:
        """Logits [tokens, vocabulary], with edits of `hook_resid_pre|post`, `hook_attn_out`, `hook_mlp_out` by site."""
        with self.edited(edits or {}):
            return self._run(tokens)

    @torch.no_grad()
    def sites(self, tokens: list[int], patterns: bool = False) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Logits and every site, each [tokens, width]; with `patterns`, also scores and patterns, which are square."""
        recorded: dict[str, torch.Tensor] = {}
        with self._recording(recorded, patterns):
            logits = self._run(tokens)
        return logits, recorded

    def kinds(self) -> list[str]:
        """The architecture's sites of one row a token, in the order of computation, `*` for the layer."""
        names = list(self.architecture.sites)
        if self.architecture.rotary:
            at = names.index("attn.hook_v") + 1
            names[at:at] = ["attn.hook_rot_q", "attn.hook_rot_k"]
        return [*self._stem(), *(f"blocks.*.{name}" for name in names), "ln_final.hook_normalized"]

    @torch.no_grad()
    def greedy(self, tokens: list[int], count: int, stop: set[int] = frozenset()) -> tuple[list[int], list[float]]:
        """The greedy continuation, without sampling or cache tricks, and the top two logits' gap at each step."""
        self.forget()
        out, gaps, past = [], [], None
        step = torch.tensor([tokens])
        for _ in range(count):
            result = self.model(step, past_key_values=past, use_cache=True)
            past = result.past_key_values
            top = result.logits[0, -1].float().topk(2)
            out.append(int(top.indices[0]))
            gaps.append(float(top.values[0] - top.values[1]))
            if out[-1] in stop:
                break
            step = torch.tensor([out[-1:]])
            if self._changes_factors(len(tokens) + len(out)):
                step, past = torch.tensor([tokens + out]), None
        return out, gaps

    def _run(self, tokens: list[int]) -> torch.Tensor:
        self.forget()
        return self.model(torch.tensor([tokens]), use_cache=False).logits[0].float()

    def forget(self) -> None:
        """Dynamic RoPE remembers the longest sequence it has met; every run here starts without that memory."""
        if self.architecture.rotary:
            rotary = self.model.get_submodule(self.architecture.rotary)
            if "dynamic" in str(rotary.rope_type):
                self.model.set_submodule(self.architecture.rotary, type(rotary)(self.model.config))

    def _changes_factors(self, length: int) -> bool:
        """Whether a Phi 3 of this length turns to its long factors: what is cached is stale, as `generate` knows."""
        config = self.model.config
        return config.model_type == "phi3" and length == config.original_max_position_embeddings + 1

    def _stem(self) -> dict[str, str]:
        """Sites before the layers, with their modules."""
        embeddings = {"hook_embed": self.architecture.embedding, "hook_pos_embed": self.architecture.positions}
        return {name: module for name, module in embeddings.items() if module}

    @contextlib.contextmanager
    def _recording(self, recorded: dict[str, torch.Tensor], patterns: bool):
        def keep(name: str, value: torch.Tensor) -> None:
            recorded[name] = value.detach().reshape(value.shape[1], -1).clone()

        def watch(module: torch.nn.Module, place: Place, name: str):
            part = place.part or (lambda value, _: value)
            config = self.model.config
            if place.is_input:
                return module.register_forward_pre_hook(
                    lambda _, args, kwargs: keep(name, args[0] if args else kwargs["hidden_states"]), with_kwargs=True)
            return module.register_forward_hook(
                lambda _, __, output: keep(name, part(output[0] if isinstance(output, tuple) else output, config)))

        around = self._stem() | {"ln_final.hook_normalized": self.architecture.norm}
        handles = [watch(self.model.get_submodule(path), Place(path), name) for name, path in around.items()]
        for layer, block in enumerate(self.blocks):
            handles += [watch(block.get_submodule(place.module), place, f"blocks.{layer}.{name}")
                        for name, place in self.architecture.sites.items()]
        choose = AttentionInterface.get_interface

        def watching(interface: AttentionInterface, *which):
            attend = choose(interface, *which)

            def attention(module, query, key, value, mask, **options):
                path = f"blocks.{module.layer_idx}.attn."
                if self.architecture.rotary:
                    keep(path + "hook_rot_q", query.transpose(1, 2))
                    keep(path + "hook_rot_k", key.transpose(1, 2))
                output, weights = attend(module, query, key, value, mask, **options)
                if patterns:
                    scores = attention_scores(query, key, mask, options["scaling"], options.get("softcap"))
                    recorded[path + "hook_attn_scores"] = scores[0]
                    recorded[path + "hook_pattern"] = (scores.softmax(-1) if weights is None else weights)[0].clone()
                return output, weights

            return attention

        try:
            with mock.patch.object(AttentionInterface, "get_interface", watching):
                yield
        finally:
            for handle in handles:
                handle.remove()

    @contextlib.contextmanager
    def edited(self, edits: dict[str, Edit]):
        """While it lasts, whatever runs the model runs it with these edits."""
        handles = []

        def change(edit: Edit, value):
            if isinstance(value, tuple):
                return (edit(value[0]), *value[1:])
            return edit(value)

        for name, edit in edits.items():
            _, layer, site = name.split(".", 2)
            place = self.architecture.sites[site]
            module = self.blocks[int(layer)].get_submodule(place.module)
            if place.is_input:
                handles.append(module.register_forward_pre_hook(
                    lambda _, args, edit=edit: (edit(args[0]), *args[1:])))
            else:
                handles.append(module.register_forward_hook(
                    lambda _, __, output, edit=edit: change(edit, output)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()


def attention_scores(query: torch.Tensor, key: torch.Tensor, mask: torch.Tensor | None, scaling: float,
                     softcap: float | None) -> torch.Tensor:
    """Scores [1, heads, tokens, tokens] of one sequence as the softmax meets them, -inf where it may not look."""
    key = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1)
    scores = query @ key.transpose(2, 3) * scaling
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    if mask is None:  # fused attention is told to be causal instead
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    elif mask.dtype != torch.bool:
        mask = mask == 0
    return scores.masked_fill(~mask, float("-inf"))


def losses(logits: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    """Loss of each next token, in nats: entry i is that of tokens[i + 1] after tokens[0...i]."""
    return torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(tokens[1:]), reduction="none")


def zero_last(value: torch.Tensor) -> torch.Tensor:
    """A copy with the last position zeroed."""
    value = value.clone()
    value[:, -1] = 0
    return value


def projecting_out(direction: torch.Tensor) -> Edit:
    """x - (x·r) r for a unit direction r."""
    return lambda value: value - (value @ direction).unsqueeze(-1) * direction
