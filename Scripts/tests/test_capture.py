#!/usr/bin/env python3
"""What `capture --to` writes, read with h5py alone: rows, heads, attention patterns, and a capture that was killed.

Run: python Scripts/tests/test_capture.py, or with the rest: python -m unittest discover -s Scripts/tests. The binary
is .build/debug/nacre, or $NACRE_BINARY.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import h5py
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_terminal import BINARY, MODEL, ROOT


class CaptureFiles(unittest.TestCase):
    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory()
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.prompts = self.folder / "p.txt"

    def command(self, capture: str) -> list[str]:
        return [str(BINARY), "--no-init", str(MODEL), "-c", f"p = prompts {self.prompts}", "-c", capture]

    def run_nacre(self, capture: str) -> None:
        done = subprocess.run(self.command(capture), cwd=ROOT, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def write_prompts(self, count: int) -> None:
        self.prompts.write_text("".join(f"prompt {i} " + "ab c" * (i % 7) + "\n" for i in range(count)))

    def test_lines_that_were_left_out(self):
        self.prompts.write_text("one\n\ntwo\n \nthree\n")
        out = self.folder / "a.h5"
        self.run_nacre(f"capture resid_post[0] --prompts p --to {out}")
        with h5py.File(out) as file:
            recipe = json.loads(file["recipe.json"][:].tobytes())
        self.assertEqual(recipe["empty_lines"], [2, 4])

    def test_rows_heads_and_patterns(self):
        self.write_prompts(25)
        out = self.folder / "a.h5"
        self.run_nacre(
            f"capture attn.z[1] attn.z[1].h* attn.v[0].h0 attn.v[0] attn.pattern[*] attn.attn_scores[0].h1"
            f" --prompts p --at all --to {out} --section 4")
        with h5py.File(out) as file:
            sites = file["sites"]
            whole = sites["blocks.1.attn.hook_z"][:]
            heads = sorted(name for name in sites if name.startswith("blocks.1.attn.hook_z.h"))
            np.testing.assert_array_equal(np.hstack([sites[name][:] for name in heads]), whole)
            head = sites["blocks.0.attn.hook_v.h0"][:]
            np.testing.assert_array_equal(head, sites["blocks.0.attn.hook_v"][:, : head.shape[1]])
            offsets, tokens = file["patterns/offsets"][:], file["patterns/tokens"][:]
            self.assertEqual(len(tokens), 25)
            for prompt in range(25):
                span, n = slice(offsets[prompt], offsets[prompt + 1]), tokens[prompt]
                for layer in (0, 1):
                    pattern = file[f"patterns/blocks.{layer}.attn.hook_pattern"][:, span].reshape(-1, n, n)
                    np.testing.assert_allclose(pattern.sum(-1), 1, atol=1e-5)
                    self.assertFalse(np.triu(pattern, 1).any())
                pattern = file["patterns/blocks.0.attn.hook_pattern"][1, span].reshape(n, n)
                scores = file["patterns/blocks.0.attn.hook_attn_scores.h1"][:, span].reshape(n, n)
                self.assertTrue(np.isneginf(scores[np.triu_indices(n, 1)]).all())
                weights = np.exp(scores - scores.max(-1, keepdims=True))
                np.testing.assert_allclose(weights / weights.sum(-1, keepdims=True), pattern, atol=1e-5)

    def test_a_killed_capture_is_readable_so_far_and_ends_the_same(self):
        self.write_prompts(1500)
        out = self.folder / "a.h5"
        capture = f"capture resid_post[*] --prompts p --at all --to {out} --section 1"
        self.run_nacre(capture)
        whole = out.read_bytes()
        with h5py.File(out) as file:
            rows, site = file["rows/prompt"][:], file["sites/blocks.1.hook_resid_post"][:]
        out.unlink()
        process = subprocess.Popen(
            self.command(capture), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        journal = Path(f"{out}.partial/journal")
        end = time.monotonic() + 60
        while time.monotonic() < end and (not journal.exists() or journal.read_bytes().count(b"\n") < 100):
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertFalse(out.exists())
        done = journal.read_bytes().count(b"\n") - 1
        self.assertTrue(0 < done < 1500)
        with h5py.File(f"{out}.partial/unfinished.h5") as file:
            so_far = file["sites/blocks.1.hook_resid_post"][:]
            np.testing.assert_array_equal(so_far[rows < done], site[rows < done])
        self.run_nacre(capture)
        self.assertEqual(out.read_bytes(), whole)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.h5", "p.txt"])


if __name__ == "__main__":
    unittest.main()
