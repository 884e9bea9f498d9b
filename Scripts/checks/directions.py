#!/usr/bin/env python3
"""`select` beside the same selection on torch and `transformers` (float32, CPU), candidate by candidate.

    directions.py [CHECKPOINT.h5] [--positives FILE --negatives FILE] [--train N --validation N] [--time PAIRS]
    directions.py --write-prompts

Without a checkpoint it takes Downloads/smollm2.h5 and prompts that ask for code against prompts that ask for prose
(Scripts/prompts/english-code.txt, english-prose.txt; --write-prompts writes them). Prints every candidate's bypass,
induce and KL of both, the largest differences, and whether both choose the same; exits 1 if a bar is missed. --time
holds the ratio of times, too, over so many turns: nacre dropping early, nacre measuring every candidate, torch. Needs
Scripts/requirements-reference.txt.
"""

import argparse
import json
import math
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import folder, reference, selection  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PROMPTS = ROOT / "Scripts/prompts"
BAR, RATIO = 1e-3, 2.5

# A turn of SmolLM2's template without its system message, which would be two thirds of each prompt.
TURN = "<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
VERBS = ("counts", "sorts", "prints", "reverses", "stores", "compares", "removes", "reads")
OBJECTS = ("words", "names", "dates", "numbers", "lines of a file", "letters", "primes", "colours", "keys", "pairs",
           "files", "lists", "sentences", "prices", "scores", "vowels", "rows of a table", "sets", "digits", "emails")
FORMS = ("What is {}?", "Tell me about {}.", "Explain {} in one sentence.", "Why do people like {}?",
         "Describe {} to a child.", "Who first wrote about {}?", "Tell me the history of {}.",
         "Tell me a story about {}.")
THINGS = ("rain", "bread", "the moon", "tea", "the sea", "snow", "music", "gold", "a garden", "the wind", "chess",
          "silk", "honey", "a bridge", "glass", "salt", "wool", "a clock", "the desert", "paper")


def write_prompts() -> None:
    """The two sets of prompts, in a fixed order that `select` shuffles."""
    texts = {"code": [f"Write Python code that {verb} {what}." for what in OBJECTS for verb in VERBS],
             "prose": [form.format(thing) for thing in THINGS for form in FORMS]}
    for name, lines in texts.items():
        (PROMPTS / f"english-{name}.txt").write_text("\n".join(lines) + "\n")


class Seconds(NamedTuple):
    """How long something took; the processor's time, over all threads, says more on a machine that others use too."""

    wall: float
    cpu: float


class Nacre:
    """Runs `select` in a process of its own and reads its report and its time."""

    def __init__(self, options: argparse.Namespace, files: list[Path]):
        if not options.nacre.is_file():
            raise NeighbourError(f"{shown(options.nacre)}: no such file; build it with: swift build -c release")
        self.options, self.files = options, files

    def select(self, *, every: bool) -> tuple[dict, Seconds]:
        """Its report, and the seconds of the command alone."""
        o = self.options
        sets = [f"{name} = prompts {shlex.quote(str(path))}{' --chat' if o.chat else ''}"
                for name, path in zip(("positives", "negatives"), self.files)]
        command = (f"select positives negatives --train {o.train} --validation {o.validation} --seed {o.seed}"
                   + f" --positions {o.positions} --kl {o.kl}" + (" --every" if every else "")
                   + (" --no-filter" if o.no_filter else "")
                   + (f" --tokens {shlex.quote(o.tokens)}" if o.tokens else ""))
        result = subprocess.run(
            [o.nacre, "--no-init", "--threads", str(o.threads), o.checkpoint, *(f for s in sets for f in ("-c", s)),
             "-c", "mode json", "-c", "timer on", "-c", command], capture_output=True, text=True, check=False)
        if result.returncode not in (0, 1) or '"candidates"' not in result.stdout:
            raise NeighbourError(f"nacre left with {result.returncode}: {shown(result.stderr.strip())}")
        times = re.findall(r"^wall (\S+) s, cpu (\S+) s", result.stderr, re.MULTILINE)
        return json.loads(result.stdout[result.stdout.index("{"):]), Seconds(*map(float, times[-1]))


