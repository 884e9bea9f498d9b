"""Tests of rotate.py: what turns, what doesn't, and what is refused. No torch.

That the turned model says the same is Tests/ShellTests/SimilarityTests.swift's to show, and metrics.py's.
"""

import json
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Scripts/models"), str(ROOT / "Scripts")]

import rotate  # noqa: E402
from neighbours import checkpoint, elements  # noqa: E402
from neighbours.errors import NeighbourError  # noqa: E402


def values(file: checkpoint.Checkpoint, name: str) -> np.ndarray:
    return elements.to_f32(file.words(name), file.kind(name)).astype(np.float64)


class Rotation(unittest.TestCase):
    def test_what_reads_and_writes_the_stream_turns_and_nothing_else_changes(self):
        with checkpoint.Checkpoint(ROOT / "Checkpoints/pearl-base.h5") as source:
            turned = rotate.Rotated(source, seed=5)
            q = turned.q
            np.testing.assert_allclose(q.T @ q, np.eye(len(q)), atol=1e-12)
            new = {tensor.name: tensor.words.astype(np.float64) for tensor in turned.tensors()}
            self.assertEqual(set(new), set(source.names) | {"lm_head.weight"})
            self.assertFalse(turned.config["tie_word_embeddings"])
            embedding = values(source, "model.embed_tokens.weight")
            np.testing.assert_allclose(new["model.embed_tokens.weight"] @ new["model.embed_tokens.weight"].T,
                                       embedding @ embedding.T, atol=1e-4)
            layer = "model.layers.2"
            gain = values(source, f"{layer}.post_attention_layernorm.weight")
            up, down = (values(source, f"{layer}.mlp.{part}_proj.weight") for part in ("up", "down"))
            # What one layer's MLP writes is what another's reads, whatever the coordinates.
            np.testing.assert_allclose(new[f"{layer}.mlp.up_proj.weight"] @ new[f"{layer}.mlp.down_proj.weight"],
                                       up * gain @ down, atol=1e-4)
            np.testing.assert_array_equal(new[f"{layer}.input_layernorm.weight"], 1)
            head = embedding * values(source, "model.norm.weight")
            np.testing.assert_allclose(new["lm_head.weight"] @ new[f"{layer}.mlp.down_proj.weight"], head @ down,
                                       atol=1e-4)

    def test_the_same_seed_gives_the_same_file_and_another_does_not(self):
        self.assertTrue((rotate.rotation(8, 1) == rotate.rotation(8, 1)).all())
        self.assertFalse(np.allclose(rotate.rotation(8, 1), rotate.rotation(8, 2)))

    def test_other_architectures_are_refused_by_name(self):
        with checkpoint.Checkpoint(ROOT / "Tests/Fixtures/models/gpt2.h5") as source:
            with self.assertRaisesRegex(NeighbourError, "gpt2"):
                rotate.Rotated(source, seed=0)

    def test_unknown_tensors_are_refused_by_name(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "odd.h5"
            config = {"model_type": "llama", "hidden_size": 4}
            checkpoint.write(path, config=json.dumps(config).encode(), tokenizer={}, recipe={}, source="a test",
                             tensors=[checkpoint.Tensor("model.layers.0.odd.weight", "f32", np.ones((4, 4), "<f4"))])
            with checkpoint.Checkpoint(path) as source:
                with self.assertRaisesRegex(NeighbourError, "odd.weight"):
                    list(rotate.Rotated(source, seed=0).tensors())


if __name__ == "__main__":
    unittest.main()
