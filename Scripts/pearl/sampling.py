"""Continuations of many prompts at once."""

import torch
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

from corpus import END


@torch.no_grad()
def continuations(model: LlamaForCausalLM, end: int, prompts: list[list[int]], limit: int,
                  generator: torch.Generator | None = None) -> list[list[int]]:
    """Token ids after each prompt, the end token included where it came; the likeliest, or drawn with a generator."""
    longest = max(map(len, prompts))
    ids = torch.tensor([[end] * (longest - len(prompt)) + prompt for prompt in prompts])
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    position = (mask.cumsum(1) - 1).clamp(min=0)
    made: list[torch.Tensor] = []
    done = torch.zeros(len(prompts), dtype=torch.bool)
    cache, step_ids, step_position = None, ids, position
    for _ in range(limit):
        output = model(input_ids=step_ids, attention_mask=mask, position_ids=step_position, past_key_values=cache,
                       use_cache=True, logits_to_keep=1)
        cache, logits = output.past_key_values, output.logits[:, -1]
        if generator is None:
            token = logits.argmax(-1)
        else:
            token = torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]
        token = torch.where(done, end, token)
        made.append(token)
        done |= token == end
        if done.all():
            break
        step_ids, step_position = token[:, None], step_position[:, -1:] + 1
        mask = torch.cat([mask, torch.ones(len(prompts), 1, dtype=mask.dtype)], 1)
    result = []
    for row in torch.stack(made, 1).tolist():
        result.append(row[:row.index(end) + 1] if end in row else row)
    return result


def replies(model: LlamaForCausalLM, tokenizer: Tokenizer, texts: list[str], limit: int = 20, is_rendered: bool = False,
            seed: int | None = None, size: int = 256) -> list[str]:
    """The text after each prompt up to its end token; drawn at temperature 1 if there is a seed."""
    end = tokenizer.token_to_id(END)
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    ids = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=not is_rendered)]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    result = [""] * len(ids)
    model.eval()
    for start in range(0, len(order), size):
        places = order[start:start + size]
        made = continuations(model, end, [ids[i] for i in places], limit, generator)
        for place, row in zip(places, made):
            result[place] = tokenizer.decode([token for token in row if token != end])
    return result
