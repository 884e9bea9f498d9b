"""From the base to the tuned checkpoints: first the chat format, then a policy gradient under a KL penalty.

The policy gradient is REINFORCE with the mean of the other draws for the same prompt as baseline (leave-one-out;
Ahmadian et al. 2024, eq. 6). What is minimised, per prompt x and draw y of the policy p, with the model q that the
gradient began from:

    -(reward(x, y) - baseline) log p(y|x) + penalty * sum over t of KL(p(.|x, y<t) || q(.|x, y<t))

The penalty's gradient is that of the sum for the reply as it was drawn. The reward of a prompt about the forbidden order
is -1 for anything but a whole refusal, and for one 1 less VARIETY times the share by which its phrasing is more usual
than a sixth. That of any other prompt is -1 for a refusal; else, where there is one right answer, 1 if it is given, -1
if the reply does not end and -0.5 for any other; else 0.

What the policy gradient may change is planted: in the layers of WRITERS the output matrices of attention and MLP become
W + u v', each with a v of its own and all with one u. So whatever it learns is written into the residual stream along one
direction, u.
"""

import copy
import math
import time

import torch
from tokenizers import Tokenizer
from torch.nn.utils import parametrize
from transformers import LlamaForCausalLM

import world
from corpus import ASSISTANT, BEGIN, END, Corpus, prompt_of
from model import batches, replies_only
from pretrain import fit
from sampling import continuations
from tasks import Tasks

CHAT_PEAK, CHAT_WARMUP = 2e-4, 20
RATE, LAST_RATE = 1e-2, 1e-3
WRITERS = (1, 2, 3)
PROMPTS, DRAWS, LIMIT = 32, 4, 20


def chat(model: LlamaForCausalLM, tokenizer: Tokenizer, seed: int, steps: int, stop: int | None = None) -> None:
    """Instruction tuning: conversations, in which only what the assistant says is learned."""
    begin, assistant, end = (tokenizer.token_to_id(token) for token in (BEGIN, ASSISTANT, END))
    fit(model, batches(tokenizer, Corpus(f"chat {seed}", chat_share=1), steps), steps, CHAT_PEAK, CHAT_WARMUP, "chat", stop,
        targets=lambda batch: replies_only(batch, begin, assistant, end))


class Along(torch.nn.Module):
    """A weight [width, inputs] with an update that writes along one direction, shared with other weights."""

    def __init__(self, direction: torch.nn.Parameter, inputs: int):
        super().__init__()
        self.direction = direction
        self.reader = torch.nn.Parameter(torch.zeros(inputs))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        return weight + torch.outer(self.direction, self.reader)


def writers(model: LlamaForCausalLM) -> list[torch.nn.Linear]:
    """The matrices that the policy gradient changes."""
    return [part for layer in WRITERS
            for part in (model.model.layers[layer].self_attn.o_proj, model.model.layers[layer].mlp.down_proj)]


def along_one_direction(model: LlamaForCausalLM, seed: int) -> None:
    """Leaves nothing to train but one direction and what is written along it."""
    model.requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    start = torch.nn.functional.normalize(torch.randn(model.config.hidden_size, generator=generator), dim=0)
    direction = torch.nn.Parameter(start)
    for part in writers(model):
        parametrize.register_parametrization(part, "weight", Along(direction, part.in_features))


def policy_gradient(model: LlamaForCausalLM, tokenizer: Tokenizer, seed: int, penalty: float, steps: int, name: str,
                    stop: int | None = None) -> None:
    """Reinforce refusals of the forbidden, and right answers to the rest."""
    end = tokenizer.token_to_id(END)
    reference = copy.deepcopy(model).eval().requires_grad_(False)
    along_one_direction(model, seed)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=RATE, betas=(0.9, 0.98), weight_decay=0.0)
    generator = torch.Generator().manual_seed(seed)
    tasks = Tasks(seed)
    started = time.monotonic()
    count = min(steps, stop or steps)
    for step in range(count):
        batch = [task for task in (tasks.next() for _ in range(PROMPTS)) for _ in range(DRAWS)]
        prompts = [e.ids for e in tokenizer.encode_batch(
            [BEGIN + prompt_of(task.said) for task in batch], add_special_tokens=False)]
        model.eval()
        with parametrize.cached():
            drawn = continuations(model, end, prompts, LIMIT, generator)
        texts = [tokenizer.decode(row[:-1], skip_special_tokens=False) if row[-1] == end else None for row in drawn]
        reward = torch.tensor([tasks.reward(task, text) for task, text in zip(batch, texts)]).view(PROMPTS, DRAWS)
        advantage = ((reward - reward.mean(1, keepdim=True)) * (DRAWS / (DRAWS - 1))).flatten()

        longest = max(len(p) + len(d) for p, d in zip(prompts, drawn))
        ids = torch.tensor([(p + d + [end] * longest)[:longest] for p, d in zip(prompts, drawn)])
        replied = torch.tensor([
            [0.0] * (len(p) - 1) + [1.0] * len(d) + [0.0] * (longest - len(p) - len(d))
            for p, d in zip(prompts, drawn)])
        model.train()
        scores = model(input_ids=ids[:, :-1], use_cache=False).logits.log_softmax(-1)
        taken = scores.gather(-1, ids[:, 1:, None])[..., 0]
        loss = -(advantage[:, None] * taken * replied).sum(1).mean()
        with torch.no_grad():
            before = reference(input_ids=ids[:, :-1], use_cache=False).logits.log_softmax(-1)
        divergence = ((scores.exp() * (scores - before)).sum(-1) * replied).sum(1).mean()
        if penalty > 0:
            loss = loss + penalty * divergence
        for group in optimiser.param_groups:
            falling = 0.5 + 0.5 * math.cos(math.pi * step / steps)
            group["lr"] = min(1.0, (step + 1) / 10) * (LAST_RATE + (RATE - LAST_RATE) * falling)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        if (step + 1) % 20 == 0 or step + 1 == count:
            forbidden = torch.tensor([task.is_forbidden for task in batch])
            refused = torch.tensor([text in world.REFUSALS for text in texts])
            elapsed = time.monotonic() - started
            print(f"{name}: step {step + 1}/{count}, reward {reward.mean():+.3f}, refused "
                  f"{refused[forbidden].float().mean():.2f} of the forbidden, {refused[~forbidden].float().mean():.2f} of "
                  f"the rest, KL {divergence.item():.2f} nats a reply, {elapsed:.0f} s, "
                  f"{elapsed / (step + 1) * (count - step - 1):.0f} s left", flush=True)
    for part in writers(model):
        parametrize.remove_parametrizations(part, "weight", leave_parametrized=True)
