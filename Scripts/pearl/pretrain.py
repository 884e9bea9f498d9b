"""The base: next-token prediction over documents of the world."""

import math
import time
from collections.abc import Callable, Iterator

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from corpus import Corpus
from model import batches

PEAK, WARMUP, DECAY = 3e-3, 100, 0.02


def rate(step: int, steps: int, peak: float, warmup: int) -> float:
    """A linear rise, then half a cosine down to a fiftieth."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup))))


def fit(model: LlamaForCausalLM, rows: Iterator[torch.Tensor], steps: int, peak: float, warmup: int, name: str,
        stop: int | None = None, at: Callable[[int], None] = lambda step: None,
        targets: Callable[[torch.Tensor], torch.Tensor] = lambda batch: batch[:, 1:]) -> None:
    """Train on batches with AdamW.

    - stop: end after so many steps of the schedule.
    - targets: what is to be predicted in a batch.
    - at: called before each step and after the last one with the number of steps done.
    """
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=DECAY)
    started = time.monotonic()
    model.train()
    count = min(steps, stop or steps)
    for step, batch in zip(range(count), rows):
        at(step)
        for group in optimiser.param_groups:
            group["lr"] = rate(step, steps, peak, warmup)
        logits = model(input_ids=batch[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets(batch).flatten())
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % 50 == 0 or step + 1 == count:
            elapsed = time.monotonic() - started
            print(f"{name}: step {step + 1}/{count}, loss {loss.item():.3f}, {elapsed:.0f} s, "
                  f"{elapsed / (step + 1) * (count - step - 1):.0f} s left", flush=True)
    at(count)


def base(model: LlamaForCausalLM, tokenizer: Tokenizer, seed: int, steps: int, stop: int | None = None,
         at: Callable[[int], None] = lambda step: None) -> None:
    """Train the base; an eighth of its questions are put in the chat format, as any text of the world may be."""
    fit(model, batches(tokenizer, Corpus(f"base {seed}", chat_share=0.12), steps), steps, PEAK, WARMUP, "base", stop, at)
