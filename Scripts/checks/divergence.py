#!/usr/bin/env python3
"""`compare A B logits` beside `transformers` (float32, CPU, eager attention) on two checkpoints.

    divergence.py [A.h5 B.h5] [--prompts FILE] [--nacre BINARY]

Prints every statistic of both with their differences, as a markdown table, and exits 1 if one is further off than its
bar. Statistics are in float64 from f32 logits, so what is left is what two forward passes in f32 differ by: 1e-5 of a
logit, and so 1e-6 of a probability at a single position. By default the two small checkpoints
of the tests. Needs Scripts/requirements-reference.txt.
"""

import argparse
import json
import math
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import folder, reference  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "Tests/Fixtures/models"
# A statistic is met within either; a percentile is one position's number, or two's.
RELATIVE, MEAN, PERCENTILE = 1e-4, 1e-6, 5e-6
LEVELS = {"max": 100, "99.9": 99.9, "99": 99, "95": 95, "90": 90, "median": 50, "10": 10, "5": 5, "1": 1, "0.1": 0.1,
          "min": 0}


def measured(nacre: Path, checkpoints: list[Path], prompts: Path) -> dict[str, float]:
    """What nacre says: its scalars with their intervals, and the percentiles."""
    if not nacre.is_file():
        raise NeighbourError(f"{shown(nacre)}: no such file; build it with: swift build -c release")
    opened = [f"{name} = open {shlex.quote(str(path))}" for name, path in zip("ab", checkpoints)]
    lines = [*opened, f"p = prompts {shlex.quote(str(prompts))}", "mode json", "compare a b logits --prompts p"]
    with tempfile.NamedTemporaryFile("w", suffix=".nacre", encoding="utf-8") as script:
        script.write("\n".join(lines) + "\n")
        script.flush()
        result = subprocess.run([nacre, "--no-init", "-f", script.name], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise NeighbourError(f"nacre left with {result.returncode}: {shown(result.stderr.strip())}")
    report = json.loads(result.stdout[result.stdout.index("{"):])
    found = {}
    for scalar in report["scalars"]:
        found |= {scalar["name"] + end: scalar[key] for key, end in
                  (("value", ""), ("low", " low"), ("high", " high")) if key in scalar}
    for row in next(table["rows"] for table in report["tables"] if table["name"] == "percentiles"):
        found |= {f"{key} {row['percentile']}": value for key, value in row.items() if key != "percentile"}
    return found


@torch.no_grad()
def wanted(folders: list[Path], texts: list[str]) -> dict[str, float]:
    """The same from `transformers`, by the formulas as they are written."""
    runs = [reference.Reference(reference.load(path)) for path in folders]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folders[0])
    columns = ("kl", "kl reverse", "js", "top-1 agreement", "entropy A", "loss A", "loss B", "delta p")
    prompts: list[np.ndarray] = []  # each [positions, columns]
    for text in texts:
        ids = tokenizer(text).input_ids
        if len(ids) < 2:
            continue
        la, lb = (run.logits(ids)[:-1].double().log_softmax(1) for run in runs)
        p, q, following = la.exp(), lb.exp(), torch.tensor(ids[1:]).unsqueeze(1)
        middle = ((p + q) / 2).log()
        true_a, true_b = (log.gather(1, following)[:, 0] for log in (la, lb))
        prompts.append(torch.stack([
            (p * (la - lb)).sum(1), (q * (lb - la)).sum(1),
            ((p * (la - middle)).sum(1) + (q * (lb - middle)).sum(1)) / 2, (la.argmax(1) == lb.argmax(1)).double(),
            -(p * la).sum(1), -true_a, -true_b, true_b.exp() - true_a.exp()], 1).numpy())
    rows = np.concatenate(prompts)
    found = {}

    def add(name: str, values: list[np.ndarray], low: float = -math.inf, high: float = math.inf) -> None:
        """A mean over positions, with the interval of a ratio of sums over prompts (Cochran 1977, 6.4)."""
        sums, counts = np.array([v.sum() for v in values]), np.array([len(v) for v in values])
        mean = sums.sum() / counts.sum()
        half = 1.959964 * np.std(sums - mean * counts, ddof=0) * math.sqrt(len(sums) / (len(sums) - 1)) / math.sqrt(
            len(sums)) / counts.mean()
        found.update({name: mean, f"{name} low": max(low, mean - half), f"{name} high": min(high, mean + half)})

    for index, name in enumerate(columns):
        low, high = {"delta p": (-1, 1), "top-1 agreement": (0, 1)}.get(name, (0, math.inf))
        add(name, [prompt[:, index] for prompt in prompts], low, high)
    add("loss difference", [prompt[:, 6] - prompt[:, 5] for prompt in prompts])
    add("delta p rms", [prompt[:, 7] ** 2 for prompt in prompts], 0)
    for end in ("", " low", " high"):
        found["delta p rms" + end] = math.sqrt(found["delta p rms" + end])
    for name, index in (("KL(A||B)", 0), ("KL(B||A)", 1), ("JS", 2), ("delta p", 7)):
        found |= {f"{name} {level}": np.percentile(rows[:, index], share) for level, share in LEVELS.items()}
    return {name: float(value) for name, value in found.items()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="divergence.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", nargs="*", type=Path, metavar="FILE.h5",
                        default=[MODELS / "tiny-chat.h5", MODELS / "tiny-near.h5"])
    parser.add_argument("--prompts", type=Path, default=ROOT / "Scripts/prompts/english.txt", metavar="FILE",
                        help="one prompt a line")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre", metavar="BINARY")
    options = parser.parse_args()
    if len(options.checkpoints) != 2:
        parser.error("give two checkpoints")
    reference.quiet()
    try:
        ours = measured(options.nacre.resolve(), options.checkpoints, options.prompts)
        texts = [line for line in options.prompts.read_text("utf-8").split("\n") if line]
        with tempfile.TemporaryDirectory(prefix="nacre-divergence-") as temporary:
            folders = [Path(temporary) / name for name in "ab"]
            for path, exported in zip(options.checkpoints, folders):
                folder.write_folder(path, exported)
            theirs = wanted(folders, texts)
    except NeighbourError as error:
        print(f"divergence.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"divergence.py: {shown(error)}", file=sys.stderr)
        return 2
    print("| statistic | nacre | transformers | difference | relative |\n|---|---:|---:|---:|---:|")
    met, furthest = True, {MEAN: (0.0, 0.0), PERCENTILE: (0.0, 0.0)}
    for name, exact in theirs.items():
        bar = PERCENTILE if name.split()[-1] in LEVELS else MEAN
        value = ours.get(name)
        if value is None:
            print(f"| {name} | absent | {exact:.9g} | | |")
            met = False
            continue
        gap = abs(value - exact)
        relative = gap / abs(exact) if exact else (math.inf if gap else 0.0)
        print(f"| {name} | {value:.9g} | {exact:.9g} | {gap:.1e} | {relative:.1e} |")
        met = met and (gap <= bar or relative <= RELATIVE)
        furthest[bar] = max(furthest[bar][0], gap), max(furthest[bar][1], relative)
    for what, bar in (("means and intervals", MEAN), ("percentiles", PERCENTILE)):
        print(f"\n{what}: largest difference {furthest[bar][0]:.1e}, largest relative {furthest[bar][1]:.1e}")
    print(f"\nBar: {RELATIVE:g} relative, or {MEAN:g}, {PERCENTILE:g} for percentiles: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