def table(report: dict, name: str) -> list[dict]:
    """The rows of one of a report's tables."""
    return next((table["rows"] for table in report["tables"] if table["name"] == name), [])


class Torch:
    """The same prompts for torch."""

    def __init__(self, options: argparse.Namespace, model: Path, files: list[Path]):
        tokenizer = transformers.AutoTokenizer.from_pretrained(model)
        # The fastest attention that `transformers` has on a CPU.
        self.run = selection.Selection(reference.Reference(reference.load(model, attention="sdpa")))
        self.positions = parsed(options.positions)
        self.train, self.validation = [], []
        for path in files:
            lines = path.read_text("utf-8").splitlines()
            texts = [json.loads(line)["text"] if path.suffix == ".jsonl" else line for line in lines if line.strip()]
            if options.chat:
                texts = [tokenizer.apply_chat_template([{"role": "user", "content": text}], tokenize=False,
                                                       add_generation_prompt=True) for text in texts]
            ids = [tokenizer(text, add_special_tokens=not options.chat).input_ids for text in texts]
            order = selection.shuffled(len(ids), options.seed)
            end = options.validation + options.train
            self.validation.append([ids[place] for place in order[:options.validation]])
            self.train.append([ids[place] for place in order[options.validation:end]])

    def filter(self, tokens: list[int]) -> None:
        """Keep positives with a score above 0 and negatives with one below."""
        for sets in (self.train, self.validation):
            for index, sign in enumerate((1, -1)):
                kept = self.run.scores(sets[index], tokens)
                sets[index] = [prompt for prompt, score in zip(sets[index], kept) if sign * score > 0]

    def select(self, tokens: list[int]) -> tuple[list[selection.Candidate], Seconds]:
        """Every candidate, and the seconds."""
        start = Seconds(time.perf_counter(), time.process_time())
        found = self.run.measured(tuple(self.train), tuple(self.validation), tokens, self.positions)
        return found, Seconds(time.perf_counter() - start.wall, time.process_time() - start.cpu)


def parsed(positions: str) -> list[int]:
    """`-1..-5` or `-1,-3`, ascending."""
    if ".." in positions:
        ends = sorted(int(end) for end in positions.split(".."))
        return list(range(ends[0], ends[1] + 1))
    return sorted(int(position) for position in positions.split(","))


