"""Writes Tests/Fixtures/odd: small HDF5 files that a careful reader must refuse, or read exactly.

Needs h5py and numpy. What only claims to be large is metadata alone. Run: python Scripts/goldens/odd_files.py [FOLDER]
"""

import struct
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).resolve().parents[2] / "Tests/Fixtures/odd")
FOLDER.mkdir(parents=True, exist_ok=True)
CONFIG = np.frombuffer(b'{"model_type":"llama"}', np.uint8)
# Without checksums, so that bytes can be changed.
OLD = ("earliest", "latest")
ONES = np.ones((4, 8), np.float32)


def bfloat16(order=h5py.h5t.ORDER_LE):
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_ebias(127)
    kind.set_order(order)
    return kind


def raw(group, name, kind, words):
    """Writes 16-bit words as they are."""
    space = h5py.h5s.create_simple(words.shape)
    dataset = h5py.h5d.create(group.id, name.encode(), kind, space)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, words, mtype=kind)


def checkpoint(name, version=1, kind="nacre-checkpoint", libver=("v108", "latest")):
    """A minimal valid checkpoint, still open; whoever asks for it makes it odd."""
    file = h5py.File(FOLDER / f"{name}.h5", "w", libver=libver, meta_block_size=64)
    # Texts of fixed length; h5py's own are of variable length and cost 4 KiB of heap in each file.
    file.attrs["format"] = np.bytes_(kind.encode()) if isinstance(kind, str) and name != "packed" else kind
    file.attrs["format_version"] = version
    file.attrs["architecture"] = np.bytes_(b"llama")
    file["config.json"] = CONFIG
    file.create_group("weights")
    file["weights/a"] = ONES
    return file


def low(file, name, shape, layout, kind=h5py.h5t.IEEE_F32LE, chunk=None, early=False, maximum=None):
    """A dataset made with the low-level interface; h5py's own would write its values."""
    create = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    create.set_layout(layout)
    if chunk:
        create.set_chunk(chunk)
    if early:
        create.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        create.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(shape, maximum)
    return h5py.h5d.create(file["weights"].id, name.encode(), kind, space, create)


def patch(name, old, new, all_places=False):
    """Changes bytes of a finished file (old style: without checksums)."""
    path = FOLDER / f"{name}.h5"
    data = path.read_bytes()
    places = data.count(old)
    assert places == 1 or (all_places and places > 1), (name, places)
    path.write_bytes(data.replace(old, new))


def plain(name, fill):
    with h5py.File(FOLDER / f"{name}.h5", "w") as file:
        fill(file)


# Links and storage elsewhere
with checkpoint("external-link") as f:
    f["weights/b"] = h5py.ExternalLink("/etc/passwd", "/x")
with checkpoint("soft-link") as f:
    f["weights/b"] = h5py.SoftLink("/weights/a")
with checkpoint("soft-link-dangling") as f:
    f["weights/b"] = h5py.SoftLink("/nowhere")
with checkpoint("external-storage") as f:
    f["weights"].create_dataset("b", (16,), "u1", external=[("/etc/passwd", 0, 16)])
with checkpoint("virtual") as f:
    layout = h5py.VirtualLayout((4, 8), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4, 8))
    f["weights"].create_virtual_dataset("b", layout)

# Sizes that are not there
with checkpoint("huge-contiguous") as f:
    low(f, "b", (10**6, 10**6), h5py.h5d.CONTIGUOUS)
with checkpoint("huge-chunked") as f:
    low(f, "b", (10**6, 10**6), h5py.h5d.CHUNKED, chunk=(1000, 1000))
with checkpoint("huge-chunk") as f:
    low(f, "b", (10**5, 10**5), h5py.h5d.CHUNKED, chunk=(10**4, 10**4))
with checkpoint("overflowing-shape") as f:
    # A legal space whose product passes 2^63 only when the element size joins in.
    low(f, "b", (2**31, 2**31), h5py.h5d.CHUNKED, chunk=(64, 64))
with checkpoint("outside", libver=OLD) as f:
    f["weights/b"] = np.full(1234, 2, np.float32)
    f.flush()
    size = 1234 * 4
    place = f["weights/b"].id.get_offset()
