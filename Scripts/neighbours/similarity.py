"""Similarities of paired rows and shapes of points, by their definitions, on numpy, scipy and scikit-learn (float64).

Rows that are compared are X [n, d] and Y [n, e].
"""

import numpy as np
import scipy.linalg
import scipy.spatial.distance
import scipy.stats
import sklearn.decomposition
import sklearn.neighbors

SHARE = 0.99


def centred(x: np.ndarray) -> np.ndarray:
    """Rows about their mean."""
    return x - x.mean(0)


def hsic(k: np.ndarray, l: np.ndarray) -> float:
    """Unbiased HSIC, equation 4 of Song et al. 2012: kernels with zeros on the diagonal."""
    n = len(k)
    k, l = k.copy(), l.copy()
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    one = np.ones(n)
    return float((np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
                  - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3)))


def cka(x: np.ndarray, y: np.ndarray) -> float:
    """Debiased linear CKA."""
    k, l = centred(x) @ centred(x).T, centred(y) @ centred(y).T
    return hsic(k, l) / float(np.sqrt(hsic(k, k) * hsic(l, l)))


def without_rogue(x: np.ndarray, count: int = 3) -> np.ndarray:
    """Rows without the coordinates of largest variance."""
    return np.delete(x, np.argsort(-x.var(0), kind="stable")[:count], 1)


def principal(x: np.ndarray, share: float = SHARE) -> np.ndarray:
    """Left singular vectors that hold a share of the variance, [n, k]."""
    u, s, _ = np.linalg.svd(centred(x), full_matrices=False)
    return u[:, :int(np.searchsorted(np.cumsum(s**2) / np.sum(s**2), share)) + 1]


def cca(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """SVCCA and PWCCA."""
    a, b, rows = principal(x), principal(y), centred(x)
    if b.shape[1] < a.shape[1]:
        a, b, rows = b, a, centred(y)
    w, rho, _ = np.linalg.svd(a.T @ b, full_matrices=False)
    weights = np.abs((a @ w).T @ rows).sum(1)
    return float(rho.mean()), float(weights @ rho / weights.sum())


def procrustes(x: np.ndarray, y: np.ndarray) -> float:
    """What the best rotation leaves of centred rows with Frobenius norm 1."""
    x, y = (centred(z) / np.linalg.norm(centred(z)) for z in (x, y))
    rotation, nuclear = scipy.linalg.orthogonal_procrustes(x, y)
    assert np.isclose(np.linalg.norm(x @ rotation - y)**2, 2 - 2 * nuclear, atol=1e-9)
    return float(2 - 2 * nuclear)


def rsa(x: np.ndarray, y: np.ndarray) -> float:
    """Spearman's correlation of correlation distances."""
    # To 2^-40: what is equal but for rounding is tied.
    distances = [np.round(scipy.spatial.distance.pdist(z, "correlation") * 2.0**40) for z in (x, y)]
    return float(scipy.stats.spearmanr(*distances).statistic)


def relative_distance(x: np.ndarray, y: np.ndarray) -> float:
    """|X - Y| / |X|."""
    return float(np.linalg.norm(x - y) / np.linalg.norm(x))


def cosine(x: np.ndarray, y: np.ndarray) -> float:
    """Mean cosine of paired rows."""
    return float(1 - np.mean([scipy.spatial.distance.cosine(a, b) for a, b in zip(x, y)]))


def participation_ratio(x: np.ndarray) -> float:
    """Debiased: unbiased estimates of (tr C)^2 and tr C^2, each a mean over four different points."""
    n, k = len(x), centred(x) @ centred(x).T
    trace, diagonal, square = np.trace(k), np.sum(np.diag(k)**2), np.sum(k**2)
    pairs = (n - 1) * (n - 2)
    return float((trace**2 - n * diagonal / (n - 2) + (2 * square - trace**2) / pairs)
                 / (square - n * diagonal / (n - 2) + trace**2 / pairs))


def two_nn(x: np.ndarray) -> float:
    """Slope of -ln(1 - i/n) on ln(r2 / r1), the largest tenth left out."""
    # A tree computes distances from differences; brute force, from products, loses digits.
    distances, _ = sklearn.neighbors.NearestNeighbors(n_neighbors=3, algorithm="ball_tree").fit(x).kneighbors(x)
    mu = np.sort(np.log(distances[:, 2] / distances[:, 1]))
    n, kept = len(x), int(len(x) * 0.9)
    target = -np.log1p(-np.arange(1, kept + 1) / n)
    return float(mu[:kept] @ target / (mu[:kept] @ mu[:kept]))


def dimensions_holding(x: np.ndarray, share: float) -> int:
    """The fewest principal components that hold a share of the variance."""
    ratios = sklearn.decomposition.PCA(svd_solver="full").fit(x).explained_variance_ratio_
    return int(np.searchsorted(np.cumsum(ratios), share)) + 1


def directions(x: np.ndarray, count: int) -> np.ndarray:
    """The first principal directions, [count, d]."""
    return sklearn.decomposition.PCA(count, svd_solver="full").fit(x).components_


def angles(x: np.ndarray, y: np.ndarray, count: int) -> np.ndarray:
    """Principal angles between the first principal subspaces in degrees, smallest first."""
    return np.degrees(scipy.linalg.subspace_angles(directions(x, count).T, directions(y, count).T))[::-1]


def containment(basis: np.ndarray, x: np.ndarray, count: int) -> float:
    """|V'U|^2 / k: V the first principal directions of x, U an orthonormal basis [k, d]."""
    return float(np.sum((directions(x, count) @ basis.T)**2) / len(basis))


def overlap(x: np.ndarray, y: np.ndarray, count: int) -> float:
    """Mean squared cosine of principal angles."""
    return float(np.mean(np.cos(np.radians(angles(x, y, count)))**2))
