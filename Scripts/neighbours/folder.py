"""Hugging Face folders: configuration, tokenizer files and safetensors, read and written one tensor at a time.

Tensor bytes are taken from the file by the offsets in its header, because the numpy side of the safetensors library
has no bfloat16; the library still checks every file that is read or written here.
"""

import json
import mmap
import os
import shutil
import struct
from pathlib import Path
from typing import Iterator

import numpy as np
import safetensors

from .checkpoint import Checkpoint, Tensor, natural
from .elements import SAFETENSORS, TO_SAFETENSORS, WORD
from .errors import NeighbourError, oneline, shown

HEADER_LIMIT = 100_000_000
SHARD_BYTES = 4_000_000_000


def load_json(data: bytes, what: object) -> dict:
    """A JSON object without repeated keys, or an error that names the file."""

    def unique(pairs: list) -> dict:
        seen = dict(pairs)
        if len(seen) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise NeighbourError(f"{shown(what)} names '{shown(twice)}' twice")
        return seen

    try:
        value = json.loads(data, object_pairs_hook=unique)
    except (ValueError, RecursionError) as error:
        raise NeighbourError(f"{shown(what)} is not JSON: {oneline(error)}") from None
    if not isinstance(value, dict):
        raise NeighbourError(f"{shown(what)} is not a JSON object")
    return value


class SafetensorsFile:
    """One mapped safetensors file: names, element types, shapes and raw words."""

    def __init__(self, path: Path):
        self.path = path
        try:
            with safetensors.safe_open(str(path), framework="numpy"):
                pass  # the library checks that sizes and offsets agree
            with open(path, "rb") as file:
                (length,) = struct.unpack("<Q", file.read(8))
                if length > HEADER_LIMIT:
                    raise NeighbourError(f"{shown(path)}: header of {length} bytes is too long")
                header = load_json(file.read(length), path)
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError, struct.error, safetensors.SafetensorError) as error:
            raise NeighbourError(
                f"{shown(path)} is not a safetensors file that can be read: {oneline(error)}") from None
        self._data = 8 + length
        header.pop("__metadata__", None)
        self.entries = header

    def tensor(self, name: str) -> Tensor:
        """A tensor as a view into the file."""
        entry = self.entries[name]
        kind = SAFETENSORS.get(entry["dtype"])
        if kind is None:
            raise NeighbourError(
                f"{shown(self.path.name)}: tensor {shown(name)} has dtype {shown(entry['dtype'])}; "
                "a checkpoint holds F32, F16 and BF16")
        begin, end = entry["data_offsets"]
        count = int(np.prod(entry["shape"], dtype=object)) if entry["shape"] else 1
        if end - begin != count * WORD[kind].itemsize or self._data + end > len(self._map):
            raise NeighbourError(f"{shown(self.path)}: tensor {shown(name)} has the wrong length")
        words = np.frombuffer(self._map, WORD[kind], count, self._data + begin)
        return Tensor(name, kind, words.reshape(entry["shape"]))


