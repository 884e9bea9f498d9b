#!/usr/bin/env python3
"""nacre's similarities and shapes beside numpy, scipy and scikit-learn, on the activations that nacre captured.

    metrics.py [A.h5 B.h5] [--prompts FILE] [--limit N] [--sites EXPRESSION] [--nacre BINARY]

nacre writes both checkpoints' captures to files and prints what `compare A B activations`, `compare A B geometry` and
`contain` say; here each number is computed from the captures by its definition (neighbours/similarity.py). Prints a
table and exits 1 if one differs by more than 1e-6, relative (1e-12, absolute). Needs
Scripts/requirements-reference.txt.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, NamedTuple

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import seeded, similarity  # noqa: E402
from neighbours.errors import NeighbourError, shown  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
BAR = 1e-6
# Of numbers of size 1 whose difference nearly vanishes, as Procrustes' of a rotation, nothing but rounding is left.
ROUNDING = 1e-12


class Metric(NamedTuple):
    """A number of nacre's and the same number by its definition."""

    name: str
    ours: float | None
    theirs: Callable[[], float]


class Nacre:
    """The reports of one script of commands, in json, and the captures that it wrote."""

    def __init__(self, options: argparse.Namespace, folder: Path):
        if not options.nacre.is_file():
            raise NeighbourError(f"{shown(options.nacre)}: no such file; build it with: swift build -c release")
        self.folder, prompts = folder, shlex.quote(str(options.prompts))
        lines = [f"{name} = open {shlex.quote(str(path))}" for name, path in zip("ab", options.checkpoints)]
        lines += [f"p = prompts {prompts} --limit {options.limit}"]
        for name in "ab":
            lines += [f"use {name}", f"acts-{name} = capture {options.sites} --prompts p --at last --to "
                      + shlex.quote(str(folder / f"{name}.h5"))]
        lines += [f"r = load {shlex.quote(str(folder / 'r.h5'))}", "mode json",
                  f"compare a b activations --prompts p --sites {options.sites}",
                  f"compare a b geometry --prompts p --sites {options.sites}"]
        self.lines = lines
        self.binary = options.nacre

    def run(self, more: list[str]) -> list[dict]:
        """The reports after `mode json`."""
        with tempfile.NamedTemporaryFile("w", suffix=".nacre", encoding="utf-8") as script:
            script.write("\n".join(self.lines + more) + "\n")
            script.flush()
            result = subprocess.run([self.binary, "--no-init", "-f", script.name], capture_output=True, text=True,
                                    check=False)
        if result.returncode != 0:
            raise NeighbourError(f"nacre left with {result.returncode}: {shown(result.stderr.strip())}")
        decoder, reports, text = json.JSONDecoder(), [], result.stdout
        place = text.index("{\n")
        while place < len(text):
            report, place = decoder.raw_decode(text, place)
            reports.append(report)
            while place < len(text) and text[place].isspace():
                place += 1
        return reports

    def sites(self, name: str) -> dict[str, np.ndarray]:
        """A capture's rows by site, in float64."""
        with h5py.File(self.folder / f"{name}.h5") as file:
            return {site: rows[:].astype(np.float64) for site, rows in file["sites"].items()}


def rows(report: dict, table: str) -> list[dict]:
    """The rows of one of a report's tables."""
    return next((found["rows"] for found in report["tables"] if found["name"] == table), [])


def short(name: str) -> str:
    """`resid_post[3]` of `blocks.3.hook_resid_post`."""
    _, layer, kind = name.split(".", 2)
    return f"{kind.replace('hook_', '')}[{layer}]"


