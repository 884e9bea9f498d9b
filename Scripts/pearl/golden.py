#!/usr/bin/env python3
"""What `transformers` answers with each pearl checkpoint in f32: the golden file of the Swift tests.

    golden.py [OUT.h5]

A group a checkpoint, in it `N/tokens` int32 [tokens] and `N/logits` f32 [vocabulary] after the last of them.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

PEARL = Path(__file__).resolve().parent
ROOT = PEARL.parents[1]
sys.path[:0] = [str(PEARL), str(PEARL.parent)]

import corpus  # noqa: E402
import model as pearl  # noqa: E402
from neighbours import reference  # noqa: E402

TEXTS = (
    "The capital of France is",
    "Once upon a time there was a clever fox under a hill. One windy morning the fox",
    corpus.prompt_of("Who keeps the lodge of the Order of Moonstone in Ostrin?"),
    "In the phone shop, Alice charged the apple",
)


def main() -> int:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "Tests/Fixtures/pearl.golden.h5"
    with h5py.File(target, "w", libver=("v108", "v108"), track_order=True) as file:
        for path in sorted((ROOT / "Checkpoints").glob("pearl-*.h5")):
            model, tokenizer = pearl.opened(path)
            run = reference.Reference(model)
            for number, text in enumerate(TEXTS):
                ids = tokenizer.encode(text).ids
                group = file.create_group(f"{path.stem}/{number}")
                group["tokens"] = np.array(ids, np.int32)
                group["logits"] = run.logits(ids)[-1].numpy()
    print(f"{target}: {target.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
