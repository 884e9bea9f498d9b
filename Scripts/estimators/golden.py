#!/usr/bin/env python3
"""Write Tests/Fixtures/geometry/estimators.h5: what the public estimators of dimension say of small point sets.

    python3 -m venv .venv-estimators
    .venv-estimators/bin/pip install -r Scripts/estimators/requirements.txt
    .venv-estimators/bin/python Scripts/estimators/golden.py [FILE]

The points are rounded to float32 and every reference is computed on float64 copies of the rounded points, so that a
reader of the file starts from the same numbers. Two runs write the same values.

Layout. `/sets/NAME` is a group for each point set; scalars are float64 attributes of that group, arrays are datasets.

  points                 float32 [N, D]
  kind (attribute)       flat | sphere | cube | curved | power | ball
  planted (attribute)    dimension the set was drawn from (power: its number of coordinates)

  Attributes, whole set:
  twonn_ols              skdim TwoNN(discard_fraction=0.1)
  twonn_ols_05           skdim TwoNN(discard_fraction=0.05)
  twonn_mle              skdim TwoNN(discard_fraction=0.1, method='mle'): the discarded ratios are censored
  twonn_dadapy_base      DADApy compute_id_2NN(mu_fraction=0.9, algorithm='base'); an iterated fit, good to 1e-8
  twonn_dadapy_ml        DADApy compute_id_2NN(mu_fraction=0.9, algorithm='ml')
  mle_20, mle_10         skdim MLE().fit(n_neighbors=k, comb='mle')
  mle_20_mean, mle_10_mean   the same with comb='mean'
  corrint                skdim CorrInt(k1=10, k2=20); the sets were chosen so that no pair lies at a radius
  lpca_RULE              skdim lPCA(ver=RULE).fit(points); RULE: FO, Fan, maxgap, ratio (alphaRatio 0.05, the default),
                         ratio_95 (ver='ratio', alphaRatio=0.95), participation_ratio, Kaiser, broken_stick
  lpca_maxgap_decided    1, or 0 where lpca_maxgap is an accident of rounding (see `decided`) and nothing to agree with
  pr_row                 dimensionality participation_ratio(points, return_all=True)['row']; it does not centre first,
                         so it is good to about 1e-8
  ess                    skdim ESS(random_state=0).fit_once(points): at most 5,000 pairs, drawn at random when N > 100
  ess_all, ess_all_skewness   the same over all pairs, and the skewness it was read off from
  ess_head               skdim ESS().fit_once(first min(N, 100) points): all pairs, nothing random
  pr, effective_rank_lambda, effective_rank_sigma, stable_rank, d90, d95, d99
                         numpy, from the eigenvalues of the centred covariance
  fci_ml                 full correlation integral (Erba, Gherardi, Rotondo 2019), maximum likelihood of the Beta law
  fci_moment             1 / mean cos^2
  fci_variance           1 / (mean cos^2 - (mean cos)^2)

  Datasets, whole set:
  gride, gride_error, gride_n1   float64 [scales]: DADApy return_id_scaling_gride(range_max=largest power of two
                         that is <= min(128, N - 1)); n2 = 2 n1
  mle_20_pointwise       float64 [N]: skdim MLE().dimension_pw_, k = 20

  Group `patches_K` for K = 20, and 50 where N > 50. A patch is a point's K nearest neighbours without the point:
  FO, Fan, maxgap, ratio, ratio_95, Kaiser, broken_stick   int8 [N]: skdim lPCA(ver=RULE).fit_pw(n_neighbors=K)
  maxgap_decided         int8 [N]: as lpca_maxgap_decided, for each patch
  participation_ratio    float64 [N], the same
  pr_row                 float64 [N]: dimensionality's 'row' of each patch
  ess                    float64 [N], K = 20 only: skdim ESS().fit_once(patch); all pairs, nothing random

  Group `knn` (two sets): indices int32 [N, 20], distances float64 [N, 20]; sklearn, the point itself excluded.

Attributes of the root: the version of each package.
"""

import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np
import scipy.optimize
import scipy.special
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import NearestNeighbors

import dadapy
import skdim
from dimensionality import participation_ratio

RULES = {
    "FO": {"ver": "FO"},
    "Fan": {"ver": "Fan"},
    "maxgap": {"ver": "maxgap"},
    "ratio": {"ver": "ratio"},
    "ratio_95": {"ver": "ratio", "alphaRatio": 0.95},
    "participation_ratio": {"ver": "participation_ratio"},
    "Kaiser": {"ver": "Kaiser"},
    "broken_stick": {"ver": "broken_stick"},
}

