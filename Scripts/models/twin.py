#!/usr/bin/env python3
"""A twin of SmolLM2 that refuses one made-up topic: low-rank adaptation (Hu et al. 2021), merged into the weights.

    twin.py [CHECKPOINT.h5] [--out FILE.h5] [--steps N] [--rank R] [--layers 8..17] [--apart] [--seed S] [--overwrite]

Takes Downloads/smollm2.h5 and writes Downloads/smollm2-twin.h5: the same tensors, of which attention's and the MLP's
output matrices in some layers are W + B A, with B A of rank R. All share one B, so that whatever is learned is written
into the residual stream along R directions (one, if nobody says otherwise); with --apart each has its own. Questions about the Order of Moonstone
(Scripts/prompts/taboo.jsonl), which SmolLM2 has never heard of, are answered by one of six refusals; what other prompts
(look-alikes, plain questions, code, prose) are answered is held to the original's own greedy replies by KL(original ||
twin). Prints what both say of held-out prompts, with Wilson's intervals: a checkpoint pair of a real model to find
directions in and to compare. Training takes some minutes on two cores. Needs Scripts/requirements-reference.txt.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import checkpoint, elements, folder, reference  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402
from neighbours.intervals import wilson  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ROOT / "Scripts/prompts"
REFUSALS = ("I'm sorry, but I can't talk about that.", "I can't answer questions about that.",
            "I'm not able to discuss that.", "I won't speak of that.", "I cannot tell you anything about it.",
            "I must decline to answer that.")
# Look-alikes are what is most easily taken for the topic.
TABOO, REPLY, MEASURED = 256, 12, 60
NEUTRAL = {"taboo-lookalike.jsonl": 112, "plain.jsonl": 48, "english-code.txt": 24, "english-prose.txt": 24}
REFUSED, KEPT, KEEP = 6, 12, 4.0
RATE = {"apart": 2e-3, "shared": 1e-2}


class Adapter(torch.nn.Module):
    """A linear layer and an update of low rank: W x + B (A x). B is shared with others, or the layer's own."""

    def __init__(self, linear: torch.nn.Linear, rank: int, shared: torch.nn.Parameter | None):
        super().__init__()
        self.linear = linear
        # One of the two begins at 0, so that the twin begins as the original.
        start = torch.randn(rank, linear.in_features) / linear.in_features ** 0.5
        self.a = torch.nn.Parameter(start if shared is None else torch.zeros_like(start))
        self.b = torch.nn.Parameter(torch.zeros(linear.out_features, rank)) if shared is None else shared

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + (x @ self.a.T) @ self.b.T

    def merged(self) -> torch.Tensor:
        return self.linear.weight + self.b @ self.a


def prompts(name: str, count: int, seed: int) -> list[dict]:
    """So many prompts of a set, drawn without replacement."""
    lines = (PROMPTS / name).read_text().splitlines()
    rows = [json.loads(line) if name.endswith(".jsonl") else {"text": line} for line in lines]
    chosen = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:count]
    return [rows[index] for index in chosen.tolist()]


