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

import convert

ROOT = Path(__file__).resolve().parent.parent


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "Downloads/smollm2.h5")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.set_grad_enabled(False)

    with tempfile.TemporaryDirectory() as folder:
        hf = Path(folder) / "model"
        convert.main(["to-folder", str(arguments.checkpoint), str(hf)])
        model = transformers.AutoModelForCausalLM.from_pretrained(hf, dtype=torch.float32).eval()
        tokenizer = tokenizers.Tokenizer.from_file(str(hf / "tokenizer.json"))
        nacre = Nacre(arguments.nacre, arguments.checkpoint, arguments.threads)

        a, b = torch.randn(2048, 2048), torch.randn(2048, 2048)
        peak = 2 * 2048**3 / min(timed(lambda: a @ b) for _ in range(7))
        big = torch.ones(1 << 28)
        bandwidth = big.numel() * 4 / min(timed(lambda: big.sum()) for _ in range(5))
        del big
        print(f"{arguments.threads} threads, torch {torch.__version__}, transformers {transformers.__version__}: "
              f"sgemm {peak * 1e-9:.0f} GFLOP/s, read {bandwidth * 1e-9:.1f} GB/s\n")
        print("| what | nacre | torch | ratio (least, greatest) | of the limit |")
        print("| --- | ---: | ---: | ---: | ---: |")

        c = model.config
        layer = c.hidden_size * (c.num_attention_heads + 2 * c.num_key_value_heads) * c.head_dim
        layer += c.num_attention_heads * c.head_dim * c.hidden_size + 3 * c.hidden_size * c.intermediate_size

        def operations(lengths: list[int]) -> float:
            """Products of all layers, and causal attention."""
            attention = sum(n * (n + 1) / 2 * 4 * c.num_attention_heads * c.head_dim for n in lengths)
            return c.num_hidden_layers * (2 * layer * sum(lengths) + attention)

        text = words(tokenizer, 512, 0)
        ids = torch.tensor([tokenizer.encode(text, add_special_tokens=False).ids])
        ours, theirs, ratio, low, high = pairs(
            lambda: nacre.seconds(f"capture resid_post[*] --at all --text '{text}'"),
            lambda: timed(lambda: model.model(ids, output_hidden_states=True)), arguments.pairs)
        share = operations([512]) / ours / peak
        print(f"| forward 1 x 512, f32, every resid_post | {ours:.3f} s | {theirs:.3f} s | {ratio:.2f} ({low:.2f}, {high:.2f}) "
              f"| {share:.0%} of sgemm |", flush=True)

        lengths = [8 + i % 33 for i in range(64)]
        texts = [words(tokenizer, n, i + 1) for i, n in enumerate(lengths)]
        prompts = Path(folder) / "prompts.txt"
        prompts.write_text("\n".join(texts) + "\n")
        nacre.seconds(f"p = prompts '{prompts}'")
        padded = torch.zeros(64, max(lengths), dtype=torch.long)
        mask = torch.zeros_like(padded)
        for row, one in enumerate(texts):
            tokens = tokenizer.encode(one, add_special_tokens=False).ids
            padded[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        ours, theirs, ratio, low, high = pairs(
            lambda: nacre.seconds("capture resid_post[*] --at last --prompts p"),
            lambda: timed(lambda: model.model(padded, attention_mask=mask, output_hidden_states=True)),
            arguments.pairs)
        share = operations(lengths) / ours / peak
        print(f"| 64 prompts of 8-40 tokens, f32 | {ours:.3f} s | {theirs:.3f} s | {ratio:.2f} ({low:.2f}, {high:.2f}) "
              f"| {share:.0%} of sgemm |", flush=True)

        short = ids[:, :16]
        start = tokenizer.decode(short[0].tolist())
        new = 64
        ours, theirs, ratio, low, high = pairs(
            lambda: nacre.seconds(f"generate '{start}' --tokens {new} --ignore-end"),
            lambda: timed(lambda: model.generate(
                short, attention_mask=torch.ones_like(short), do_sample=False, min_new_tokens=new, max_new_tokens=new,
                pad_token_id=0)), arguments.pairs)
        size = 4 * (c.num_hidden_layers * layer + c.vocab_size * c.hidden_size)
        share = size * new / ours / bandwidth
        print(f"| decode, f32, {new} tokens | {new / ours:.1f} tokens/s | {new / theirs:.1f} tokens/s "
              f"| {ratio:.2f} ({low:.2f}, {high:.2f}) | {share:.0%} of read |")

        several = 8
        ours, theirs, ratio, low, high = pairs(
            lambda: nacre.seconds(f"generate '{start}' --tokens {new} --ignore-end --top-p 0.9 --count {several}"),
            lambda: timed(lambda: model.generate(
                short.repeat(several, 1), attention_mask=torch.ones(several, short.shape[1], dtype=torch.long),
                do_sample=True, top_k=0, top_p=0.9, min_new_tokens=new, max_new_tokens=new, pad_token_id=0)),
            arguments.pairs)
        print(f"| decode {several} together, top-p | {several * new / ours:.1f} tokens/s | {several * new / theirs:.1f} tokens/s "
              f"| {ratio:.2f} ({low:.2f}, {high:.2f}) | |")
        nacre.close()


if __name__ == "__main__":
    main()