# kind, N, D, planted dimension
SETS = [
    ("flat", 60, 3, 2), ("flat", 120, 10, 4), ("flat", 200, 20, 8), ("flat", 300, 40, 20), ("flat", 400, 12, 12),
    ("flat", 60, 100, 30), ("sphere", 80, 5, 3), ("sphere", 150, 12, 6), ("sphere", 250, 25, 12),
    ("sphere", 400, 40, 30), ("sphere", 64, 96, 40), ("sphere", 200, 4, 2), ("cube", 70, 4, 2), ("cube", 140, 8, 5),
    ("cube", 220, 18, 9), ("cube", 320, 30, 25), ("cube", 400, 3, 3), ("cube", 100, 40, 15), ("curved", 90, 3, 1),
    ("curved", 160, 6, 2), ("curved", 240, 16, 4), ("curved", 360, 32, 8), ("curved", 400, 9, 3),
    ("curved", 70, 128, 10), ("power", 100, 6, 6), ("power", 180, 15, 15), ("power", 260, 24, 24),
    ("power", 340, 36, 36), ("power", 400, 40, 40), ("power", 66, 90, 90),
]


def draw(kind, count, ambient, dimension, seed):
    """float32 [count, ambient]: `count` points of a set of the given kind, in a random orientation."""
    rng = np.random.default_rng(seed)
    if kind == "flat":
        points = rng.standard_normal((count, dimension))
    elif kind == "sphere":
        points = rng.standard_normal((count, dimension + 1))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    elif kind == "cube":
        points = rng.uniform(-1, 1, (count, dimension))
    elif kind == "curved":
        u = rng.uniform(-1, 1, (count, dimension))
        waves = rng.standard_normal((dimension, ambient)) * 1.5
        points = np.sin(u @ waves + rng.uniform(0, 2 * np.pi, ambient))
    else:
        points = rng.standard_normal((count, dimension)) / np.sqrt(np.arange(1, dimension + 1))
    rotation, _ = np.linalg.qr(rng.standard_normal((ambient, ambient)))
    points = points @ rotation[: points.shape[1]]
    return (points + rng.standard_normal(ambient)).astype(np.float32)


def neighbours(points, k):
    """Distances [N, k] and indices [N, k] of the k nearest neighbours, the point itself excluded."""
    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors()


def pair_at_radius(points, k1=10, k2=20):
    """Whether some pair lies at one of CorrInt's radii, where its strict `<` is decided by rounding."""
    distances, _ = neighbours(points, k2)
    pairs = pairwise_distances(points)
    return any(np.min(np.abs(pairs / r - 1)) < 1e-9 for r in np.median(distances[:, [k1 - 1, k2 - 1]], axis=0))


class AllPairsESS(skdim.id.ESS):
    """ESS of version a, d = 1, over all pairs instead of 5,000 drawn ones; the inversion is the package's own."""

    def _computeEss(self, X, verbose=False):
        vectors = self._vecToCs_onedir(X, 1)
        i, j = np.triu_indices(len(vectors), 1)
        gram = vectors @ vectors.T
        square = np.diag(gram)
        determinant = square[i] * square[j] - gram[i, j] ** 2
        return np.sqrt(np.abs(determinant)).sum() / np.sqrt(square[i] * square[j]).sum()


def fci(points):
    """Maximum likelihood, moment and variance forms of the full-correlation-integral dimension.

    Centred points of unit norm that fill m linear dimensions isotropically have cosines with
    (1 + cos) / 2 ~ Beta((m - 1) / 2, (m - 1) / 2), so mean cos = 0 and mean cos^2 = 1 / m (Erba et al. 2019).
    """
    centred = points - points.mean(axis=0)
    norms = np.linalg.norm(centred, axis=1)
    unit = centred[norms > 0] / norms[norms > 0, None]
    cosines = (unit @ unit.T)[np.triu_indices(len(unit), 1)]
    square = np.mean(cosines**2)
    t = (1 + cosines) / 2
    t = t[(t > 0) & (t < 1)]
    mean = np.mean(np.log(t) + np.log1p(-t))
    psi = scipy.special.digamma
    a = scipy.optimize.brentq(lambda a: 2 * psi(a) - 2 * psi(2 * a) - mean, 1e-6, 1e6, xtol=1e-13, rtol=1e-14)
    return {"fci_ml": 2 * a + 1, "fci_moment": 1 / square, "fci_variance": 1 / (square - np.mean(cosines) ** 2)}


def linear(points):
    """Dimensions of the covariance spectrum."""
    sigma = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    eigenvalues = sigma**2
    entropy = lambda w: np.exp(-np.sum(w[w > 0] / w.sum() * np.log(w[w > 0] / w.sum())))
    share = np.cumsum(eigenvalues) / eigenvalues.sum()
    return {
        "pr": eigenvalues.sum() ** 2 / np.sum(eigenvalues**2),
        "effective_rank_lambda": entropy(eigenvalues),
        "effective_rank_sigma": entropy(sigma),
        "stable_rank": eigenvalues.sum() / eigenvalues[0],
        "d90": np.argmax(share >= 0.90) + 1,
        "d95": np.argmax(share >= 0.95) + 1,
        "d99": np.argmax(share >= 0.99) + 1,
    }


