#!/usr/bin/env python3
"""Print the numbers that Tests/GeometryTests/SimilarityTests.swift holds: scipy's and scikit-learn's, of small sets.

    similarity.py

The sets are whole-number formulas, so that the test makes the same ones. Needs Scripts/requirements-reference.txt.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from neighbours import similarity  # noqa: E402


def planted(rows: int, columns: int, step: int, share: int) -> np.ndarray:
    """[rows, columns]: a few directions that both sets have, and coordinates of their own."""
    i, j = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
    shared = ((i * i * 7 + i * 3) % 23 - 11) * (j % 3 + 1) + ((i * 5 + i * i) % 19 - 9) * ((j + 1) % 4)
    own = (i * i * step + i * j * 5 + j * j * 3 + i * (step + 2)) % 29 - 14
    return (shared * share + own * 8) / 32.0


def main() -> None:
    x, y, z = planted(60, 6, 11, 1), planted(60, 6, 13, 2), planted(60, 9, 17, 1)
    for name, a, b in (("same width", x, y), ("other width", x, z)):
        svcca, pwcca = similarity.cca(a, b)
        print(name, "cka", repr(similarity.cka(a, b)), "without rogue",
              repr(similarity.cka(similarity.without_rogue(a), similarity.without_rogue(b))), "svcca", repr(svcca),
              "pwcca", repr(pwcca), "rsa", repr(similarity.rsa(a, b)))
    print("procrustes", repr(similarity.procrustes(x, y)),
          "relative distance", repr(similarity.relative_distance(x, y)), "cosine", repr(similarity.cosine(x, y)))
    print("angles", similarity.angles(x, y, 3).tolist(), "overlap", repr(similarity.overlap(x, y, 3)))
    print("dimensions", [(repr(similarity.participation_ratio(a)), repr(similarity.two_nn(a)),
                          similarity.dimensions_holding(a, 0.9)) for a in (x, y)])


if __name__ == "__main__":
    main()
