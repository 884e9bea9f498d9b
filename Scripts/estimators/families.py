"""Planted point sets of known dimension.

    families.py fit OUT --sets 400     # the families that nacre's combined estimate is fitted on
    families.py test OUT               # families that it is not fitted on, d = 10..400

Each set is a float32 .npy of [N, D]; OUT/manifest.json lists name, family, d, N, D, file. Everything is seeded: the same
command gives the same bits with the same numpy.

The fitted families: flat (Gaussian, uniform, skewed and heavy-tailed coordinates), spheres, power-law spectra, curved
images of flat sets (random smooth maps), products of circles and arcs, and all of those with a little isotropic noise.
The tested ones are made otherwise: graphs of quadratic and cubic forms, Clifford tori, cones, rotations' orbits, unions of
several such sets, power laws on curved sets, and noise with heavy tails.
"""

import argparse
import json
import pathlib

import numpy as np


def embed(x, width, rng):
    """A rigid embedding into `width` coordinates: zeros appended, then a random rotation where that is affordable."""
    n, d = x.shape
    if width <= d:
        return x
    q = np.linalg.qr(rng.standard_normal((width, d)))[0]
    return x @ q.T


def log_uniform(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


# What a set is drawn from before it is bent: [n, d].


def gaussian(n, d, rng):
    return rng.standard_normal((n, d))


def uniform(n, d, rng):
    return rng.uniform(-1, 1, (n, d)) * np.sqrt(3)


def skewed(n, d, rng):
    """Coordinates of uneven density: Beta, whose exponents are drawn for the set."""
    a, b = rng.uniform(0.5, 5, 2)
    x = rng.beta(a, b, (n, d))
    return (x - x.mean(0)) / x.std(0)


def heavy(n, d, rng):
    """Student's t, one scale a point or one a coordinate."""
    nu = rng.uniform(4, 12)
    if rng.random() < 0.5:
        return rng.standard_normal((n, d)) / np.sqrt(rng.chisquare(nu, (n, 1)) / nu)
    return rng.standard_t(nu, (n, d))


def anisotropic(n, d, rng):
    """Axes of different length: within a factor of up to 4."""
    return rng.standard_normal((n, d)) * np.exp(rng.uniform(0, np.log(4), d) * rng.uniform(0.2, 1))


def power_law(n, d, rng):
    """Variances i^-a, a in 0.2..1.2."""
    a = rng.uniform(0.2, 1.2)
    return rng.standard_normal((n, d)) * np.arange(1, d + 1) ** (-a / 2)


BASES = [gaussian, uniform, skewed, heavy, anisotropic, power_law]
WEIGHTS = [0.18, 0.22, 0.2, 0.14, 0.13, 0.13]


def sphere(n, d, rng):
    x = rng.standard_normal((n, d + 1))
    return x / np.linalg.norm(x, axis=1, keepdims=True) * np.sqrt(d)


# Maps that bend.


def random_network(x, width, rng):
    """A smooth map: x, then a hidden layer of tanh or sine, read out into `width` coordinates."""
    d = x.shape[1]
    hidden = int(min(4 * max(d, 4), 800))
    scale = log_uniform(rng, 0.15, 2.0)
    inner = x @ (rng.standard_normal((d, hidden)) * scale / np.sqrt(d)) + rng.uniform(-np.pi, np.pi, hidden)
    bent = np.tanh(inner) if rng.random() < 0.5 else np.sin(inner)
    bent = bent @ rng.standard_normal((hidden, width)) / np.sqrt(hidden)
    flat = embed(x, width, rng)
    share = rng.uniform(0.0, 1.0)
    return np.sqrt(share) * flat / flat.std() + np.sqrt(1 - share) * bent / bent.std()


def monotone(x, width, rng):
    """Each coordinate through a power or an exponential, so that density and scale differ from place to place."""
    power = rng.uniform(0.6, 3)
    bent = np.sign(x) * np.abs(x) ** power if rng.random() < 0.6 else np.exp(np.clip(x * rng.uniform(0.3, 1.2), -6, 6))
    return embed((bent - bent.mean(0)) / bent.std(), width, rng)


def phases(x, width, rng):
    """Amplitudes and phases that mix all coordinates, as of a few oscillators driven together."""
    d = x.shape[1]
    count = int(rng.integers(d, 3 * d + 1))
    phase = x @ (rng.standard_normal((d, count)) * log_uniform(rng, 0.2, 1.5) / np.sqrt(d))
    amplitude = 1 + rng.uniform(0, 0.9) * np.tanh(x @ rng.standard_normal((d, count)) / np.sqrt(d))
    return embed(np.concatenate([amplitude * np.cos(phase), amplitude * np.sin(phase)], 1), width, rng)


def folded(x, width, rng):
    """Each coordinate bent on its own by a few smooth waves, beside a share of itself."""
    turns = rng.uniform(0.3, log_uniform(rng, 0.5, 3), x.shape[1])
    share = rng.uniform(0.1, 1)
    shift = rng.uniform(0, 2 * np.pi, x.shape[1])
    return embed(np.concatenate([share * x, np.sin(turns * x + shift)], 1), width, rng)


def arcs(n, d, width, rng):
    """A product of arcs, spirals and circles, one a dimension."""
    columns = []
    for _ in range(d):
        t = rng.uniform(0, 1, n) ** rng.uniform(0.7, 1.5)
        turns = log_uniform(rng, 0.3, 8)
        growth = rng.uniform(0, 1) * (rng.random() < 0.4)
        angle = 2 * np.pi * turns * t
        radius = (1 + growth * angle) * rng.uniform(0.7, 1.4)
        columns += [radius * np.cos(angle), radius * np.sin(angle)]
        if rng.random() < 0.4:
            columns.append(t * rng.uniform(0.5, 8))
    x = np.stack(columns, 1)
    return embed(x, max(width, x.shape[1]), rng)


def swiss(n, d, width, rng):
    """A roll times a flat piece: only for d >= 2."""
    t = np.pi * (0.7 + log_uniform(rng, 0.8, 8) * rng.uniform(0, 1, n))
    x = np.concatenate(
        [np.stack([t * np.cos(t), t * np.sin(t)], 1), rng.uniform(0, 1, (n, d - 1)) * rng.uniform(5, 30)], 1)
    return embed(x, max(width, x.shape[1]), rng)


def fitted(n, rng):
    """One set of the families that are fitted on: (name, d, points)."""
    d = int(round(log_uniform(rng, 1, 450) if rng.random() < 0.6 else log_uniform(rng, 1, 30)))
    width = int(min(800, max(d + 1, round(d * log_uniform(rng, 1.05, 6)), 3)))
    kind = rng.random()
    base = BASES[rng.choice(len(BASES), p=WEIGHTS)]
    if kind < 0.28:
        name, x = base.__name__, embed(base(n, d, rng), width, rng)
    elif kind < 0.34:
        name, x = "sphere", embed(sphere(n, d, rng), width, rng)
    elif kind < 0.54:
        name, x = "network", random_network(base(n, d, rng), width, rng)
    elif kind < 0.66:
        name, x = "monotone", monotone(base(n, d, rng), width, rng)
    elif kind < 0.74:
        name, x = "phases", phases(base(n, d, rng), width, rng)
    elif kind < 0.82:
        name, x = "folded", folded(base(n, d, rng), width, rng)
    elif kind < 0.92:
        name, x = "arcs", arcs(n, d, width, rng)
    elif kind >= 0.92 and 2 <= d <= 60:
        name, x = "swiss", swiss(n, d, width, rng)
    else:
        name, x = "gaussian", embed(gaussian(n, d, rng), width, rng)
    if rng.random() < 0.2:
        # Share of the variance that noise has: up to 1 %.
        level = log_uniform(rng, 1e-5, 1e-2)
        x = x + rng.standard_normal(x.shape) * np.sqrt(level * x.var(0).sum() / x.shape[1])
        name += "+noise"
    return name, d, x


# Families that are not fitted on.


def quadratic_graph(x, width, rng):
    """(x, forms of second and third order in x): curvature that differs from point to point."""
    d = x.shape[1]
    more = max(1, min(width - d, 4 * d))
    a, b, c = (rng.standard_normal((d, more)) / np.sqrt(d) for _ in range(3))
    forms = (x @ a) * (x @ b) + 0.3 * (x @ c) ** 3
    return embed(np.concatenate([x, rng.uniform(0.2, 1) * forms / forms.std()], 1), width, rng)


def clifford(n, d, width, rng):
    """A product of d circles whose radii differ."""
    angle = rng.uniform(0, 2 * np.pi, (n, d))
    radius = rng.uniform(0.6, 1.6, d)
    return embed(np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], 1), max(width, 2 * d), rng)


