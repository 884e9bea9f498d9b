#!/usr/bin/env python3
"""Reference values for `compare A B weights --svd`, from numpy in float64: Tests/Fixtures/weights.golden.json.

    Scripts/goldens/weights_goldens.py

Two pairs of checkpoints that are in the repository. Each figure is written down by its definition, without what nacre does
to be fast: whole matrices, `numpy.linalg.svd`.
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
# f32 beside bf16, and bf16 beside bf16.
PAIRS = [
    ("Tests/Fixtures/models/tiny-chat.h5", "Tests/Fixtures/models/tiny-near.h5"),
    ("Checkpoints/pearl-base.h5", "Checkpoints/pearl-tuned.h5"),
]
TOP = 4


def to_bf16(values: np.ndarray) -> np.ndarray:
    """Rounded to nearest, ties to even."""
    bits = values.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32).astype(np.float64)


def rounding(a: np.ndarray, b: np.ndarray) -> float:
    """The norm of what A loses in bf16, or, where it is bf16 already, what uniform errors of its last place would be."""
    if (to_bf16(a) != a).any():
        return np.sqrt(((to_bf16(a) - a) ** 2).sum())
    sizes = np.abs(a[a != 0])
    return np.sqrt(((2.0 ** (np.floor(np.log2(sizes)) - 7)) ** 2).sum() / 12)


def effective_rank(weights: np.ndarray) -> float:
    shares = weights[weights > 0] / weights.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def figures(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    change = b - a
    norm = np.sqrt((a * a).sum())
    return {
        "relative_change": float(np.sqrt((change * change).sum()) / norm),
        "relative_gap": float(np.abs(change).sum() / (np.abs(a).sum() + np.abs(b).sum())),
        "cosine": float((a * b).sum() / (norm * np.sqrt((b * b).sum()))),
        "changed": float((a != b).mean()),
        "largest_change": float(np.abs(change).max()),
        "rounding": float(rounding(a, b) / norm),
    }


def spectrum(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    values = np.linalg.svd(b - a, compute_uv=False)
    one, other = np.linalg.svd(a, full_matrices=False), np.linalg.svd(b, full_matrices=False)
    left = one[0][:, :TOP].T @ other[0][:, :TOP]
    right = one[2][:TOP] @ other[2][:TOP].T
    return {
        "largest_singular_value": float(values[0]), "stable_rank": float((values**2).sum() / values[0] ** 2),
        "effective_rank_sigma": effective_rank(values), "effective_rank_lambda": effective_rank(values**2),
        "left": float((left**2).sum() / TOP), "right": float((right**2).sum() / TOP),
    }


def main() -> int:
    found = []
    for first, second in PAIRS:
        with h5py.File(ROOT / first) as one, h5py.File(ROOT / second) as other:
            names = sorted(one["weights"])
            pairs = {name: tuple(np.asarray(file["weights"][name][()], np.float64) for file in (one, other))
                     for name in names}
        tensors = []
        for name, (a, b) in pairs.items():
            tensors.append({"name": name, "figures": figures(a, b) | (spectrum(a, b) if a.ndim == 2 else {})})
        whole = [np.concatenate([pair[side].ravel() for pair in pairs.values()]) for side in (0, 1)]
        found.append({"a": first, "b": second, "top": TOP, "total": figures(*whole), "tensors": tensors[:16]})
    path = ROOT / "Tests/Fixtures/weights.golden.json"
    path.write_text(json.dumps({"numpy": np.__version__, "pairs": found}, indent=1) + "\n")
    print(f"{path.relative_to(ROOT)}: {sum(len(pair['tensors']) for pair in found)} tensors")
    return 0


if __name__ == "__main__":
    sys.exit(main())