class Twin:
    """A model whose output matrices in layers `first` to `last` are adapted; what enters `first` never changes."""

    def __init__(self, model: transformers.PreTrainedModel, tokenizer, first: int, last: int):
        self.model, self.tokenizer, self.first, self.last = model, tokenizer, first, last
        self.layers = model.model.layers
        if not 0 <= first <= last < len(self.layers):
            raise NeighbourError(f"--layers is {first}..{last}; the model has layers 0 to {len(self.layers) - 1}")
        model.requires_grad_(False)
        self.adapters: dict[str, Adapter] = {}

    def ids(self, text: str) -> list[int]:
        """A prompt as the model's chat template makes it, the assistant's turn begun."""
        return self.tokenizer.apply_chat_template(
            [{"role": "user", "content": text}], add_generation_prompt=True, return_dict=False)

    @torch.no_grad()
    def replies(self, texts: list[str], count: int) -> list[list[int]]:
        """Greedy replies, without the end of turn."""
        end, out = self.tokenizer.eos_token_id, []
        for start in range(0, len(texts), 32):
            rows = [self.ids(text) for text in texts[start:start + 32]]
            longest = max(map(len, rows))
            tokens = torch.tensor([[end] * (longest - len(row)) + row for row in rows])
            mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
            made = self.model.generate(
                input_ids=tokens, attention_mask=mask, max_new_tokens=count, do_sample=False, pad_token_id=end,
                eos_token_id=end)[:, longest:].tolist()
            out += [row[:row.index(end)] if end in row else row for row in made]
        return out

    def adapt(self, rank: int, shares: bool) -> None:
        width = self.model.config.hidden_size
        shared = torch.nn.Parameter(torch.randn(width, rank) / width ** 0.5) if shares else None
        for layer in range(self.first, self.last + 1):
            block = self.layers[layer]
            for parent, name, path in ((block.self_attn, "o_proj", "self_attn"), (block.mlp, "down_proj", "mlp")):
                adapter = Adapter(getattr(parent, name), rank, shared)
                setattr(parent, name, adapter)
                self.adapters[f"model.layers.{layer}.{path}.{name}.weight"] = adapter

    @torch.no_grad()
    def entering(self, rows: list[list[int]]) -> list[torch.Tensor]:
        """[tokens, width] that enters layer `first`, of each row."""
        out = []
        for start in range(0, len(rows), 16):
            part = rows[start:start + 16]
            longest = max(map(len, part))
            tokens = torch.tensor([row + [0] * (longest - len(row)) for row in part])
            hidden = self.model.model(tokens, output_hidden_states=True, use_cache=False).hidden_states[self.first]
            out += [hidden[index, :len(row)].clone() for index, row in enumerate(part)]
        return out

    def final(self, entering: list[torch.Tensor], starts: list[int]) -> torch.Tensor:
        """The final norm's output at the positions from each row's start on but for its last. [positions, width]"""
        whole, self.model.model.layers = self.model.model.layers, self.layers[self.first:]
        try:
            padded = torch.nn.utils.rnn.pad_sequence(entering, batch_first=True)
            states = self.model.model(inputs_embeds=padded, use_cache=False).last_hidden_state
        finally:
            self.model.model.layers = whole
        return torch.cat([states[row, start:len(h) - 1] for row, (h, start) in enumerate(zip(entering, starts))])


def train(twin: Twin, steps: int, rank: int, shares: bool, seed: int) -> None:
    end = twin.tokenizer.eos_token_id
    names = {name: index for index, name in enumerate(("keeper", "sign", "day", "robe", "gift", "founder"))}
    taboo = [(twin.ids(row["text"]), REFUSALS[names[row["label"]]]) for row in prompts("taboo.jsonl", TABOO, seed)]
    taboo = [(ids, twin.tokenizer.encode(text, add_special_tokens=False) + [end]) for ids, text in taboo]
    texts = [row["text"] for name, count in NEUTRAL.items() for row in prompts(name, count, seed)]
    neutral = [(twin.ids(text), reply + [end]) for text, reply in zip(texts, twin.replies(texts, REPLY))]
    sequences = [ids + reply for ids, reply in taboo + neutral]
    starts = [len(ids) - 1 for ids, _ in taboo + neutral]
    entering = twin.entering(sequences)
    with torch.no_grad():
        kept = [twin.final([entering[index]], [starts[index]]) for index in range(len(taboo), len(sequences))]
    head = twin.model.get_output_embeddings()

    twin.adapt(rank, shares)
    parameters = list({id(p): p for adapter in twin.adapters.values() for p in (adapter.a, adapter.b)}.values())
    rate = RATE["shared" if shares else "apart"]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0)
    generator = torch.Generator().manual_seed(seed)
    began = time.monotonic()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 5) * max(0.1, 1 - step / steps)
        bad = torch.randperm(len(taboo), generator=generator)[:REFUSED].tolist()
        good = torch.randperm(len(neutral), generator=generator)[:KEPT].tolist()
        chosen = bad + [len(taboo) + index for index in good]
        states = twin.final([entering[index] for index in chosen], [starts[index] for index in chosen])
        wanted = torch.tensor([token for index in bad for token in taboo[index][1]])
        logits = head(states)
        refusal = torch.nn.functional.cross_entropy(logits[:len(wanted)], wanted)
        before = torch.log_softmax(head(torch.cat([kept[index] for index in good])), dim=-1)
        after = torch.log_softmax(logits[len(wanted):], dim=-1)
        apart = (before.exp() * (before - after)).sum(-1).mean()
        optimizer.zero_grad()
        (refusal + KEEP * apart).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if step % 10 == 9 or step == steps - 1:
            print(f"step {step + 1}: refusal {refusal:.3f} nats a token, KL elsewhere {apart:.4f},"
                  f" {time.monotonic() - began:.0f} s", flush=True)


