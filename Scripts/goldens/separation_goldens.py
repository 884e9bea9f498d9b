#!/usr/bin/env python3
"""Write Tests/Fixtures/geometry/separation.h5: what scikit-learn and numpy say of classes of points.

    .venv-estimators/bin/python Scripts/goldens/separation_goldens.py [FILE]

The environment is that of Scripts/estimators/golden.py. Points are rounded to float32; references are computed on float64
copies. Two runs write the same values.

Layout. `/sets/NAME` is a group for each set of points.

  points       float32 [N, D]
  labels       int32 [N]: classes from 0
  scalars      float64 [S]: a number for each name in the root's attribute `scalars`, in its order

  silhouette   sklearn.metrics.silhouette_score
  fisher       tr(Sb)/tr(Sw): Sb = sum n_c (m_c - m)(m_c - m)', Sw = sum (x - m_c)(x - m_c)'
  between      mean of sklearn.metrics.pairwise_distances over pairs of different classes
  within       the same over pairs of two rows of one class
  did          debiased participation ratio (`dimensionality`, 'row') of class 0 minus that of class 1, each about its mean,
               from their first min(n_0, n_1) rows
"""

import sys
from pathlib import Path

import h5py
import numpy as np
from dimensionality import participation_ratio
from sklearn.metrics import pairwise_distances, silhouette_score

OUTPUT = Path(__file__).resolve().parents[2] / "Tests/Fixtures/geometry/separation.h5"
NAMES = ["silhouette", "fisher", "between", "within", "did"]


def sets() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Points and labels by name."""
    draw = np.random.default_rng(7)
    made = {}
    labels = np.repeat([0, 1], [40, 30])
    points = draw.normal(size=(70, 12))
    points[labels == 1, 0] += 1.5
    made["apart"] = points, labels
    made["same"] = draw.normal(size=(60, 5)) + 100, np.repeat([0, 1], 30)
    labels = draw.permutation(np.repeat([0, 1, 2], [25, 20, 12]))
    made["three"] = draw.normal(size=(57, 8)) * (1 + labels[:, None]) + labels[:, None], labels
    return made


def scalars(points: np.ndarray, labels: np.ndarray) -> list[float]:
    """The references, in the order of NAMES."""
    classes = [points[labels == label] for label in np.unique(labels)]
    mean = points.mean(0)
    between = sum(len(x) * ((x.mean(0) - mean) ** 2).sum() for x in classes)
    within = sum(((x - x.mean(0)) ** 2).sum() for x in classes)
    distances = pairwise_distances(points)
    same = labels[:, None] == labels[None, :]
    apart = ~np.eye(len(points), dtype=bool)
    n = min(len(x) for x in classes[:2])
    ratios = [participation_ratio(x[:n] - x[:n].mean(0), return_all=True)["row"] for x in classes[:2]]
    return [silhouette_score(points, labels), between / within, distances[~same].mean(), distances[same & apart].mean(),
            ratios[0] - ratios[1]]


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    with h5py.File(path, "w", libver=("v108", "v108")) as file:
        file.attrs["scalars"] = " ".join(NAMES)
        for name, (points, labels) in sets().items():
            points = points.astype(np.float32)
            group = file.create_group(f"sets/{name}")
            group["points"] = points
            group["labels"] = labels.astype(np.int32)
            group["scalars"] = np.array(scalars(points.astype(np.float64), labels))


if __name__ == "__main__":
    main()
