"""The nacre checkpoint file, version 1: written whole or not at all, and read back with its digests checked.

Layout: root attributes `format`, `format_version`, `architecture`, `created_by`, `source`; `/config.json` and
`/recipe.json`; `/weights/NAME`, contiguous and little-endian, each with a `sha256` attribute; `/tokenizer/…`.
Texts are 1-D uint8 datasets. Every dataset starts on a 64-byte boundary.
"""

import contextlib
import hashlib
import json
import mmap
import os
import re
from pathlib import Path
from typing import Iterable, NamedTuple

import h5py
import numpy as np

from .elements import WORD
from .errors import NeighbourError, oneline, shown

CREATED_BY = "nacre convert.py 1"
TEXT_LIMIT = 256 << 20


class Tensor(NamedTuple):
    """A named tensor as raw words of its element type."""

    name: str
    kind: str
    words: np.ndarray


def bfloat16() -> h5py.h5t.TypeFloatID:
    """HDF5's own float type for bf16: 16 bits, sign 15, exponent 7..14 biased by 127, mantissa 0..6."""
    kind = h5py.h5t.IEEE_F32LE.copy()
    kind.set_fields(15, 7, 8, 0, 7)
    kind.set_size(2)
    kind.set_ebias(127)
    return kind


FILE_TYPE = {"f32": h5py.h5t.IEEE_F32LE, "f16": h5py.h5t.IEEE_F16LE, "bf16": bfloat16()}


def natural(name: str) -> list:
    """Sort key by which layer 2 comes before layer 10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"([0-9]+)", name)]


def create_contiguous(group: h5py.Group, name: str, words: np.ndarray, kind: h5py.h5t.TypeID) -> h5py.h5d.DatasetID:
    """Write an array as one contiguous dataset, words as they are."""
    words = np.require(words, requirements=["C", "A"])
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.CONTIGUOUS)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    plist.set_obj_track_times(False)  # the same input gives the same file
    dataset = h5py.h5d.create(group.id, name.encode(), kind, h5py.h5s.create_simple(words.shape), plist)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, words, mtype=kind)
    return dataset


def set_text(attributes: h5py.AttributeManager, name: str, text: str) -> None:
    """A fixed-length UTF-8 string attribute."""
    data = text.encode()
    attributes.create(name, data, dtype=h5py.string_dtype("utf-8", max(1, len(data))))


def new_file(path: Path) -> h5py.File:
    """An empty HDF5 file with nacre's settings; fails if there is one."""
    return h5py.File(path, "x", libver=("v108", "v108"), alignment_threshold=1, alignment_interval=64)


def check_name(name: str) -> None:
    """Refuse a tensor name that HDF5 would read as a path, or that no reader would accept."""
    if not name or name in (".", "..") or "/" in name or "\0" in name or len(name.encode()) > 1024:
        raise NeighbourError(f"tensor name '{shown(name)}' cannot be an HDF5 name")


