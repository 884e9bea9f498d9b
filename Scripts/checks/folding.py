#!/usr/bin/env python3
"""A folded checkpoint in `transformers` (float32, CPU, eager attention), beside the original edited while it runs.

    folding.py ORIGINAL.h5 FOLDED.h5 [--directions K] [--bar 1e-4]

FOLDED is what `free = fold r` and `save free FOLDED.h5 --type f32` made of ORIGINAL. Both become folders by
Scripts/convert.py's way, which `transformers` loads. What was folded is read off the embeddings, independently of nacre:
W - W' = W R'R has R's span as its row space. The original then runs with h <- h - R'R h by hooks on every layer's
input, attention output and MLP output. Logits at all positions must agree within the bar, and greedy continuations be
the same; the edit itself must change the logits by more than 100 bars, or nothing was shown. A file whose weights were
rounded (saved without --type f32) needs a wider bar and --directions. Exits 1 if one of these is missed. Needs
Scripts/requirements-reference.txt.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import folder, reference  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402


def removed(original: torch.nn.Module, folded: torch.nn.Module, count: int | None) -> torch.Tensor:
    """An orthonormal basis [k, hidden], in float64, of what the embedding has lost."""
    before, after = (model.get_input_embeddings().weight.detach().double() for model in (original, folded))
    if before.shape != after.shape:
        raise NeighbourError("the two checkpoints have embeddings of different shapes")
    _, sizes, rows = torch.linalg.svd(before - after, full_matrices=False)
    if sizes[0] == 0:
        raise NeighbourError("the embeddings are the same: nothing was folded")
    count = count or int((sizes > 1e-4 * sizes[0]).sum())
    if count > len(sizes) // 2:
        raise NeighbourError(f"the embeddings differ in {count} directions; for rounded weights give --directions")
    return rows[:count]


def edits(run: reference.Reference, basis: torch.Tensor) -> dict[str, reference.Edit]:
    """The projection h - R'R h, in float64 and back, at all that enters the residual stream."""

    def project(h: torch.Tensor) -> torch.Tensor:
        wide = h.double()
        return (wide - wide @ basis.T @ basis).float()

    return {f"blocks.{layer}.{site}": project for layer in range(run.layers)
            for site in ("hook_resid_pre", "hook_attn_out", "hook_mlp_out")}


def compare(original: Path, folded: Path, count: int | None, bar: float) -> bool:
    """Prints what was found; whether everything is met."""
    with tempfile.TemporaryDirectory(prefix="nacre-folding-") as temporary:
        paths = [Path(temporary) / name for name in ("original", "folded")]
        for source, target in zip((original, folded), paths):
            folder.write_folder(source, target)
        before, after = (reference.Reference(reference.load(path)) for path in paths)
    basis = removed(before.model, after.model, count)
    edit = edits(before, basis)
    vocabulary = before.model.config.vocab_size
    generator = torch.Generator().manual_seed(0)
    apart = effect = 0.0
    same = total = 0
    for length in range(3, 23):
        tokens = torch.randint(vocabulary, (length,), generator=generator).tolist()
        wanted, found = before.logits(tokens, edit), after.logits(tokens)
        apart = max(apart, float((wanted - found).abs().max()))
        effect = max(effect, float((wanted - before.logits(tokens)).abs().max()))
        with before.edited(edit):
            expected = before.greedy(tokens, 8)[0]
        same += expected == after.greedy(tokens, 8)[0]
        total += 1
    tied = after.model.config.tie_word_embeddings
    print(f"{before.model.config.model_type}, {len(basis)} directions, {total} prompts of random tokens")
    print(f"folded beside edited: largest difference of a logit {apart:.1e} (bar {bar:g})")
    print(f"edited beside unedited: {effect:.3g}")
    print(f"greedy continuations of 8 tokens: {same} of {total} the same")
    print(f"tie_word_embeddings of the folded model: {tied}")
    return apart <= bar and effect > 100 * bar and same == total and not tied


def main() -> int:
    parser = argparse.ArgumentParser(prog="folding.py", description=__doc__.splitlines()[0])
    parser.add_argument("original", type=Path, metavar="ORIGINAL.h5")
    parser.add_argument("folded", type=Path, metavar="FOLDED.h5")
    parser.add_argument("--directions", type=int, metavar="K", help="how many were folded; otherwise counted")
    parser.add_argument("--bar", type=float, default=1e-4, help="largest difference of a logit that is met")
    options = parser.parse_args()
    reference.quiet()
    try:
        met = compare(options.original, options.folded, options.directions, options.bar)
    except NeighbourError as error:
        print(f"folding.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"folding.py: {shown(error)}", file=sys.stderr)
        return 2
    print("met" if met else "MISSED")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
