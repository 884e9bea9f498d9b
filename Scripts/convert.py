#!/usr/bin/env python3
"""Hugging Face folders and GGUF files to nacre's HDF5 checkpoint, and back to a folder. No torch.

    convert.py to-hdf5 SOURCE OUT.h5 [--dtype keep|f32|f16|bf16] [--overwrite]
    convert.py to-folder IN.h5 OUTDIR [--overwrite]
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from neighbours import chat, checkpoint, elements, folder
from neighbours.errors import NeighbourError, shown


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_source(path: Path, dtype: str):
    """A folder or a GGUF, told apart by what is there."""
    if path.is_dir():
        return folder.FolderSource(path)
    if not path.is_file():
        raise NeighbourError(f"{shown(path)}: no such file or folder")
    with open(path, "rb") as file:
        magic = file.read(4)
    if magic != b"GGUF":
        raise NeighbourError(f"{shown(path)} is neither a Hugging Face folder nor a GGUF file")
    from neighbours import gguf_source  # its imports are slow, and only needed here

    return gguf_source.GGUFSource(path, "f32" if dtype == "keep" else dtype)


def to_hdf5(source: Path, target: Path, dtype: str = "keep", overwrite: bool = False, made: dict | None = None) -> int:
    """Convert a folder or a GGUF to a checkpoint. Returns the number of tensors.

    - made: what is known of how the model came to be, for the recipe.
    """
    if target.exists() and not overwrite:
        raise NeighbourError(f"{shown(target)} exists; give --overwrite to replace it")
    opened = open_source(source, dtype)
    tokenizer = dict(opened.tokenizer)
    if "tokenizer_config.json" in tokenizer:
        reduced = chat.reduce_chat(folder.load_json(tokenizer["tokenizer_config.json"], "tokenizer_config.json"))
        if reduced is not None:
            tokenizer["chat.json"] = json.dumps(reduced, ensure_ascii=False).encode()
    recipe = {
        "command": f"convert.py to-hdf5 {source.name} {target.name} --dtype {dtype}",
        "created_by": checkpoint.CREATED_BY, "dtype": dtype, "edits": [],
        "inputs": [{"file": p.name, "bytes": p.stat().st_size, "sha256": digest(p)}
                   for p in opened.inputs if p.is_file()]} | (made or {})

    def tensors():
        for tensor in opened.tensors():
            wanted = tensor.kind if dtype == "keep" else dtype
            yield checkpoint.Tensor(
                tensor.name, wanted, elements.cast(tensor.words, tensor.kind, wanted, tensor.name))

    return checkpoint.write(target, config=opened.config, tensors=tensors(), tokenizer=tokenizer, recipe=recipe,
                            source=source.name or str(source), overwrite=overwrite)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="convert.py", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="to-hdf5|to-folder")
    into = commands.add_parser("to-hdf5", help="Hugging Face folder or GGUF to a checkpoint")
    into.add_argument("source", type=Path, metavar="SOURCE")
    into.add_argument("target", type=Path, metavar="OUT.h5")
    into.add_argument("--dtype", default="keep", choices=("keep", *elements.KINDS),
                      help="element type of every tensor (default: as stored; f32 for a GGUF)")
    back = commands.add_parser("to-folder", help="checkpoint to a folder that transformers loads")
    back.add_argument("source", type=Path, metavar="IN.h5")
    back.add_argument("target", type=Path, metavar="OUTDIR")
    for command in (into, back):
        command.add_argument("--overwrite", action="store_true", help="replace the output if it exists")
    options = parser.parse_args(arguments)
    try:
        if options.command == "to-hdf5":
            count = to_hdf5(options.source.resolve(), options.target, options.dtype, options.overwrite)
            print(f"{options.target}: {count} tensors, {options.target.stat().st_size / 1e6:.1f} MB, verified")
        else:
            count = folder.write_folder(options.source, options.target, options.overwrite)
            print(f"{options.target}: {count} weight file{'s' if count > 1 else ''}, verified")
    except NeighbourError as error:
        print(f"convert.py: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"convert.py: {shown(error.filename or options.target)}: {error.strerror or shown(error)}",
              file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
