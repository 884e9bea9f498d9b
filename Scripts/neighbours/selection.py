"""The selection of a direction (Arditi et al. 2024, section 2.3 and appendix C), written plainly on torch.

A class's prompts are one batch, padded on the right: under a causal mask nothing that counts sees what comes after it,
so no attention mask is needed, and the output matrix meets each prompt's last position alone. Every candidate takes
three whole runs. Sites, scores and the rule are those of nacre's `select`.
"""

import math
from typing import NamedTuple

import torch

from . import reference

EPSILON = 1e-8
ABLATED = ("hook_resid_pre", "hook_attn_out", "hook_mlp_out")


class Candidate(NamedTuple):
    """A difference in means and what it does; NaN where it has no direction."""

    layer: int
    position: int
    bypass: float
    induce: float
    kl: float


class Prompts:
    """Token ids of some prompts as one batch."""

    def __init__(self, prompts: list[list[int]]):
        self.last = torch.tensor([len(prompt) - 1 for prompt in prompts])
        self.ids = torch.zeros(len(prompts), int(self.last.max()) + 1, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            self.ids[row, :len(prompt)] = torch.tensor(prompt)


class Selection:
    """Runs a model over two classes of prompts."""

    def __init__(self, run: reference.Reference):
        self.run, self.layers = run, run.layers
        self.head = run.model.get_output_embeddings()

    def logits(self, prompts: Prompts) -> torch.Tensor:
        """Logits [prompts, vocabulary] at the last positions."""
        stream = self.run.model.base_model(prompts.ids, use_cache=False).last_hidden_state
        return self.head(stream[torch.arange(len(stream)), prompts.last])

    def means(self, prompts: Prompts, positions: list[int]) -> torch.Tensor:
        """Means over prompts of resid_pre, [layers, positions, width], in float64."""
        hidden = self.run.model.base_model(prompts.ids, use_cache=False, output_hidden_states=True).hidden_states
        rows = torch.arange(len(prompts.ids))[:, None]
        at = prompts.last[:, None] + 1 + torch.tensor(positions)
        return torch.stack([stream[rows, at].double().mean(0) for stream in hidden[:self.layers]])

    def probabilities(self, prompts: Prompts) -> torch.Tensor:
        """Mean probabilities [vocabulary] at the last positions, in float64."""
        return self.logits(prompts).double().softmax(1).mean(0)

    @torch.inference_mode()
    def contrast(self, positives: list[list[int]], negatives: list[list[int]], share: float = 0.05,
                 most: int = 5) -> list[int]:
        """The first tokens whose mean probability differs most between the classes."""
        gap = self.probabilities(Prompts(positives)) - self.probabilities(Prompts(negatives))
        top = gap.topk(most)
        return [int(token) for value, token in zip(top.values, top.indices) if value >= share]

    @torch.inference_mode()
    def scores(self, prompts: list[list[int]], tokens: list[int]) -> list[float]:
        """ln(p + 1e-8) - ln(1 - p + 1e-8) of each prompt."""
        return score(self.logits(Prompts(prompts)), tokens).tolist()

    @torch.inference_mode()
    def measured(self, train: tuple[list[list[int]], ...], validation: tuple[list[list[int]], ...],
                 tokens: list[int], positions: list[int]) -> list[Candidate]:
        """Every candidate of every layer. `train`, `validation`: the positive prompts and the negative ones."""
        means = [self.means(Prompts(prompts), positions) for prompts in train]
        positives, negatives = map(Prompts, validation)
        base = self.logits(negatives).double().log_softmax(1)
        found = []
        for layer in range(self.layers):
            for index, position in enumerate(positions):
                difference = means[0][layer, index] - means[1][layer, index]
                scale = (means[0][layer, index].norm() + means[1][layer, index].norm()) / 2
                if difference.norm() <= 1e-6 * scale:
                    found.append(Candidate(layer, position, math.nan, math.nan, math.nan))
                    continue
                unit = (difference / difference.norm()).float()
                with self.run.edited(everywhere(self.layers, reference.projecting_out(unit))):
                    bypass = score(self.logits(positives), tokens).mean()
                    ablated = self.logits(negatives).double().log_softmax(1)
                kl = (base.exp() * (base - ablated)).sum(1).mean()
                added = difference.float()
                with self.run.edited({f"blocks.{layer}.hook_resid_pre": lambda stream: stream + added}):
                    induce = score(self.logits(negatives), tokens).mean()
                found.append(Candidate(layer, position, float(bypass), float(induce), float(kl)))
        return found

    def chosen(self, candidates: list[Candidate], limit: float = 0.1, pruned: float = 0.2) -> Candidate | None:
        """The candidate of the lowest bypass of those that stay."""
        stay = [c for c in candidates if not any(map(math.isnan, c[2:])) and c.kl <= limit and c.induce >= 0
                and c.layer < int(self.layers * (1 - pruned))]
        return min(stay, key=lambda c: c.bypass, default=None)


def everywhere(layers: int, edit: reference.Edit) -> dict[str, reference.Edit]:
    """An edit at every block's input, attention output and MLP output."""
    return {f"blocks.{layer}.{site}": edit for layer in range(layers) for site in ABLATED}


def score(logits: torch.Tensor, tokens: list[int]) -> torch.Tensor:
    """Log-odds of the tokens, in float64."""
    p = logits.double().softmax(1)[:, tokens].sum(1)
    return (p + EPSILON).log() - (1 - p + EPSILON).log()


def shuffled(count: int, seed: int) -> list[int]:
    """0..<count in the order of nacre's random keys: place i has the first number of stream i of the seed."""
    return sorted(range(count), key=lambda place: (stream(seed, place), place))


MASK = (1 << 64) - 1


def split_mix(state: int) -> tuple[int, int]:
    """SplitMix64 (Steele, Lea and Flood 2014): the next state and its number."""
    state = (state + 0x9E3779B97F4A7C15) & MASK
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return state, z ^ (z >> 31)


def stream(seed: int, place: int) -> int:
    """The first number of a stream of a seed."""
    state = split_mix(seed)[1] ^ split_mix(~place & MASK)[1]
    return split_mix(state)[1]