def cone(n, d, width, rng):
    """Points of a sphere of d - 1 dimensions, at distances drawn as in a ball."""
    x = rng.standard_normal((n, d))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    radius = rng.uniform(0.2, 1, (n, 1)) ** (1 / min(d, 8))
    bent = np.concatenate([x * radius, radius ** 2, np.abs(x) ** 1.5 * radius], 1)
    return embed(bent, max(width, bent.shape[1]), rng)


def tested(family, n, d, rng):
    width = min(2 * d + 24, 1000)
    base = [gaussian, uniform][rng.integers(2)]
    if family == "curved-graph":
        return quadratic_graph(base(n, d, rng), width, rng)
    if family == "curved-torus":
        return clifford(n, d, width, rng)
    if family == "curved-cone":
        return cone(n, d, width, rng)
    if family == "mixture":
        parts, left = [], n
        count = int(rng.integers(2, 6))
        for index in range(count):
            size = left if index == count - 1 else n // count
            left -= size
            part = [lambda: embed(base(size, d, rng), width, rng), lambda: quadratic_graph(base(size, d, rng), width, rng),
                    lambda: clifford(size, d, width, rng)][rng.integers(3)]()
            part = part[:, :width] if part.shape[1] >= width else embed(part, width, rng)
            parts.append(part / part.std() * rng.uniform(0.7, 1.3) + rng.standard_normal(width) * rng.uniform(0.5, 3))
        columns = min(p.shape[1] for p in parts)
        return np.concatenate([p[:, :columns] for p in parts])
    if family == "power-law-flat":
        return embed(gaussian(n, d, rng) * np.arange(1, d + 1) ** (-rng.uniform(0.3, 1) / 2), width, rng)
    if family == "power-law-curved":
        return quadratic_graph(gaussian(n, d, rng) * np.arange(1, d + 1) ** (-rng.uniform(0.3, 0.8) / 2), width, rng)
    if family == "noisy-flat" or family == "noisy-torus":
        x = embed(base(n, d, rng), width, rng) if family == "noisy-flat" else clifford(n, d, width, rng)
        level = log_uniform(rng, 1e-4, 1e-2)
        return x + rng.standard_t(5, x.shape) * np.sqrt(level * x.var(0).sum() / x.shape[1] * 3 / 5)
    raise SystemExit(f"no family {family}")


