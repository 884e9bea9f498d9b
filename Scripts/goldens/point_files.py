"""Writes Tests/Fixtures/points: the same small array in every form that numpy and h5py save it in, and a ball.

Needs h5py and numpy. Run: python Scripts/goldens/point_files.py [FOLDER]
"""

import sys
from pathlib import Path

import h5py
import numpy as np
from numpy.lib import format as npy

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "Tests/Fixtures/points")
FOLDER.mkdir(parents=True, exist_ok=True)
# Whole numbers that every type holds.
VALUES = np.arange(24).reshape(6, 4)
TYPES = ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def save(name, array, version=None):
    with open(FOLDER / f"{name}.npy", "wb") as file:
        npy.write_array(file, array, version=version, allow_pickle=False)


for kind in TYPES:
    save(kind, VALUES.astype(f"<{kind}"))
save("big-f8", VALUES.astype(">f8"))
save("fortran-f4", np.asfortranarray(VALUES.astype("<f4")))
save("fortran-f8", np.asfortranarray(VALUES.astype("<f8")))
save("version-2", VALUES.astype("<f4"), version=(2, 0))
save("version-3", VALUES.astype("<f4"), version=(3, 0))

with h5py.File(FOLDER / "arrays.h5", "w") as file:
    for kind in TYPES:
        file[f"types/{kind}"] = VALUES.astype(f"<{kind}")
    file["types/big-f8"] = VALUES.astype(">f8")
    file.create_dataset("packed", data=VALUES.astype("<f4"), chunks=(4, 3), shuffle=True, compression=6)
    file["vector"] = np.arange(5, dtype="<f4")
    file["cube"] = np.zeros((2, 3, 4), "<f4")
    file["none"] = np.zeros((0, 4), "<f4")
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_ebias(127)
    words = (VALUES.astype("<f4").view("<u4") >> 16).astype("<u2")
    bf16 = h5py.h5d.create(file.id, b"types/bf16", kind, h5py.h5s.create_simple(words.shape))
    bf16.write(h5py.h5s.ALL, h5py.h5s.ALL, words, mtype=kind)

# 400 points of a ball of 5 dimensions, turned and moved in 10: fits in a page of the documentation.
random = np.random.default_rng(0)
directions = random.standard_normal((400, 5))
radii = random.random((400, 1)) ** (1 / 5)
ball = radii * directions / np.linalg.norm(directions, axis=1, keepdims=True)
turned = ball @ np.linalg.qr(random.standard_normal((10, 10)))[0][:5] + random.standard_normal(10)
save("ball", turned.astype("<f4"))