def similarities(report: dict, a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[Metric]:
    """What `compare A B activations` prints."""
    found = []
    for site in a:
        ours: dict = {}
        for table in report["tables"]:
            ours |= next((row for row in table["rows"] if row["site"] == short(site)), {})
        x, y = a[site], b[site]
        pairs: list[tuple[str, Callable[[], float]]] = [
            ("CKA", lambda x=x, y=y: similarity.cka(x, y)),
            ("CKA without rogue",
             lambda x=x, y=y: similarity.cka(similarity.without_rogue(x), similarity.without_rogue(y))),
            ("RSA", lambda x=x, y=y: similarity.rsa(x, y))]
        if ours.get("SVCCA") is not None:
            pairs += [("SVCCA", lambda x=x, y=y: similarity.cca(x, y)[0]),
                      ("PWCCA", lambda x=x, y=y: similarity.cca(x, y)[1])]
        if x.shape[1] == y.shape[1]:
            pairs += [("Procrustes", lambda x=x, y=y: similarity.procrustes(x, y)),
                      ("relative distance", lambda x=x, y=y: similarity.relative_distance(x, y)),
                      ("cosine", lambda x=x, y=y: similarity.cosine(x, y))]
        found += [Metric(f"{short(site)} {name}", ours.get(name), theirs) for name, theirs in pairs]
    return found


def distinct(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that are no repetition of an earlier one, in x or in y."""
    kept = sorted(set(np.unique(x, axis=0, return_index=True)[1]) & set(np.unique(y, axis=0, return_index=True)[1]))
    return x[kept], y[kept]


def shapes(report: dict, a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[Metric]:
    """What `compare A B geometry` prints."""
    found = []
    estimators = {"PR": similarity.participation_ratio, "TwoNN": similarity.two_nn,
                  "d90": lambda x: similarity.dimensions_holding(x, 0.9)}
    for site in a:
        x, y = distinct(a[site], b[site])
        for row in rows(report, "dimensions"):
            if row["site"] == short(site):
                for side, points in (("A", x), ("B", y)):
                    found.append(Metric(f"{short(site)} {row['estimator']} {side}", row[side],
                                        lambda points=points, row=row: estimators[row["estimator"]](points)))
        for row in rows(report, "principal subspaces"):
            if row["site"] == short(site):
                m = row["m"]
                found += [
                    Metric(f"{short(site)} m", m, lambda x=x: np.rint(similarity.participation_ratio(x))),
                    Metric(f"{short(site)} smallest angle", row["smallest angle"],
                           lambda x=x, y=y, m=m: similarity.angles(x, y, m)[0]),
                    Metric(f"{short(site)} largest angle", row["largest angle"],
                           lambda x=x, y=y, m=m: similarity.angles(x, y, m)[-1]),
                    Metric(f"{short(site)} overlap", row["overlap"],
                           lambda x=x, y=y, m=m: similarity.overlap(x, y, m))]
    return found


def containments(report: dict, points: np.ndarray, basis: np.ndarray) -> list[Metric]:
    """What `contain` prints. M is fitted to the half of the rows that the seed draws."""
    drawn = seeded.Seeded(0, 0xC1).sample(len(points) // 2, len(points))
    fitted, width = points[drawn], points.shape[1]
    sizes = {"d90": lambda: similarity.dimensions_holding(fitted, 0.9),
             "d99": lambda: similarity.dimensions_holding(fitted, 0.99),
             "PR": lambda: np.rint(similarity.participation_ratio(fitted))}
    found = []
    for row in rows(report, "containment"):
        m = row["m"]
        found += [Metric(f"contain {row['of']}", m, sizes[row["of"]]),
                  Metric(f"contain {row['of']} C", row["C"],
                         lambda m=m: similarity.containment(basis, fitted, m)),
                  Metric(f"contain {row['of']} random", row["random"], lambda m=m: m / width)]
    return found


def write_subspace(path: Path, vectors: np.ndarray) -> np.ndarray:
    """A subspace file of some vectors; returns their orthonormal basis in float64."""
    vectors = vectors.astype(np.float32)
    q, r = np.linalg.qr(vectors.astype(np.float64).T)
    basis = (q * np.sign(np.diag(r))).T
    with h5py.File(path, "w") as file:
        file.attrs["format"], file.attrs["format_version"], file.attrs["created_by"] = "nacre-subspace", 1, "metrics.py"
        file["basis"], file["vectors"] = basis.astype(np.float32), vectors
        file["recipe.json"] = np.frombuffer(b"{}", np.uint8)
    return basis


def table(metrics: list[Metric]) -> bool:
    """Print both numbers of each; whether all are within the bar."""
    met = True
    print("| metric | nacre | reference | relative difference |\n| --- | ---: | ---: | ---: |")
    for metric in metrics:
        theirs = float(metric.theirs())
        if metric.ours is None:
            print(f"| {metric.name} | - | {theirs:.9g} | missing |")
            met = False
            continue
        difference = abs(metric.ours - theirs) / max(abs(theirs), 1e-300) if metric.ours != theirs else 0.0
        held = difference <= BAR or abs(metric.ours - theirs) <= ROUNDING
        mark = "" if held else " **beyond the bar**"
        met = met and held
        print(f"| {metric.name} | {metric.ours:.9g} | {theirs:.9g} | {difference:.1e}{mark} |")
    return met


def main() -> int:
    parser = argparse.ArgumentParser(prog="metrics.py", description=__doc__.splitlines()[0])
    parser.add_argument("checkpoints", type=Path, nargs="*", metavar="FILE.h5")
    parser.add_argument("--prompts", type=Path, default=ROOT / "Scripts/prompts/open.txt")
    parser.add_argument("--limit", type=int, default=400, help="prompts, at most 1024")
    parser.add_argument("--sites", default="resid_post[*]")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre")
    options = parser.parse_args()
    if len(options.checkpoints) not in (0, 2):
        parser.error("give two checkpoints, or none")
    if not options.checkpoints:
        options.checkpoints = [ROOT / "Checkpoints/pearl-base.h5", ROOT / "Checkpoints/pearl-tuned.h5"]
    try:
        with tempfile.TemporaryDirectory(prefix="nacre-metrics-") as temporary:
            nacre = Nacre(options, Path(temporary))
            width = np.random.default_rng(1)
            with h5py.File(options.checkpoints[0]) as file:
                columns = json.loads(bytes(file["config.json"][:]))["hidden_size"]
            basis = write_subspace(Path(temporary) / "r.h5", width.standard_normal((3, columns)))
            found = nacre.run(["contain r acts-a" + f" --site {last_site(options.sites)}"])
            a, b = nacre.sites("a"), nacre.sites("b")
            metrics = similarities(found[0], a, b) + shapes(found[1], a, b)
            site = found[2]["title"].split(", ")[1].split(":")[0]
            met = table(metrics + containments(found[2], a[site], basis))
    except NeighbourError as error:
        print(f"metrics.py: {error}", file=sys.stderr)
        return 1
    print(f"\n{'all within' if met else 'not all within'} {BAR:g} relative")
    return 0 if met else 1


def last_site(expression: str) -> str:
    """One site of an expression with brackets: its last layer's."""
    return expression.split(",")[-1].split("[")[0] + "[-1]"


if __name__ == "__main__":
    sys.exit(main())