TESTED = ["curved-graph", "curved-torus", "curved-cone", "mixture", "power-law-flat", "power-law-curved", "noisy-flat",
          "noisy-torus"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=["fit", "test"])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--sets", type=int, default=400)
    parser.add_argument("--points", type=int, nargs="+", default=[2500])
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    manifest = []

    def keep(name, family, d, x):
        file = f"{name}.npy"
        np.save(arguments.out / file, np.ascontiguousarray(x, dtype=np.float32))
        manifest.append({"name": name, "family": family, "d": d, "N": x.shape[0], "D": x.shape[1], "file": file})

    if arguments.which == "fit":
        for index in range(arguments.sets):
            rng = np.random.default_rng([arguments.seed, 1, index])
            n = arguments.points[index % len(arguments.points)]
            family, d, x = fitted(n, rng)
            keep(f"fit-{index:04d}", family, d, x)
    else:
        for family in TESTED:
            for d in (10, 20, 40, 70, 100, 200, 400):
                for repetition in range(3):
                    rng = np.random.default_rng([arguments.seed, 2, TESTED.index(family), d, repetition])
                    keep(f"{family}-{d}-{repetition}", family, d, tested(family, arguments.points[0], d, rng))
    (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1))
    print(f"{len(manifest)} sets in {arguments.out}, seed {arguments.seed}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
