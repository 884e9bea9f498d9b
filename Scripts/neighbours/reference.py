"""A llama model in `transformers` (float32, CPU, eager attention) with every site of nacre's recorded and editable.

Sites carry TransformerLens's names. Widths: residual sites [tokens, hidden]; q, rot_q and z [tokens, heads*head_dim];
k, rot_k and v [tokens, kv_heads*head_dim]; MLP sites [tokens, intermediate]. Unlike TransformerLens's,
`hook_normalized` is the norm module's output, after its weight.
"""

import contextlib
from pathlib import Path
from typing import Callable, Iterator

import torch
import transformers
from transformers.models.llama import modeling_llama

Edit = Callable[[torch.Tensor], torch.Tensor]


def load(folder: Path) -> transformers.PreTrainedModel:
    """The model of a folder, in float32 with eager attention."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()


class Reference:
    """Runs a model on plain token ids."""

    def __init__(self, model: transformers.PreTrainedModel):
        self.model = model
        self.layers = len(model.model.layers)

    @torch.no_grad()
    def logits(self, tokens: list[int], edits: dict[str, Edit] | None = None) -> torch.Tensor:
        """Logits [tokens, vocabulary], with edits of `hook_resid_pre|post`, `hook_attn_out`, `hook_mlp_out` by site."""
        with self._edited(edits or {}):
            return self.model(torch.tensor([tokens]), use_cache=False).logits[0].float()

    @torch.no_grad()
    def sites(self, tokens: list[int]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Logits and every site, each [tokens, width]."""
        recorded: dict[str, torch.Tensor] = {}
        with self._recording(recorded):
            logits = self.model(torch.tensor([tokens]), use_cache=False).logits[0].float()
        return logits, recorded

    @torch.no_grad()
    def greedy(self, tokens: list[int], count: int, stop: set[int] = frozenset()) -> tuple[list[int], list[float]]:
        """The greedy continuation, without sampling or cache tricks, and the top two logits' gap at each step."""
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
        return out, gaps

    def _names(self, layer: int) -> Iterator[tuple[torch.nn.Module, str, str]]:
        """Modules of a block, with which side of each is the site."""
        block, path = self.model.model.layers[layer], f"blocks.{layer}."
        yield block, "in", path + "hook_resid_pre"
        yield block.input_layernorm, "out", path + "ln1.hook_normalized"
        yield block.self_attn.q_proj, "out", path + "attn.hook_q"
        yield block.self_attn.k_proj, "out", path + "attn.hook_k"
        yield block.self_attn.v_proj, "out", path + "attn.hook_v"
        yield block.self_attn.o_proj, "in", path + "attn.hook_z"
        yield block.self_attn, "out", path + "hook_attn_out"
        yield block.post_attention_layernorm, "in", path + "hook_resid_mid"
        yield block.post_attention_layernorm, "out", path + "ln2.hook_normalized"
        yield block.mlp.gate_proj, "out", path + "mlp.hook_pre"
        yield block.mlp.up_proj, "out", path + "mlp.hook_pre_linear"
        yield block.mlp.down_proj, "in", path + "mlp.hook_post"
        yield block.mlp, "out", path + "hook_mlp_out"
        yield block, "out", path + "hook_resid_post"

    @contextlib.contextmanager
    def _recording(self, recorded: dict[str, torch.Tensor]):
        def keep(name: str, value: torch.Tensor) -> None:
            recorded[name] = value.detach().reshape(value.shape[1], -1).clone()

        def watch(module: torch.nn.Module, side: str, name: str):
            if side == "in":
                return module.register_forward_pre_hook(
                    lambda _, args, kwargs: keep(name, args[0] if args else kwargs["hidden_states"]), with_kwargs=True)
            return module.register_forward_hook(
                lambda _, __, output: keep(name, output[0] if isinstance(output, tuple) else output))

        handles = [watch(self.model.model.embed_tokens, "out", "hook_embed"),
                   watch(self.model.model.norm, "out", "ln_final.hook_normalized")]
        for layer in range(self.layers):
            handles += [watch(*site) for site in self._names(layer)]
        rotate, layer = modeling_llama.apply_rotary_pos_emb, iter(range(self.layers))

        def rotating(*args, **kwargs):
            q, k = rotate(*args, **kwargs)
            index = next(layer)
            keep(f"blocks.{index}.attn.hook_rot_q", q.transpose(1, 2))
            keep(f"blocks.{index}.attn.hook_rot_k", k.transpose(1, 2))
            return q, k

        modeling_llama.apply_rotary_pos_emb = rotating
        try:
            yield
        finally:
            modeling_llama.apply_rotary_pos_emb = rotate
            for handle in handles:
                handle.remove()

    @contextlib.contextmanager
    def _edited(self, edits: dict[str, Edit]):
        places = {name: (module, side) for layer in range(self.layers) for module, side, name in self._names(layer)}
        handles = []

        def change(edit: Edit, value):
            if isinstance(value, tuple):
                return (edit(value[0]), *value[1:])
            return edit(value)

        for name, edit in edits.items():
            module, side = places[name]
            if side == "in":
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