class FolderSource:
    """A Hugging Face folder to convert."""

    def __init__(self, path: Path):
        self.path = path
        config = path / "config.json"
        if not config.is_file():
            raise NeighbourError(f"{shown(path)} has no config.json")
        self.config = config.read_bytes()
        model_type = load_json(self.config, config).get("model_type")
        if not isinstance(model_type, str) or not model_type:
            raise NeighbourError(f"{shown(config)} has no model_type")
        self.files = self._weight_files()
        self.inputs = [config] + list(self.files)
        self.tokenizer = self._tokenizer()

    def _weight_files(self) -> dict[Path, list[str] | None]:
        """Weight files, with the tensors expected in each where an index says so."""
        index, single = self.path / "model.safetensors.index.json", self.path / "model.safetensors"
        if index.is_file() and single.is_file():
            raise NeighbourError(
                f"{shown(self.path)} has both {single.name} and {index.name}; move away the one that is not meant")
        if index.is_file():
            weight_map = load_json(index.read_bytes(), index).get("weight_map")
            if not isinstance(weight_map, dict):
                raise NeighbourError(f"{shown(index)} has no weight_map")
            files: dict[Path, list[str]] = {}
            for name, file in weight_map.items():
                if not isinstance(file, str) or Path(file).name != file:
                    raise NeighbourError(f"{shown(index)}: '{shown(file)}' is not the name of a file in the folder")
                files.setdefault(self.path / file, []).append(name)
            return files
        if single.is_file():
            return {single: None}
        others = sorted(self.path.glob("*.safetensors"))
        if len(others) == 1:
            return {others[0]: None}
        if others:
            raise NeighbourError(f"{shown(self.path)} has {len(others)} safetensors files and no index")
        if any(self.path.glob("*.bin")) or any(self.path.glob("*.pt*")):
            raise NeighbourError(f"{shown(self.path)} has only pickled weights, which are not read; save safetensors")
        raise NeighbourError(f"{shown(self.path)} has no safetensors file")

    def _tokenizer(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        path = self.path / "tokenizer.json"
        if not path.is_file():
            return files
        files["tokenizer.json"] = path.read_bytes()
        load_json(files["tokenizer.json"], path)
        self.inputs.append(path)
        path = self.path / "tokenizer_config.json"
        text = path.read_bytes() if path.is_file() else b"{}"
        config = load_json(text, path)
        added = False
        if path.is_file():
            self.inputs.append(path)
        template = self.path / "chat_template.jinja"
        if template.is_file():  # newer folders keep it apart; it wins there too
            self.inputs.append(template)
            try:
                chat = template.read_text("utf-8")
            except UnicodeDecodeError:
                raise NeighbourError(f"{shown(template)} is not UTF-8") from None
            added = config.get("chat_template") != chat
            config["chat_template"] = chat
        special = self.path / "special_tokens_map.json"
        if special.is_file():
            self.inputs.append(special)
            for key, value in load_json(special.read_bytes(), special).items():
                if key in ("bos_token", "eos_token", "unk_token", "pad_token") and config.get(key) is None:
                    config[key], added = value, True
        files["tokenizer_config.json"] = (
            json.dumps(config, ensure_ascii=False, indent=2).encode() if added or not path.is_file() else text)
        return files

    def tensors(self) -> Iterator[Tensor]:
        """Every tensor in layer order, one at a time."""
        where: dict[str, SafetensorsFile] = {}
        for path, expected in self.files.items():
            if not path.is_file():
                raise NeighbourError(f"{shown(path)}: no such file, though the index names it")
            file = SafetensorsFile(path)
            for name in expected or ():
                if name not in file.entries:
                    raise NeighbourError(f"{shown(path)} lacks tensor {shown(name)}, though the index places it there")
            for name in file.entries:
                if name in where:
                    raise NeighbourError(
                        f"two tensors are named {shown(name)}: in {shown(where[name].path.name)} "
                        f"and {shown(path.name)}")
                where[name] = file
        for name in sorted(where, key=natural):
            yield where[name].tensor(name)


def write_safetensors(path: Path, checkpoint: Checkpoint, names: list[str]) -> None:
    """Some of a checkpoint's tensors as one safetensors file, each checked against its digest as it is copied."""
    header: dict[str, dict] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name in names:
        kind, shape = checkpoint.kind(name), checkpoint.shape(name)
        size = int(np.prod(shape)) * WORD[kind].itemsize
        header[name] = {"dtype": TO_SAFETENSORS[kind], "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "xb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            checkpoint.verify(name)
            file.write(np.ascontiguousarray(checkpoint.words(name)).reshape(-1).view(np.uint8))
        file.flush()
        os.fsync(file.fileno())
    with safetensors.safe_open(str(path), framework="numpy") as written:
        if set(written.keys()) != set(names):
            raise NeighbourError(f"verification of {shown(path)} failed")


def write_folder(source: Path, target: Path, overwrite: bool = False, shard_bytes: int = SHARD_BYTES) -> int:
    """A checkpoint as a folder that `transformers` loads. Returns the number of weight files."""
    if os.path.lexists(target) and not overwrite:
        raise NeighbourError(f"{shown(target)} exists; give --overwrite to replace it")
    if target.exists() and not target.is_dir():
        raise NeighbourError(f"{shown(target)} is not a folder")
    if target.exists() and any(target.iterdir()) and not (target / "config.json").is_file():
        raise NeighbourError(f"{shown(target)} holds something other than a model; it is left alone")
    if not target.parent.is_dir():
        raise NeighbourError(f"{shown(target.parent)} is not a folder")
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    replaced = target.with_name(f".{target.name}.{os.getpid()}.old")
    with Checkpoint(source) as checkpoint:
        config = checkpoint.text("config.json")
        if config is None:
            raise NeighbourError(f"{shown(source)} has no config.json")
        shards: list[list[str]] = [[]]
        filled = total = 0
        for name in checkpoint.names:
            size = int(np.prod(checkpoint.shape(name))) * WORD[checkpoint.kind(name)].itemsize
            if shards[-1] and filled + size > shard_bytes:
                shards.append([])
                filled = 0
            shards[-1].append(name)
            filled += size
            total += size
        temporary.mkdir()
        try:
            (temporary / "config.json").write_bytes(config)
            for name in ("tokenizer.json", "tokenizer_config.json"):
                if (text := checkpoint.text(f"tokenizer/{name}")) is not None:
                    (temporary / name).write_bytes(text)
            weight_map = {}
            for number, names in enumerate(shards, 1):
                file = "model.safetensors" if len(shards) == 1 else f"model-{number:05}-of-{len(shards):05}.safetensors"
                write_safetensors(temporary / file, checkpoint, names)
                weight_map |= {name: file for name in names}
            if len(shards) > 1:
                index = {"metadata": {"total_size": total}, "weight_map": weight_map}
                (temporary / "model.safetensors.index.json").write_text(json.dumps(index, indent=2))
            if target.exists():
                target.rename(replaced)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
            if replaced.exists() and target.exists():
                shutil.rmtree(replaced)
    return len(shards)