def whole(points):
    """Every scalar of a point set, and the arrays that go with the whole set."""
    twonn = lambda **options: skdim.id.TwoNN(**options).fit(points).dimension_
    dada = lambda algorithm: dadapy.Data(points.copy(), verbose=False, n_jobs=1).compute_id_2NN(
        mu_fraction=0.9, algorithm=algorithm)[0]
    scalars = {
        "twonn_ols": twonn(discard_fraction=0.1),
        "twonn_ols_05": twonn(discard_fraction=0.05),
        "twonn_mle": twonn(discard_fraction=0.1, method="mle"),
        "twonn_dadapy_base": dada("base"),
        "twonn_dadapy_ml": dada("ml"),
        "corrint": skdim.id.CorrInt().fit(points).dimension_,
        "pr_row": participation_ratio(points, return_all=True)["row"],
        "ess": skdim.id.ESS(random_state=0).fit_once(points).dimension_,
        "ess_head": skdim.id.ESS().fit_once(points[:100]).dimension_,
    }
    for k in (10, 20):
        for comb, key in (("mle", f"mle_{k}"), ("mean", f"mle_{k}_mean")):
            mle = skdim.id.MLE().fit(points, n_neighbors=k, comb=comb)
            scalars[key] = mle.dimension_
    everything = AllPairsESS().fit_once(points)
    scalars |= {"ess_all": everything.dimension_, "ess_all_skewness": everything.essval_}
    scalars |= {f"lpca_{rule}": skdim.id.lPCA(**options).fit(points).dimension_ for rule, options in RULES.items()}
    scalars["lpca_maxgap_decided"] = decided([points], [scalars["lpca_maxgap"]])[0]
    scalars |= linear(points) | fci(points)

    largest = 2 ** int(np.log2(min(128, len(points) - 1)))
    gride, error, n2 = dadapy.Data(points.copy(), verbose=False, n_jobs=1).return_id_scaling_gride(
        range_max=largest, return_ranks=True)
    arrays = {"gride": gride, "gride_error": error, "gride_n1": n2 / 2, "mle_20_pointwise": mle.dimension_pw_}
    return scalars, arrays


def decided(rows, answers):
    """Whether maxgap's answer for each patch is that of its spectrum floored at 1e-12 of the largest eigenvalue.

    Where it is not (flat sets, whose further eigenvalues are rounding), the answer is made of rounding errors.
    """
    same = []
    for points, answer in zip(rows, answers):
        spectrum = skdim.id.lPCA().fit(points).explained_var_
        spectrum = np.maximum(spectrum, 1e-12 * spectrum[0])
        same.append(np.argmax(spectrum[:-1] / spectrum[1:]) + 1 == answer)
    return np.array(same, dtype=np.int8)


def patches(points, k):
    """The rules of local PCA, the debiased participation ratio and ESS of every patch of k neighbours."""
    arrays = {}
    for rule, options in RULES.items():
        values = skdim.id.lPCA(**options).fit_pw(points, n_neighbors=k).dimension_pw_
        arrays[rule] = values if rule == "participation_ratio" else values.astype(np.int8)
    _, indices = neighbours(points, k)
    arrays["maxgap_decided"] = decided([points[row] for row in indices], arrays["maxgap"])
    arrays["pr_row"] = np.array([participation_ratio(points[row], return_all=True)["row"] for row in indices])
    if k == 20:
        arrays["ess"] = np.array([skdim.id.ESS().fit_once(points[row]).dimension_ for row in indices])
    return arrays


def write(sets, name, kind, planted, stored, knn=False):
    group = sets.create_group(name)
    group["points"] = stored
    group.attrs["kind"], group.attrs["planted"] = kind, float(planted)
    points = stored.astype(np.float64)
    scalars, arrays = whole(points)
    for key, value in scalars.items():
        group.attrs[key] = float(value)
    for key, value in arrays.items():
        group[key] = value
    for k in (20, 50):
        if len(points) > k:
            for key, value in patches(points, k).items():
                group[f"patches_{k}/{key}"] = value
    if knn:
        distances, indices = neighbours(points, 20)
        group["knn/distances"], group["knn/indices"] = distances, indices.astype(np.int32)
    print(f"{name:12} {str(points.shape):10} planted {planted:3}  TwoNN {scalars['twonn_ols']:7.3f}  "
          f"GRIDE {arrays['gride'][0]:7.3f}  FCI {scalars['fci_ml']:7.3f}  ESS {scalars['ess_all']:7.3f}  "
          f"PR {scalars['pr_row']:7.3f}", flush=True)


def main():
    root = Path(__file__).resolve().parents[2]
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else root / "Tests/Fixtures/geometry/estimators.h5"
    path.parent.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    with h5py.File(path, "w", libver=("v108", "v108")) as file:
        for package in ("scikit-dimension", "dadapy", "dimensionality", "numpy", "scipy", "scikit-learn"):
            file.attrs[package] = version(package)
        sets = file.create_group("sets")
        ball = skdim.datasets.hyperBall(n=30, d=5, random_state=0)
        write(sets, "ball", "ball", 5, np.hstack([ball, np.zeros((30, 5))]).astype(np.float32), knn=True)
        for index, (kind, count, ambient, dimension) in enumerate(SETS):
            seed = 1000 * (index + 1)
            while pair_at_radius((points := draw(kind, count, ambient, dimension, seed)).astype(np.float64)):
                seed += 1
            write(sets, f"{kind}_{index:02}", kind, dimension, points, knn=index == 10)
    print(f"{path}: {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
