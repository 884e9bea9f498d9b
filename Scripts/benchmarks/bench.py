#!/usr/bin/env python3
"""Times nacre beside torch and transformers: the same checkpoint and tokens, alternating, medians and ratios.

Run through Scripts/bench, which makes what it needs.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tokenizers
import torch
import transformers

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import convert  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


class Nacre:
    """A nacre session that is told one command after another; times are its own `timer`."""

    def __init__(self, binary: Path, checkpoint: Path, threads: int):
        self.process = subprocess.Popen(
            [binary, "--no-init", "--threads", str(threads), checkpoint], stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.seconds("timer on")

    def seconds(self, command: str) -> float:
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stderr.readline()
        match = re.match(r"wall (\S+) s", line)
        if not match:
            sys.exit(f"bench: nacre answered {line!r} to {command!r}")
        return float(match[1])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(body) -> float:
    start = time.perf_counter()
    body()
    return time.perf_counter() - start


def alone(ours, count: int) -> float:
    """The median; three runs come first and are not counted, as in `pairs`."""
    return statistics.median([ours() for _ in range(count + 3)][3:])


def pairs(ours, theirs, count: int) -> tuple[float, float, float, float, float]:
    """Medians of both, and the median, least and greatest of the ratios theirs / ours, over alternating pairs.

    Three runs of each come first and are not counted: nacre packs weights on the second use.
    """
    for _ in range(3):
        ours(), theirs()
    measured = [(ours(), theirs()) for _ in range(count)]
    ratios = [b / a for a, b in measured]
    return (statistics.median(a for a, _ in measured), statistics.median(b for _, b in measured),
            statistics.median(ratios), min(ratios), max(ratios))


def words(tokenizer: tokenizers.Tokenizer, count: int, seed: int) -> str:
    """A text of exactly `count` tokens, of whole words."""
    plain = [piece for piece in (tokenizer.decode([i]) for i in range(2000, 30000)) if re.fullmatch(r" [a-z]+", piece)]
    random = np.random.default_rng(seed)
    text = ""
    while len(tokenizer.encode(text, add_special_tokens=False).ids) < count:
        text += plain[random.integers(len(plain))]
        if len(tokenizer.encode(text, add_special_tokens=False).ids) > count:
            text = text[: text.rindex(" ")]
    return text


class Bench:
    """The rows of the table: each times both in alternating pairs and prints a line of markdown."""

    def __init__(self, arguments: argparse.Namespace, folder: Path):
        self.pairs, self.folder = arguments.pairs, folder
        hf = folder / "model"
        convert.main(["to-folder", str(arguments.checkpoint), str(hf)])
        rounded = folder / "rounded.h5"
        convert.main(["to-hdf5", str(hf), str(rounded), "--dtype", "bf16"])
        self.tokenizer = tokenizers.Tokenizer.from_file(str(hf / "tokenizer.json"))
        load = transformers.AutoModelForCausalLM.from_pretrained
        self.models = {"f32": load(hf, dtype=torch.float32).eval(), "bf16": load(hf, dtype=torch.bfloat16).eval()}
        files = {"f32": arguments.checkpoint, "bf16": rounded}
        self.sessions = {kind: Nacre(arguments.nacre, file, arguments.threads) for kind, file in files.items()}
        self.sessions["bf16"].seconds("set precision bf16")
        self.config = c = self.models["f32"].config
        self.layer = c.hidden_size * (c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim
        self.layer += c.num_attention_heads * c.head_dim * c.hidden_size + 3 * c.hidden_size * c.intermediate_size

    def limits(self) -> None:
        """The rates that torch reaches on this machine: what nothing can be faster than."""
        self.peaks = {}
        for kind, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16)):
            # Without AVX-512 torch multiplies bf16 several hundred times as slowly as f32: a small product says so.
            size = 2048 if dtype == torch.float32 or self.peaks_of(torch.bfloat16, 128) > 5e9 else 128
            self.peaks[kind] = self.peaks_of(dtype, size)
        big = torch.ones(1 << 28)
        self.bandwidth = big.numel() * 4 / min(timed(lambda: big.sum()) for _ in range(5))

    @staticmethod
    def peaks_of(dtype: torch.dtype, size: int) -> float:
        """Operations a second of torch's product of two square matrices."""
        a, b = torch.randn(size, size).to(dtype), torch.randn(size, size).to(dtype)
        return 2 * size**3 / min(timed(lambda: a @ b) for _ in range(7))

    def compares(self, kind: str) -> bool:
        """Whether torch's products of this kind are fast enough to be waited for."""
        return self.peaks[kind] > self.peaks["f32"] / 20

    def operations(self, lengths: list[int]) -> float:
        """Products of all layers, and causal attention."""
        c = self.config
        attention = sum(n * (n + 1) / 2 * 4 * c.num_attention_heads * c.head_dim for n in lengths)
        return c.num_hidden_layers * (2 * self.layer * sum(lengths) + attention)

    def row(self, what: str, kind: str, ours, theirs, rate=None, share=None) -> None:
        """One line; `rate` turns seconds into what is shown, `share` into a part of a limit."""
        show = rate or (lambda seconds: f"{seconds:.3f} s")
        if not self.compares(kind):
            a = alone(ours, self.pairs)
            products = f"not timed: {self.peaks[kind] * 1e-9:.1f} GFLOP/s"
            print(f"| {what} | {show(a)} | {products} | | {share(a) if share else ''} |", flush=True)
            return
        a, b, ratio, low, high = pairs(ours, theirs, self.pairs)
        print(f"| {what} | {show(a)} | {show(b)} | {ratio:.2f} ({low:.2f}, {high:.2f}) | {share(a) if share else ''} |",
              flush=True)

    def ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def forward(self, kind: str) -> None:
        text = words(self.tokenizer, 512, 0)
        ids = torch.tensor([self.ids(text)])
        # Rounded operands are multiplied in f32 where that is faster, so f32's rate is the limit of both.
        peak = max(self.peaks.values())
        self.row(f"forward 1 x 512, {kind}, every resid_post", kind,
                 lambda: self.sessions[kind].seconds(f"capture resid_post[*] --at all --text '{text}'"),
                 lambda: timed(lambda: self.models[kind].model(ids, output_hidden_states=True)),
                 share=lambda seconds: f"{self.operations([512]) / seconds / peak:.0%} of products")

    def prompts(self) -> None:
        lengths = [8 + i % 33 for i in range(64)]
        texts = [words(self.tokenizer, n, i + 1) for i, n in enumerate(lengths)]
        prompts = self.folder / "prompts.txt"
        prompts.write_text("\n".join(texts) + "\n")
        self.sessions["f32"].seconds(f"p = prompts '{prompts}'")
        padded = torch.zeros(64, max(lengths), dtype=torch.long)
        mask = torch.zeros_like(padded)
        for place, one in enumerate(texts):
            tokens = self.ids(one)
            padded[place, : len(tokens)] = torch.tensor(tokens)
            mask[place, : len(tokens)] = 1
        self.row("64 prompts of 8-40 tokens, f32", "f32",
                 lambda: self.sessions["f32"].seconds("capture resid_post[*] --at last --prompts p"),
                 lambda: timed(lambda: self.models["f32"].model(padded, attention_mask=mask, output_hidden_states=True)),
                 share=lambda seconds: f"{self.operations(lengths) / seconds / self.peaks['f32']:.0%} of products")

    def decode(self, kind: str, several: int = 1, new: int = 64) -> None:
        short = torch.tensor([self.ids(words(self.tokenizer, 512, 0))])[:, :16]
        start = self.tokenizer.decode(short[0].tolist())
        c = self.config
        size = (4 if kind == "f32" else 2) * (c.num_hidden_layers * self.layer + c.vocab_size * c.hidden_size)
        command, options = f"generate '{start}' --tokens {new} --ignore-end", {"do_sample": False}
        if several > 1:
            command += f" --top-p 0.9 --count {several}"
            options = {"do_sample": True, "top_k": 0, "top_p": 0.9}
        batch = short.repeat(several, 1)
        self.row(f"decode, {kind}, {new} tokens" + (f", {several} together, top-p" if several > 1 else ""), kind,
                 lambda: self.sessions[kind].seconds(command),
                 lambda: timed(lambda: self.models[kind].generate(
                     batch, attention_mask=torch.ones_like(batch), min_new_tokens=new, max_new_tokens=new,
                     pad_token_id=0, **options)),
                 rate=lambda seconds: f"{several * new / seconds:.1f} tokens/s",
                 share=lambda seconds: f"{size * new / seconds / self.bandwidth:.0%} of reading")

    def close(self) -> None:
        for session in self.sessions.values():
            session.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "Downloads/smollm2.h5")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--pairs", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)
    transformers.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(arguments, Path(folder))
        bench.limits()
        print(f"{arguments.threads} threads, torch {torch.__version__}, transformers {transformers.__version__}: "
              f"products in f32 {bench.peaks['f32'] * 1e-9:.0f}, in bf16 {bench.peaks['bf16'] * 1e-9:.0f} GFLOP/s, "
              f"reading {bench.bandwidth * 1e-9:.1f} GB/s\n")
        print("| what | nacre | torch | ratio (least, greatest) | of the limit |")
        print("| --- | ---: | ---: | ---: | ---: |")
        bench.forward("f32")
        bench.forward("bf16")
        bench.prompts()
        bench.decode("f32")
        bench.decode("bf16")
        bench.decode("f32", several=8)
        bench.close()


if __name__ == "__main__":
    main()