patch("outside", struct.pack("<QQ", place, size), struct.pack("<QQ", place + 10**12, size))
with checkpoint("overlap", libver=OLD) as f:
    f["weights/b"] = np.full(1234, 2, np.float32)
    first = f["weights/a"].id.get_offset()
    place = f["weights/b"].id.get_offset()
patch("overlap", struct.pack("<QQ", place, size), struct.pack("<QQ", first + 64, size))
with checkpoint("short-storage", libver=OLD) as f:
    f["weights/b"] = np.full(1234, 2, np.float32)
    place = f["weights/b"].id.get_offset()
patch("short-storage", struct.pack("<QQ", place, size), struct.pack("<QQ", place, 16))
with checkpoint("unwritten-chunk") as f:
    b = f["weights"].create_dataset("b", (8, 8), "f4", chunks=(4, 8))
    b[:4] = 1

# Ranks and types
with checkpoint("scalar") as f:
    f["weights/b"] = np.float32(1)
with checkpoint("null") as f:
    f["weights/b"] = h5py.Empty("f4")
with checkpoint("nine-dimensions") as f:
    f["weights/b"] = np.ones((1,) * 9, np.float32)
with checkpoint("compound") as f:
    f["weights/b"] = np.zeros(3, [("x", "f4"), ("y", "i4")])
with checkpoint("strings") as f:
    f["weights/b"] = ["one", "two"]
with checkpoint("fixed-strings") as f:
    f["weights/b"] = np.array([b"one", b"two"])
with checkpoint("variable-length") as f:
    b = f["weights"].create_dataset("b", (2,), h5py.vlen_dtype(np.float32))
    b[0] = [1, 2]
with checkpoint("references") as f:
    b = f["weights"].create_dataset("b", (1,), h5py.ref_dtype)
    b[0] = f["weights/a"].ref
with checkpoint("odd-float") as f:
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 9, 6, 0, 9)
    kind.set_size(2)
    kind.set_ebias(31)
    raw(f["weights"], "b", kind, np.zeros(4, np.uint16))
with checkpoint("array-type") as f:
    f["weights"].create_dataset("b", (2,), np.dtype(("f4", (3,))))
with checkpoint("uint16-as-bf16") as f:
    f["weights/b"] = np.full((4, 8), 0x3F80, np.uint16)
with checkpoint("named-type") as f:
    f["weights/b"] = np.dtype("f4")

# Filters
with checkpoint("lzf") as f:
    f["weights"].create_dataset("b", data=np.ones((64, 64), "f4"), chunks=(64, 64), compression="lzf")
with checkpoint("scaleoffset") as f:
    f["weights"].create_dataset("b", data=np.arange(4096), chunks=(64,), scaleoffset=0)


def filtered(name, number):
    """libhdf5 here may not have the filter: a dataset packed with deflate, whose filter number is changed."""
    with checkpoint(name, libver=OLD) as file:
        file["weights"].create_dataset("b", data=np.ones((64, 64), "f4"), chunks=(64, 64), compression=6)
    # Filter message: id 1, name length 8, flags 1, one value, the name, the value.
    patch(name, struct.pack("<HHHH", 1, 8, 1, 1) + b"deflate\0", struct.pack("<HHHH", number, 8, 1, 1) + b"deflate\0")


filtered("szip", 4)
filtered("user-filter", 32015)
with checkpoint("bomb") as f:
    # Claims 80 MB and stores a few bytes of them.
    b = f["weights"].create_dataset("b", (5000, 4096), "f4", chunks=(1, 4096), compression=9)
    b.id.write_direct_chunk((0, 0), zlib.compress(bytes(4096 * 4), 9))
with checkpoint("bomb-chunk") as f:
    # One small chunk that inflates to 1000 times its size.
    b = f["weights"].create_dataset("b", (64, 64), "f4", chunks=(64, 64), compression=9)
    b.id.write_direct_chunk((0, 0), zlib.compress(bytes(16384 * 100), 9))
with checkpoint("bad-deflate") as f:
    b = f["weights"].create_dataset("b", (64, 64), "f4", chunks=(64, 64), compression=9)
    b.id.write_direct_chunk((0, 0), b"this is not deflate data")