@contextlib.contextmanager
def replacing(path: Path, overwrite: bool):
    """Yields a temporary name beside `path`; fsyncs and renames it to `path` on success, removes it on failure."""
    if os.path.lexists(path) and not overwrite:
        raise NeighbourError(f"{shown(path)} exists; give --overwrite to replace it")
    if not path.parent.is_dir():
        raise NeighbourError(f"{shown(path.parent)} is not a folder")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        if overwrite:
            os.replace(temporary, path)
        else:
            try:
                os.link(temporary, path)  # unlike a rename, never replaces what appeared meanwhile
            except FileExistsError:
                raise NeighbourError(f"{shown(path)} exists; give --overwrite to replace it") from None
            except OSError:
                os.rename(temporary, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def write(path: Path, *, config: bytes, tensors: Iterable[Tensor], tokenizer: dict[str, bytes], recipe: dict,
          source: str, overwrite: bool = False) -> int:
    """Write a checkpoint, one tensor at a time, and verify it before it gets its name. Returns the tensor count."""
    architecture = json.loads(config)["model_type"]
    digests: dict[str, str] = {}
    with replacing(path, overwrite) as temporary:
        with new_file(temporary) as file:
            set_text(file.attrs, "format", "nacre-checkpoint")
            file.attrs["format_version"] = np.int64(1)
            set_text(file.attrs, "architecture", architecture)
            set_text(file.attrs, "created_by", CREATED_BY)
            set_text(file.attrs, "source", source)
            weights = file.create_group("weights")
            for tensor in tensors:
                check_name(tensor.name)
                if tensor.name in digests:
                    raise NeighbourError(f"two tensors are named {shown(tensor.name)}")
                if not 1 <= tensor.words.ndim <= 8 or tensor.words.size == 0:
                    raise NeighbourError(
                        f"tensor {shown(tensor.name)} has shape {tensor.words.shape}; needed: 1 to 8 axes, none empty")
                words = np.require(tensor.words, WORD[tensor.kind], ["C", "A"])
                digest = hashlib.sha256(words.reshape(-1).view(np.uint8)).hexdigest()
                dataset = create_contiguous(weights, tensor.name, words, FILE_TYPE[tensor.kind])
                set_text(h5py.Dataset(dataset).attrs, "sha256", digest)
                digests[tensor.name] = digest
            if not digests:
                raise NeighbourError(f"{shown(source)} holds no tensors")
            put_text(file, "config.json", config)
            put_text(file, "recipe.json", json.dumps(recipe, ensure_ascii=False, indent=2).encode())
            if tokenizer:
                group = file.create_group("tokenizer")
                for name, text in tokenizer.items():
                    put_text(group, name, text)
        with Checkpoint(temporary) as written:
            if set(written.names) != set(digests):
                raise NeighbourError(f"verification of {shown(path)} failed: tensors are missing")
            for name, digest in digests.items():
                if written.verify(name) != digest:
                    raise NeighbourError(f"verification of {shown(path)} failed: {shown(name)} changed on its way")
    return len(digests)


def put_text(group: h5py.Group, name: str, text: bytes) -> None:
    """UTF-8 text as a 1-D uint8 dataset."""
    if text:
        create_contiguous(group, name, np.frombuffer(text, np.uint8), h5py.h5t.STD_U8LE)


class Checkpoint:
    """A checkpoint opened for reading. Only hard links in the file itself are followed, no external data."""

    def __init__(self, path: Path):
        self.path = Path(path)
        if not self.path.is_file():
            raise NeighbourError(f"{shown(path)}: no such file")
        try:
            self.file = h5py.File(self.path, "r")
        except OSError as error:
            raise NeighbourError(f"{shown(path)} is not an HDF5 file that can be read: {oneline(error)}") from None
        try:
            self._check()
        except Exception:
            self.file.close()
            raise

    def _check(self) -> None:
        kind = self.file.attrs.get("format")
        kind = kind.decode(errors="replace") if isinstance(kind, bytes) else kind
        if kind != "nacre-checkpoint":
            raise NeighbourError(f"{shown(self.path)} is not a nacre checkpoint (attribute format is {shown(kind)})")
        version = self.file.attrs.get("format_version")
        if version != 1:
            raise NeighbourError(f"{shown(self.path)} has format_version {shown(version)}; this reads version 1")
        weights = self._member(self.file, "weights", h5py.Group)
        self.names = sorted(weights, key=natural)
        self._weights = {name: self._member(weights, name, h5py.Dataset) for name in self.names}
        self._kinds = {name: self._kind(name, dataset) for name, dataset in self._weights.items()}
        with open(self.path, "rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def _member(self, group: h5py.Group, name: str, kind: type) -> h5py.Group | h5py.Dataset:
        link = group.get(name, getlink=True)
        if link is None:
            raise NeighbourError(f"{shown(self.path)} has no {shown(group.name.rstrip('/'))}/{shown(name)}")
        member = group[name] if isinstance(link, h5py.HardLink) else None
        if not isinstance(member, kind):
            raise NeighbourError(
                f"{shown(self.path)}: {shown(name)} is not a plain {kind.__name__.lower()} in the file")
        if isinstance(member, h5py.Dataset):
            plist = member.id.get_create_plist()
            if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count() > 0:
                raise NeighbourError(f"{shown(self.path)}: {shown(name)} keeps its data in another file")
        return member

    def _kind(self, name: str, dataset: h5py.Dataset) -> str:
        stored = dataset.id.get_type()
        for kind, wanted in FILE_TYPE.items():
            if stored == wanted:
                return kind
        raise NeighbourError(f"{shown(self.path)}: tensor {shown(name)} is not little-endian f32, f16 or bf16")

    def kind(self, name: str) -> str:
        """Element type of a tensor: f32, f16 or bf16."""
        return self._kinds[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor."""
        return self._weights[name].shape

    def words(self, name: str) -> np.ndarray:
        """A tensor's raw words: a view into the mapped file where its data lie in one piece."""
        dataset, dtype = self._weights[name], WORD[self._kinds[name]]
        offset = dataset.id.get_offset()
        if offset is not None:
            size = dataset.size * dtype.itemsize
            if offset + size > len(self._map):
                raise NeighbourError(f"{shown(self.path)} is cut short: {shown(name)} lies beyond its end")
            return np.frombuffer(self._map, dtype, dataset.size, offset).reshape(dataset.shape)
        words = np.empty(dataset.shape, dtype)
        dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, words, mtype=dataset.id.get_type())
        return words

    def verify(self, name: str) -> str:
        """Digest of a tensor's bytes; an error when it is not the stored one."""
        digest = hashlib.sha256(np.ascontiguousarray(self.words(name)).reshape(-1).view(np.uint8)).hexdigest()
        stored = self._weights[name].attrs.get("sha256")
        stored = stored.decode(errors="replace") if isinstance(stored, bytes) else stored
        if stored is not None and stored != digest:
            raise NeighbourError(f"{shown(self.path)}: tensor {shown(name)} does not match its sha256; it is damaged")
        return digest

    def text(self, path: str) -> bytes | None:
        """A text dataset's bytes, or None where there is none."""
        group: h5py.Group = self.file
        *parents, name = path.split("/")
        for parent in parents:
            if parent not in group:
                return None
            group = self._member(group, parent, h5py.Group)
        if name not in group:
            return None
        dataset = self._member(group, name, h5py.Dataset)
        if dataset.dtype != np.uint8 or dataset.ndim != 1 or dataset.size > TEXT_LIMIT:
            raise NeighbourError(f"{shown(self.path)}: {shown(path)} is not a text (1-D uint8, at most 256 MiB)")
        return dataset[:].tobytes()

    def __enter__(self) -> "Checkpoint":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
