#!/usr/bin/env python3
"""A checkpoint larger than what nacre may keep in memory: random bf16 weights in the shapes of llama-7b (13.5 GB).

    Scripts/benchmarks/large.py [FILE]          make it (default Downloads/large.h5) if it is not there, and measure
    Scripts/benchmarks/large.py --check [FILE]  the same, and leave with 1 if a bar is missed

Measured: time to open and list; `next` on one prompt; a capture of every residual stream of 64 prompts to a file.
Beside each: peak anonymous memory (what is not the file's pages), and the bytes of weights read a second against what
the page cache gives. The weights are random, so the tokens that it says mean nothing; the work is that of the real one.
"""

import argparse
import json
import mmap
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours import checkpoint  # noqa: E402
from neighbours.checkpoint import Tensor  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 3 << 30
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": 32000,
    "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "hidden_act": "silu", "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2,
}


def shapes():
    """Names and shapes of all tensors, in the order of the layers."""
    hidden, inner, vocabulary = CONFIG["hidden_size"], CONFIG["intermediate_size"], CONFIG["vocab_size"]
    yield "model.embed_tokens.weight", (vocabulary, hidden)
    for layer in range(CONFIG["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        yield f"{at}.input_layernorm.weight", (hidden,)
        for name in "qkvo":
            yield f"{at}.self_attn.{name}_proj.weight", (hidden, hidden)
        yield f"{at}.post_attention_layernorm.weight", (hidden,)
        for name, shape in (("gate", (inner, hidden)), ("up", (inner, hidden)), ("down", (hidden, inner))):
            yield f"{at}.mlp.{name}_proj.weight", shape
    yield "model.norm.weight", (hidden,)
    yield "lm_head.weight", (vocabulary, hidden)


def tensors():
    """Weights of standard deviation 0.02 from one pool of random numbers, each tensor from another place of it."""
    random = np.random.default_rng(0)
    values = (0.02 * random.standard_normal(1 << 26, dtype=np.float32)).view(np.uint32)
    pool = (values + 0x8000 >> 16).astype(np.uint16)
    for name, shape in shapes():
        if len(shape) == 1:
            yield Tensor(name, "bf16", np.full(shape, 0x3F80, np.uint16))
            continue
        count = int(np.prod(shape))
        start = int(random.integers(len(pool)))
        repeats = -(-(start + count) // len(pool))
        yield Tensor(name, "bf16", np.concatenate([pool] * repeats)[start:start + count].reshape(shape))


def make(path: Path, tokenizer: Path) -> None:
    """Write the checkpoint, with the tokenizer of another whose common words have small ids."""
    print(f"large: writing {path} (13.5 GB)", file=sys.stderr)
    path.parent.mkdir(exist_ok=True)
    with checkpoint.Checkpoint(tokenizer) as source:
        names = ("tokenizer.json", "tokenizer_config.json")
        texts = {name: text for name in names if (text := source.text(f"tokenizer/{name}"))}
    checkpoint.write(
        path, config=json.dumps(CONFIG).encode(), tensors=tensors(), tokenizer=texts,
        recipe={"made_by": "Scripts/benchmarks/large.py", "seed": 0}, source="random weights in the shapes of llama-7b")


class Measured:
    """A run of nacre: how long it took, and the most anonymous memory it had."""

    def __init__(self, nacre: Path, *arguments: str):
        self.anonymous = 0
        start = time.perf_counter()
        process = subprocess.Popen([nacre, "--no-init", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True, stdin=subprocess.DEVNULL)
        watcher = threading.Thread(target=self.watch, args=(process,))
        watcher.start()
        self.output, errors = process.communicate()
        rates = re.findall(r"([0-9.]+) GFLOP/s", errors)
        self.products = rates[-1] if rates else ""
        self.seconds = time.perf_counter() - start
        watcher.join()
        if process.returncode != 0:
            sys.exit(f"large: nacre left with {process.returncode}: {errors.strip()}")

    def watch(self, process: subprocess.Popen) -> None:
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return
            for line in status.splitlines():
                if line.startswith("RssAnon:"):
                    self.anonymous = max(self.anonymous, int(line.split()[1]) * 1024)
            time.sleep(0.01)


def read_rate(path: Path) -> float:
    """Bytes a second at which the file is read through a map, as nacre reads it; what is cached comes from memory."""
    size = min(path.stat().st_size, 4 << 30)
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, prot=mmap.PROT_READ) as mapped:
        words = np.frombuffer(mapped, np.uint64)
        start = time.perf_counter()
        words.max()
        rate = size / (time.perf_counter() - start)
        del words
    return rate


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=ROOT / "Downloads/large.h5")
    parser.add_argument("--check", action="store_true", help="leave with 1 if a bar is missed")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre")
    parser.add_argument("--tokenizer", type=Path, default=ROOT / "Downloads/smollm2.h5",
                        help="a checkpoint whose tokenizer it gets")
    arguments = parser.parse_args()
    if not arguments.file.exists():
        make(arguments.file, arguments.tokenizer)
    weights = sum(2 * int(np.prod(shape)) for _, shape in shapes())
    missed = 0

    def row(what: str, run: Measured, sweeps: float, limit: float | None = None) -> None:
        nonlocal missed
        isMissed = run.anonymous > LIMIT or (limit is not None and run.seconds > limit)
        missed += isMissed
        rate = f"{sweeps * weights / run.seconds / 1e9:.2f}" if sweeps else ""
        print(f"| {what} | {run.seconds:.2f} | {run.anonymous / 1e9:.2f} | {rate} | {run.products} "
              f"| {'MISSED' if isMissed else ''} |", flush=True)

    rates = [read_rate(arguments.file) for _ in range(2)]
    print(f"{arguments.file.stat().st_size / 1e9:.1f} GB; read through a map, first and second time: "
          f"{rates[0] / 1e9:.2f} and {rates[1] / 1e9:.2f} GB/s\n")
    print("| what | s | anonymous GB | weights GB/s | GFLOP/s | |\n| --- | ---: | ---: | ---: | ---: | --- |")
    path = str(arguments.file)
    for _ in range(2):
        row("open, list all tensors", Measured(arguments.nacre, path, "-c", "tensors"), 0, 0.3)
    for what in ("next, one prompt of 5 tokens", "the same again"):
        row(what, Measured(arguments.nacre, path, "-c", "timer on", "-c", 'next "The sea is calm and"'), 1)
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder) / "prompts.txt"
        prompts.write_text("".join(f"The sea is calm and shell number {i} is on the sand.\n" for i in range(64)))
        run = Measured(arguments.nacre, path, "-c", "timer on", "-c", f"p = prompts '{prompts}'", "-c",
                       f"capture resid_post[*] --prompts p --to '{folder}/acts.h5'")
        row("capture of every resid_post, 64 prompts of about 14 tokens, to a file", run, 1)
    return 1 if arguments.check and missed else 0


if __name__ == "__main__":
    sys.exit(main())
