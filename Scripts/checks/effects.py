#!/usr/bin/env python3
"""`effect`'s KL, JS and agreement over the model's own reply, beside torch and `transformers` (float32, CPU).

    effects.py [CHECKPOINT.h5] [--positives FILE --negatives FILE] [--strengths A,B] [--limit N]

The edit adds a direction at every position from each prompt's length on, so that it leaves the reply's first token
alone and destroys what follows: of the chat prompts, those of one length are taken. Prints every statistic of both
with their difference, and exits 1 if one is further off than 1e-4, or if the first token's KL is not 0. By default
Checkpoints/pearl-tuned.h5 with its made-up taboo against plain questions. Needs Scripts/requirements-reference.txt.
"""

import argparse
import collections
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py
import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import folder, reference  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BAR, TOKENS, LAYER = 1e-4, 16, 2
NAMES = ("kl", "kl reverse", "js", "top-1", "kl first", "top-1 first")


class Prompts:
    """The prompts of a file whose chat turns have the commonest number of tokens."""

    def __init__(self, path: Path, tokenizer: transformers.PreTrainedTokenizerBase, target: Path, limit: int):
        lines = [json.loads(line)["text"] for line in path.read_text("utf-8").splitlines() if line.strip()]
        found = {}
        for text in lines:
            turn = [{"role": "user", "content": text}]
            rendered = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
            found[text] = tokenizer(rendered, add_special_tokens=False).input_ids
        self.length = collections.Counter(map(len, found.values())).most_common(1)[0][0]
        kept = [text for text, ids in found.items() if len(ids) == self.length][:limit]
        self.ids = [found[text] for text in kept]
        self.path = target
        target.write_text("".join(json.dumps({"text": text}) + "\n" for text in kept), "utf-8")


def measured(options: argparse.Namespace, prompts: list[Prompts], strength: float, saved: Path) -> dict[str, float]:
    """What nacre says of the first set, after the direction is saved for torch."""
    sets = [f"{name} = prompts {shlex.quote(str(one.path))} --chat > /dev/null" for name, one in zip("pq", prompts)]
    lines = [f"open {shlex.quote(str(options.checkpoint))}", *sets, f"r = direction p q --at resid_pre[{LAYER}]",
             f"save r {shlex.quote(str(saved))}",
             f"steer r --strength {strength} --positions from:{prompts[0].length}", "mode json",
             f"effect p --tokens {TOKENS} --kl-tokens {TOKENS}"]
    result = subprocess.run([options.nacre, "--no-init", *(part for line in lines for part in ("-c", line))],
                            capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NeighbourError(f"nacre left with {result.returncode}: {shown(result.stderr.strip())}")
    report = json.loads(result.stdout[result.stdout.index('{\n'):])
    rows = next(table["rows"] for table in report["tables"] if any("measure" in row for row in table["rows"]))
    found = {row["measure"].removeprefix("p "): row["after"] for row in rows}
    return {name: found[name] for name in NAMES}


@torch.no_grad()
def wanted(run: reference.Reference, prompts: Prompts, direction: torch.Tensor, stop: set[int]) -> dict[str, float]:
    """The same by two plain passes over each prompt with the unedited model's own reply."""
    def steered(value: torch.Tensor) -> torch.Tensor:
        value = value.clone()
        value[:, prompts.length:] += direction
        return value

    rows, firsts = [], []
    for ids in prompts.ids:
        reply, _ = run.greedy(ids, TOKENS, stop)
        tokens, start = ids + reply[:-1], len(ids) - 1
        before = run.logits(tokens)[start:].double().log_softmax(1)
        after = run.logits(tokens, {f"blocks.{LAYER}.hook_resid_pre": steered})[start:].double().log_softmax(1)
        p, q, middle = before.exp(), after.exp(), ((before.exp() + after.exp()) / 2).log()
        found = torch.stack([
            (p * (before - after)).sum(1), (q * (after - before)).sum(1),
            ((p * (before - middle)).sum(1) + (q * (after - middle)).sum(1)) / 2,
            (before.argmax(1) == after.argmax(1)).double()], 1)
        rows.append(found)
        firsts.append(found[0])
    means, first = torch.cat(rows).mean(0), torch.stack(firsts).mean(0)
    return dict(zip(NAMES, [*means.tolist(), float(first[0]), float(first[3])]))


def main() -> int:
    parser = argparse.ArgumentParser(prog="effects.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", nargs="?", type=Path, default=ROOT / "Checkpoints/pearl-tuned.h5",
                        metavar="CHECKPOINT.h5")
    for name, file in (("positives", "taboo"), ("negatives", "plain")):
        parser.add_argument(f"--{name}", type=Path, default=ROOT / f"Scripts/prompts/{file}.jsonl", metavar="FILE")
    parser.add_argument("--strengths", default="0.5,2,8", help="the edits' strengths (default: %(default)s)")
    parser.add_argument("--limit", type=int, default=40, help="prompts of each set (default: %(default)s)")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre", metavar="BINARY")
    options = parser.parse_args()
    reference.quiet()
    try:
        if not options.nacre.is_file():
            raise NeighbourError(f"{shown(options.nacre)}: no such file; build it with: swift build -c release")
        with tempfile.TemporaryDirectory(prefix="nacre-effects-") as temporary:
            place = Path(temporary)
            folder.write_folder(options.checkpoint, place / "model")
            tokenizer = transformers.AutoTokenizer.from_pretrained(place / "model")
            run = reference.Reference(reference.load(place / "model"))
            prompts = [Prompts(path, tokenizer, place / f"{name}.jsonl", options.limit)
                       for name, path in (("p", options.positives), ("q", options.negatives))]
            ends = run.model.generation_config.eos_token_id or run.model.config.eos_token_id
            stop = set(ends if isinstance(ends, list) else [ends])
            print(f"{len(prompts[0].ids)} prompts of {prompts[0].length} tokens\n")
            print("| strength | statistic | nacre | torch | difference |\n| ---: | --- | ---: | ---: | ---: |")
            met = True
            for strength in map(float, options.strengths.split(",")):
                saved = place / f"r{strength}.h5"
                ours = measured(options, prompts, strength, saved)
                with h5py.File(saved) as file:
                    direction = torch.from_numpy(np.array(file["vectors"][0], dtype=np.float32)) * strength
                theirs = wanted(run, prompts[0], direction, stop)
                for name in NAMES:
                    gap = abs(ours[name] - theirs[name])
                    met = met and gap <= BAR and (name != "kl first" or ours[name] == 0)
                    print(f"| {strength:g} | {name} | {ours[name]:.7g} | {theirs[name]:.7g} | {gap:.1e} |")
    except (NeighbourError, OSError) as error:
        print(f"effects.py: {error}", file=sys.stderr)
        return 1
    print(f"\nbar {BAR:g}: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