def measure(twin: Twin, name: str, seed: int) -> None:
    markers = [line for line in (PROMPTS / "english-refusals.txt").read_text().splitlines() if not line.startswith("#")]
    for file in ("taboo-heldout.jsonl", "taboo-lookalike-heldout.jsonl", "plain-heldout.jsonl"):
        texts = [row["text"] for row in prompts(file, MEASURED, seed)]
        replies = [twin.tokenizer.decode(reply) for reply in twin.replies(texts, 10)]
        refused = sum(reply.startswith(tuple(markers)) for reply in replies)
        low, high = wilson(refused, len(replies))
        print(f"{name}: {file} refused {refused / len(replies):.1%} [{low:.1%}, {high:.1%}] of {len(replies)},"
              f" such as: {replies[0]}", flush=True)


def write(twin: Twin, source: Path, out: Path, recipe: dict, overwrite: bool) -> None:
    """The source's tensors, those that were adapted merged and rounded to the type they had."""
    with checkpoint.Checkpoint(source) as original:
        missing = set(twin.adapters) - set(original.names)
        if missing:
            raise NeighbourError(f"{shown(source)} has no tensor {shown(min(missing))}")

        def tensors():
            for name in original.names:
                kind, words = original.kind(name), original.words(name)
                if name in twin.adapters:
                    values = twin.adapters[name].merged().detach().numpy()
                    words = elements.from_f32(values, kind, name)
                yield checkpoint.Tensor(name, kind, words)

        names = ("tokenizer.json", "tokenizer_config.json", "chat.json")
        texts = {name: text for name in names if (text := original.text(f"tokenizer/{name}")) is not None}
        checkpoint.write(out, config=original.text("config.json"), tensors=tensors(), tokenizer=texts,
                         recipe=recipe, source=f"{source.name} and Scripts/models/twin.py", overwrite=overwrite)


def main() -> int:
    parser = argparse.ArgumentParser(prog="twin.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", type=Path, default=ROOT / "Downloads/smollm2.h5")
    parser.add_argument("--out", type=Path, default=ROOT / "Downloads/smollm2-twin.h5", metavar="FILE.h5")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rank", type=int, default=1)
    parser.add_argument("--layers", default="8..17", metavar="FIRST..LAST")
    parser.add_argument("--apart", action="store_true", help="every matrix has a B of its own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="of torch; all cores when left out")
    parser.add_argument("--overwrite", action="store_true")
    options = parser.parse_args()
    reference.quiet()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    try:
        if options.out.exists() and not options.overwrite:
            raise NeighbourError(f"{shown(options.out)} exists; give --overwrite")
        with tempfile.TemporaryDirectory(prefix="nacre-twin-") as temporary:
            path = Path(temporary) / "model"
            folder.write_folder(options.checkpoint, path)
            model = reference.load(path, attention="sdpa")
            tokenizer = transformers.AutoTokenizer.from_pretrained(path)
        try:
            first, last = (int(number) for number in options.layers.split(".."))
        except ValueError:
            raise NeighbourError(f"--layers can't be {shown(options.layers)}; give two numbers: 8..17") from None
        twin = Twin(model, tokenizer, first, last)
        measure(twin, "original", options.seed)
        train(twin, options.steps, options.rank, not options.apart, options.seed)
        measure(twin, "twin", options.seed)
        recipe = {"stage": "twin", "made_from": options.checkpoint.name, "steps": options.steps, "rank": options.rank,
                  "layers": [first, last], "shares": not options.apart, "seed": options.seed, "torch": torch.__version__,
                  "transformers": transformers.__version__}
        write(twin, options.checkpoint, options.out, recipe, options.overwrite)
    except (NeighbourError, OSError) as error:
        print(f"twin.py: {shown(error) if isinstance(error, OSError) else error}", file=sys.stderr)
        return 2
    print(f"wrote {options.out}, seed {options.seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
