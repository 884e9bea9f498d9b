#!/usr/bin/env python3
"""How fast `compare A B weights` reads two large checkpoints: random bf16 weights in the shapes of llama-7b.

    Scripts/benchmarks/weights_speed.py [--layers N]

The two files are in Downloads, and are made if they are not there (N = 32: 13.5 GB each).

Measured, warm (both files in the page cache, where they fit) and cold (put out of it): seconds, bytes of both files a
second, seconds of processors (of which a machine that is busy with other things gives fewer), and the most anonymous
memory; beside them what reading alone gives: numpy through a map, and the disk, by reads that go past the page cache.
"""

import argparse
import json
import mmap
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from large import CONFIG, ROOT, Measured, read_rate, shapes  # noqa: E402
from neighbours import checkpoint  # noqa: E402
from neighbours.checkpoint import Tensor  # noqa: E402


def tensors(layers: int, seed: int):
    """Weights of standard deviation 0.02; every seed has others."""
    random = np.random.default_rng(seed)
    values = (0.02 * random.standard_normal(1 << 26, dtype=np.float32)).view(np.uint32)
    pool = (values + 0x8000 >> 16).astype(np.uint16)
    for name, shape in shapes():
        if name.startswith("model.layers.") and int(name.split(".")[2]) >= layers:
            continue
        count = int(np.prod(shape))
        start = int(random.integers(len(pool)))
        repeats = -(-(start + count) // len(pool))
        yield Tensor(name, "bf16", np.concatenate([pool] * repeats)[start:start + count].reshape(shape))


def make(path: Path, layers: int, seed: int) -> None:
    print(f"weights_speed: writing {path}", file=sys.stderr)
    path.parent.mkdir(exist_ok=True)
    checkpoint.write(
        path, config=json.dumps(CONFIG | {"num_hidden_layers": layers}).encode(), tensors=tensors(layers, seed),
        tokenizer={}, recipe={"made_by": "Scripts/benchmarks/weights_speed.py", "seed": seed},
        source="random weights in the shapes of llama-7b")


def forget(path: Path) -> None:
    """Put a file out of the page cache."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def disk_rate(path: Path) -> float:
    """Bytes a second of reads of 8 MiB that go past the page cache."""
    size = min(path.stat().st_size, 4 << 30) // (8 << 20) * (8 << 20)
    buffer = mmap.mmap(-1, 8 << 20)
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        start = time.perf_counter()
        for offset in range(0, size, 8 << 20):
            os.preadv(file, [buffer], offset)
        return size / (time.perf_counter() - start)
    finally:
        os.close(file)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--layers", type=int, default=9, help="layers of each file; 9 make 4.2 GB, 32 make 13.5 GB")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre")
    parser.add_argument("--folder", type=Path, default=ROOT / "Downloads")
    arguments = parser.parse_args()
    files = [arguments.folder / f"weights-{side}-{arguments.layers}.h5" for side in "ab"]
    for seed, path in enumerate(files):
        if not path.exists():
            make(path, arguments.layers, seed)
    size = sum(path.stat().st_size for path in files)

    def row(what: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run = Measured(arguments.nacre, *map(str, files), "-c", f"compare {files[0].stem} {files[1].stem} weights")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        print(f"| {what} | {run.seconds:.2f} | {size / run.seconds / 1e9:.2f} | {cpu:.2f} | {size / cpu / 1e9:.2f} "
              f"| {run.anonymous / 1e9:.3f} |", flush=True)
        return size / run.seconds

    for path in files:
        forget(path)
    disk = disk_rate(files[0])
    print(f"two files of {size / 2e9:.1f} GB; the disk, past the page cache: {disk / 1e9:.2f} GB/s\n")
    print("| compare weights | s | GB/s of both | processor s | GB a processor s | anonymous GB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for path in files:
        forget(path)
    cold = row("cold")
    for path in files:
        read_rate(path)
    for _ in range(3):
        row("warm")
    memory = [read_rate(path) for path in files]
    print(f"\nnumpy reads the files through a map, warm, at {min(memory) / 1e9:.2f} GB/s on one thread;"
          f" cold is {100 * cold / disk:.0f} % of the disk's rate")
    return 0


if __name__ == "__main__":
    sys.exit(main())