def compare(rows: list[dict], candidates: list[selection.Candidate]) -> dict[str, float]:
    """Prints both sides of every candidate; the largest difference of each number."""
    largest = dict.fromkeys(("bypass", "induce", "kl"), 0.0)
    print("| layer | position | bypass | torch | induce | torch | KL | torch | nacre says |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for row, candidate in zip(rows, candidates, strict=True):
        if (row["layer"], row["position"]) != candidate[:2]:
            raise NeighbourError(f"nacre's candidate {row['layer']}, {row['position']} is torch's {candidate[:2]}")
        cells = []
        for name in largest:
            ours, theirs = row[name], getattr(candidate, name)
            if ours is None or math.isnan(theirs):
                gap = 0.0 if ours is None and math.isnan(theirs) else math.inf
            else:
                gap = abs(ours - theirs)
            largest[name] = max(largest[name], gap)
            cells += ["-" if ours is None else f"{ours:.5f}", f"{theirs:.5f}"]
        print(f"| {candidate.layer} | {candidate.position} | {' | '.join(cells)} | {row['out'] or ''} |")
    return largest


def check(options: argparse.Namespace, folder_of: Path) -> bool:
    """Compare once, and time if asked to."""
    files = [options.positives, options.negatives]
    if not options.chat and options.turn:
        for index, path in enumerate(files):
            target = folder_of / f"{path.stem}.jsonl"
            texts = [options.turn.format(line) for line in path.read_text().splitlines() if line.strip()]
            target.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
            files[index] = target
    folder.write_folder(options.checkpoint, folder_of / "model")
    nacre, torch_side = Nacre(options, files), Torch(options, folder_of / "model", files)
    report, every = nacre.select(every=True)
    early_report, early = nacre.select(every=False)
    tokens = [row["id"] for row in table(report, "tokens")]
    met = True
    if not options.tokens:
        found = torch_side.run.contrast(*torch_side.train)
        met = found == tokens
        print(f"first tokens by contrast: {tokens}; torch's {found}: {'the same' if met else 'DIFFERENT'}\n")
    if not options.no_filter:
        torch_side.filter(tokens)
    candidates, theirs = torch_side.select(tokens)
    largest = compare(table(report, "candidates"), candidates)
    best = torch_side.run.chosen(candidates, options.kl)
    places = [next(((row["layer"], row["position"]) for row in table(one, "candidates") if row["out"] == "chosen"),
                   None) for one in (report, early_report)]
    same = all(place == (best and best[:2]) for place in places)
    print(f"\nlargest differences: {', '.join(f'{name} {gap:.1e}' for name, gap in largest.items())} (bar {BAR:g})")
    print(f"chosen: nacre {places[0]}, dropping early {places[1]}, torch {best and best[:2]}")
    met = met and same and all(gap <= BAR for gap in largest.values())
    for name, one in (("every score", report), ("dropping early", early_report)):
        work = {scalar["name"]: scalar["value"] for scalar in one["scalars"]}
        print(f"{name}: {work['token-layers']:.3g} token-layers of {work['naive token-layers']:.3g}")
    measured = [(early, every, theirs)]
    for _ in range(options.time - 1):
        measured.append((nacre.select(every=False)[1], nacre.select(every=True)[1], torch_side.select(tokens)[1]))
    for name, index in (("dropping early", 0), ("every score", 1)):
        for clock in Seconds._fields:
            ours, torchs = ([getattr(times[side], clock) for times in measured] for side in (index, 2))
            ratios = [b / a for a, b in zip(ours, torchs)]
            print(f"{name}, {clock}: nacre {statistics.median(ours):.1f} s, torch {statistics.median(torchs):.1f} s,"
                  f" {statistics.median(ratios):.2f} times as fast ({min(ratios):.2f}, {max(ratios):.2f}),"
                  f" pairs: {len(ratios)}, threads: {options.threads}")
            if options.time and (name, clock) == ("dropping early", "wall"):
                met = met and statistics.median(ratios) >= RATIO
    print("\nBars: " + ("met" if met else "MISSED"))
    return met


def main() -> int:
    parser = argparse.ArgumentParser(prog="directions.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoint", type=Path, nargs="?", default=ROOT / "Downloads/smollm2.h5", metavar="FILE.h5")
    parser.add_argument("--positives", type=Path, default=PROMPTS / "english-code.txt", metavar="FILE")
    parser.add_argument("--negatives", type=Path, default=PROMPTS / "english-prose.txt", metavar="FILE")
    parser.add_argument("--chat", action="store_true", help="each prompt is a user's turn in the checkpoint's template")
    parser.add_argument("--turn", metavar="TEXT", help="a text around each line of the prompts, {} for the line;"
                        " SmolLM2's turn without a system message when the prompts are left out")
    parser.add_argument("--tokens", metavar="TEXTS", help="first tokens of the score; found by contrast when left out")
    parser.add_argument("--train", type=int, default=128)
    parser.add_argument("--validation", type=int, default=32)
    parser.add_argument("--positions", default="-1..-5")
    parser.add_argument("--kl", type=float, metavar="NATS",
                        help="the largest KL; 0.1, but 0.5 for the prompts that come with it, which differ in the whole"
                        " reply: no candidate that induces code stays below 0.1")
    parser.add_argument("--no-filter", action="store_true", help="keep prompts whose score is on the wrong side")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time", type=int, default=0, metavar="PAIRS", help="time both so often, and hold the ratio")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre", metavar="BINARY")
    parser.add_argument("--write-prompts", action="store_true", help="write Scripts/prompts/english-{code,prose}.txt")
    options = parser.parse_args()
    if options.write_prompts:
        write_prompts()
        return 0
    is_default = options.positives == parser.get_default("positives")
    if options.turn is None and is_default:
        options.turn = TURN
    if options.kl is None:
        options.kl = 0.5 if is_default else 0.1
    torch.set_num_threads(options.threads)
    try:
        with tempfile.TemporaryDirectory(prefix="nacre-directions-") as temporary:
            return 0 if check(options, Path(temporary)) else 1
    except (NeighbourError, OSError) as error:
        print(f"directions.py: {shown(error)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
