#!/usr/bin/env python3
"""Time the dimension estimators of nacre beside skdim and DADApy, on the same .npy files.

    speed.py [--case NAME ...] [--pairs N] [--threads N] [--binary PATH] [--folder DIR]

  lpca-1000, lpca-4000   skdim lPCA(ver='FO').fit_pw(n_neighbors=100) on [N, 4096]. Of 4,000 points the patches of
                         SAMPLE centres are measured and scaled to all; the neighbour search is measured whole
  neighbours-20000       DADApy compute_id_2NN and return_id_scaling_gride(range_max=128) on [20000, 576], from one
                         distance computation with maxk=128, which is its quickest way

  search                 nacre's exact nearest neighbours of [20000, 576] beside the limit, numpy's f32 product (OpenBLAS)
                         of two matrices of 2,048 x 2,048: each pair of points costs 576 multiplications and additions

Peer and nacre alternate in one run, as the machine's speed drifts; the ratio is the median over pairs of peer / nacre.
Both read the file; nacre's time also holds the start of its process, the peer's does not hold Python's imports. Both
get --threads threads (default 1). skdim is given float32 points, on which it is quickest; DADApy converts to float64
itself.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

import dadapy
import skdim

ROOT = Path(__file__).resolve().parents[2]
NACRE = ROOT / ".build/release/nacre"
PATCH, SAMPLE = 100, 200

# What nacre is asked, once it has read the points.
COMMANDS = {
    "lpca": "manifold p --raw --estimator lPCA100",
    "neighbours": "manifold p --raw --estimator TwoNN,TwoNN-ML,GRIDE1,GRIDE2,GRIDE4,GRIDE8,GRIDE16,GRIDE32,GRIDE64",
}

# case -> (points, coordinates, which command of nacre, centres measured or None for all)
CASES = {
    "lpca-1000": (1000, 4096, "lpca", None),
    "lpca-4000": (4000, 4096, "lpca", SAMPLE),
    "neighbours-20000": (20000, 576, "neighbours", None),
}


def write(folder, count, ambient):
    """Seeded points with variances falling as 1/i, float32 [count, ambient]; a file that is there is kept."""
    path = folder / f"points-{count}-{ambient}.npy"
    if not path.exists():
        rng = np.random.default_rng(count + ambient)
        points = rng.standard_normal((count, ambient), dtype=np.float32)
        points /= np.sqrt(np.arange(1, ambient + 1, dtype=np.float32))
        np.save(path, points)
    return path


def timed(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def lpca(path, centres):
    """Seconds of skdim's local PCA, scaled to all points when only some centres are measured."""
    start = time.perf_counter()
    points = np.load(path)
    estimator = skdim.id.lPCA(ver="FO")
    if centres is None:
        estimator.fit_pw(points, n_neighbors=PATCH)
        return time.perf_counter() - start
    indices = NearestNeighbors(n_neighbors=PATCH).fit(points).kneighbors(return_distance=False)
    whole = time.perf_counter() - start
    some = np.random.default_rng(0).choice(len(points), centres, replace=False)
    patches = timed(lambda: estimator.fit_pw(points, precomputed_knn=indices[some], n_neighbors=PATCH))
    return whole + patches * len(points) / centres


def neighbours(path, threads):
    """Seconds of DADApy's TwoNN and GRIDE."""
    start = time.perf_counter()
    data = dadapy.Data(np.load(path), maxk=128, verbose=False, n_jobs=threads)
    data.compute_distances()
    data.compute_id_2NN()
    data.return_id_scaling_gride(range_max=128)
    return time.perf_counter() - start


def nacre(command, path, threads, binary=NACRE):
    """Seconds of a nacre process that runs one command on the points."""
    arguments = [binary, "--no-init", "--threads", str(threads), "-c", f"p = points '{path}'", "-c", command]
    start = time.perf_counter()
    result = subprocess.run(arguments, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    seconds = time.perf_counter() - start
    if result.returncode:
        sys.exit(f"{binary} -c {command!r} ended with {result.returncode}:\n{result.stderr.strip()}")
    return seconds


def measure(name, arguments, folder):
    count, ambient, kind, centres = CASES[name]
    path = write(folder, count, ambient)
    command = COMMANDS[kind]
    theirs, ours = [], []
    for _ in range(arguments.pairs):
        theirs.append(lpca(path, centres) if kind == "lpca" else neighbours(path, arguments.threads))
        ours.append(nacre(command, path, arguments.threads, arguments.binary))
    line = f"{name:18} [{count}, {ambient}]  peer {statistics.median(theirs):8.2f} s"
    ratios = [a / b for a, b in zip(theirs, ours)]
    line += (f"  nacre {statistics.median(ours):8.3f} s  peer / nacre {statistics.median(ratios):7.1f} "
             f"({min(ratios):.1f} to {max(ratios):.1f})")
    if centres:
        line += f"  (peer: {centres} of {count} patches, scaled)"
    print(line, flush=True)


def search(arguments, folder):
    """What of the product rate the neighbour search reaches; the file's reading and the process's start are taken off."""
    count, ambient = 20000, 576
    path = write(folder, count, ambient)
    a, b = np.random.default_rng(0).standard_normal((2, 2048, 2048), dtype=np.float32)
    rates, seconds = [], []
    for _ in range(arguments.pairs):
        timed(lambda: a @ b)
        rates.append(2 * 2048**3 / min(timed(lambda: a @ b) for _ in range(3)) / 1e9)
        start = nacre("show threads", path, arguments.threads, arguments.binary)
        seconds.append(
            nacre("manifold p --raw --estimator TwoNN", path, arguments.threads, arguments.binary) - start)
    rate = count * (count + 1) * ambient / statistics.median(seconds) / 1e9
    print(f"search             [{count}, {ambient}]  {statistics.median(seconds):.2f} s, {rate:.0f} GFLOP/s of "
          f"{statistics.median(rates):.0f} GFLOP/s of products: {100 * rate / statistics.median(rates):.0f} %", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", nargs="+", choices=[*CASES, "search"], default=[*CASES, "search"])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--binary", type=Path, default=NACRE)
    parser.add_argument("--folder", type=Path, help="keep the points here (default: a folder that is removed)")
    arguments = parser.parse_args()
    if not arguments.binary.exists():
        sys.exit(f"{arguments.binary} is missing; build it with: swift build -c release")
    warnings.simplefilter("ignore")
    print(f"{arguments.threads} threads each, {arguments.pairs} alternating pairs, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as temporary, threadpool_limits(arguments.threads):
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in arguments.case:
            search(arguments, folder) if name == "search" else measure(name, arguments, folder)


if __name__ == "__main__":
    main()