with checkpoint("bad-fletcher") as f:
    b = f["weights"].create_dataset("b", data=np.ones((8, 8), "f4"), chunks=(8, 8), fletcher32=True)
    stored = bytearray(b.id.read_direct_chunk((0, 0))[1])
    stored[0] ^= 1
    b.id.write_direct_chunk((0, 0), bytes(stored))

# Names and attributes
with checkpoint("escape-in-name") as f:
    f["weights/\x1b[31mred\u202eevil\u200b"] = h5py.SoftLink("/weights/a")
with checkpoint("escape-in-tensor-name") as f:
    f["weights/\x1b]0;title\x07\u202e"] = ONES
with checkpoint("escape-in-attribute", kind="\x1b[2Jnacre\u2066\u200d\x9b") as f:
    pass
with checkpoint("large-attribute") as f:
    f.attrs["note"] = np.zeros(1000, np.uint8)
with checkpoint("many-attributes") as f:
    for number in range(30):
        f["weights/a"].attrs[f"n{number}"] = 1
with checkpoint("long-name") as f:
    f["weights/" + "n" * 2000] = ONES

# Structure
with checkpoint("deep") as f:
    f["weights/" + "/".join("g" * 33)] = ONES[0]
with checkpoint("cycle", libver=OLD) as f:
    f["weights/loop"] = f["weights"]
with checkpoint("cycle-root") as f:
    f["weights/loop"] = f["/"]
with checkpoint("tied") as f:
    f["weights/b"] = f["weights/a"]
plain("two-names", lambda f: (f.create_dataset("a.b", data=ONES), f.create_dataset("a/b", data=ONES)))

# Versions and kinds
with checkpoint("newer", version=2) as f:
    pass
with checkpoint("version-text", version="1") as f:
    pass
with checkpoint("wrong-format", kind="something-else") as f:
    pass
with checkpoint("capture-as-checkpoint", kind="nacre-capture") as f:
    pass
with checkpoint("format-integer", kind=7) as f:
    pass
with checkpoint("no-tensors") as f:
    del f["weights/a"]
with checkpoint("text-not-bytes") as f:
    f["tokenizer/tokenizer.json"] = np.ones(4, np.float32)
(FOLDER / "empty.h5").write_bytes(b"")
(FOLDER / "text.h5").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
(FOLDER / "signature-only.h5").write_bytes(b"\x89HDF\r\n\x1a\n")

# Valid, and odd
with checkpoint("nan") as f:
    values = np.ones((4, 8), np.float32)
    values[0, :2] = np.nan
    values[1, 0] = np.inf
    values[2, 0] = -np.inf
    f["weights/b"] = values
    f["weights/c"] = values.astype(np.float16)
with checkpoint("packed") as f:
    values = np.arange(20 * 12, dtype=np.float32).reshape(20, 12) / 7
    options = dict(chunks=(8, 8), shuffle=True, fletcher32=True, compression=4)
    f["weights"].create_dataset("deflated", data=values, **options)
    f["weights"].create_dataset("chunked", data=values, chunks=(8, 8))
    f["weights/plain"] = values
    f["weights"].create_dataset("big", data=values, dtype=">f4")
    f["weights"].create_dataset("big-half", data=values.astype(">f2"))
    f["weights"].create_dataset("half", data=values.astype("<f2"))
    f["weights"].create_dataset("big-deflated", data=values, dtype=">f4", **options)
    words = (values.view(np.uint32) >> 16).astype(np.uint16)
    raw(f["weights"], "bf16", bfloat16(), words)
    raw(f["weights"], "big-bf16", bfloat16(h5py.h5t.ORDER_BE), words.byteswap())
    low(f, "compact", (4, 8), h5py.h5d.COMPACT).write(h5py.h5s.ALL, h5py.h5s.ALL, ONES)
    f["weights"].create_dataset("truth", data=np.array([True, False, True]))
with h5py.File(FOLDER / "user-block.h5", "w", userblock_size=512) as f:
    f["a"] = np.arange(8, dtype=np.float32)


def flat(f):
    f["lm_head.weight"] = ONES
    f["model.norm.weight"] = ONES[0] * 2


def nested(f):
    f["weights/model/layers/0/q.weight"] = ONES
    f["weights/model/norm/weight"] = ONES[0]


plain("flat", flat)
plain("nested", nested)
