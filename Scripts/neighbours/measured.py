"""What is measured against the reference: the nacre binary, or the reference itself by another path (a self-test).

Both answer with capture files: `/sites/NAME` [rows, width] f32 and `/rows/{prompt,position,token}` int32.
"""

import json
import shlex
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np
import torch
import transformers

from . import reference
from .checkpoint import create_contiguous, new_file
from .errors import NeighbourError, oneline, shown


class Capture:
    """A capture file, read a prompt at a time."""

    def __init__(self, path: Path):
        try:
            self.file = h5py.File(path, "r")
            self.prompt = self.file["rows/prompt"][:]
            self.position = self.file["rows/position"][:]
            self.token = self.file["rows/token"][:]
            self.names = list(self.file["sites"])
        except (OSError, KeyError) as error:
            raise NeighbourError(f"{shown(path)} is not a capture that can be read: {oneline(error)}") from None

    def rows(self, prompt: int) -> np.ndarray:
        """A prompt's rows in order of position; every position must be there once."""
        rows = np.flatnonzero(self.prompt == prompt)
        rows = rows[np.argsort(self.position[rows], kind="stable")]
        if not np.array_equal(self.position[rows], np.arange(len(rows))):
            raise NeighbourError(f"the capture's prompt {prompt} has positions {self.position[rows][:8].tolist()}…, "
                                 "expected each from 0 once; was it captured --at all --with-bos?")
        return rows

    def site(self, name: str, rows: np.ndarray) -> torch.Tensor:
        """A site's values at some rows."""
        first, last = int(rows.min()), int(rows.max()) + 1
        return torch.from_numpy(self.file["sites"][name][first:last][rows - first])

    def __enter__(self) -> "Capture":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


class Nacre:
    """The nacre binary, driven by scripts."""

    name = "nacre"

    def __init__(self, binary: Path, checkpoint: Path):
        if not binary.is_file():
            raise NeighbourError(f"{shown(binary)}: no such file; build it with: swift build -c release")
        self.binary, self.checkpoint = binary.resolve(), checkpoint.resolve()

    def _run(self, lines: list[str]) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".nacre", encoding="utf-8") as script:
            script.write("\n".join(lines) + "\n")
            script.flush()
            result = subprocess.run(
                [self.binary, "--no-init", self.checkpoint, "-f", script.name], capture_output=True, text=True,
                stdin=subprocess.DEVNULL, check=False)
        if result.returncode != 0:
            detail = result.stderr.strip().splitlines()
            raise NeighbourError(f"nacre left with {result.returncode} on '{shown(lines[-1])}': "
                                 f"{shown(detail[-1] if detail else 'no message')}")
        return result.stdout

    def capture(self, sites: list[str], texts: list[str], folder: Path, precision: str = "f32") -> Path:
        """Capture sites at all positions of all texts to a file in `folder`."""
        prompts, out = folder / "prompts.jsonl", folder / "capture.h5"
        prompts.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
        out.unlink(missing_ok=True)
        self._run([f"set precision {precision}", f"corpus = prompts {shlex.quote(str(prompts))}",
                   f"acts = capture {' '.join(map(shlex.quote, sites))} --prompts corpus --at all --with-bos "
                   f"--to {shlex.quote(str(out))}"])
        return out

    def tokens(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, as `tokens` gives them."""
        return [self._ids(f"tokens {quoted(text)}") for text in texts]

    def greedy(self, texts: list[str], count: int) -> list[list[int]]:
        """Ids of each text's greedy continuation, as `generate` gives them."""
        return [self._ids(f"generate {quoted(text)} --tokens {count}") for text in texts]

    def _ids(self, command: str) -> list[int]:
        output = self._run(["mode json", command])
        try:
            ids = find_ids(json.loads(output))
        except ValueError:
            ids = None
        if ids is None:
            raise NeighbourError(f"no token ids in the answer to '{shown(command)}': {shown(output)}")
        return ids


def quoted(text: str) -> str:
    """A word of the shell's language. A newline inside quotes stays what it is."""
    return "'" + text.replace("'", "'\\''") + "'"


def find_ids(value: object) -> list[int] | None:
    """The first list of token ids in a JSON answer: a list of integers, or a table's `id` or `token_id` column."""
    if isinstance(value, dict):
        for key in ("ids", "token_ids", "tokens"):
            inner = value.get(key)
            if isinstance(inner, list) and all(type(item) is int for item in inner):
                return inner
        values = list(value.values())
    elif isinstance(value, list):
        for key in ("id", "token_id", "token"):
            if value and all(isinstance(row, dict) and type(row.get(key)) is int for row in value):
                return [row[key] for row in value]
        values = value
    else:
        return None
    return next((found for inner in values if (found := find_ids(inner)) is not None), None)


class Itself:
    """The reference by another path (fused attention), through capture files of the same layout."""

    def __init__(self, folder: Path, error: float = 0.0):
        config = transformers.AutoConfig.from_pretrained(folder)
        # Gemma 2 caps its scores, which fused attention can't.
        fused = transformers.MODEL_FOR_CAUSAL_LM_MAPPING[type(config)]._supports_sdpa
        self.name = f"transformers, {'fused' if fused else 'eager'} attention"
        self.run = reference.Reference(reference.load(folder, attention="sdpa" if fused else "eager"))
        self.error = error
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(folder)

    def capture(self, sites: list[str], texts: list[str], folder: Path, precision: str = "f32") -> Path:
        """Capture as nacre does. `error` is added to every value, to see that a bar is missed."""
        if precision != "f32":
            raise NeighbourError("the self-test is in f32")
        out = folder / "capture.h5"
        out.unlink(missing_ok=True)
        columns: dict[str, list[torch.Tensor]] = {}
        rows: dict[str, list[int]] = {"prompt": [], "position": [], "token": []}
        for prompt, ids in enumerate(self.tokens(texts)):
            logits, recorded = self.run.sites(ids)
            for name, value in ({"logits": logits} if sites == ["logits"] else recorded).items():
                columns.setdefault(name, []).append(value + self.error)
            rows["prompt"] += [prompt] * len(ids)
            rows["position"] += range(len(ids))
            rows["token"] += ids
        with new_file(out) as file:
            group = file.create_group("sites")
            for name, values in columns.items():
                create_contiguous(group, name, torch.cat(values).numpy(), h5py.h5t.IEEE_F32LE)
            group = file.create_group("rows")
            for name, numbers in rows.items():
                create_contiguous(group, name, np.array(numbers, "<i4"), h5py.h5t.STD_I32LE)
        return out

    def tokens(self, texts: list[str]) -> list[list[int]]:
        """Token ids of each text, by the tokenizers library alone."""
        return [self.tokenizer.backend_tokenizer.encode(text).ids for text in texts]

    def greedy(self, texts: list[str], count: int) -> list[list[int]]:
        """Greedy continuations by `generate`."""
        out = []
        for ids in self.tokens(texts):
            self.run.forget()
            made = self.run.model.generate(
                torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), max_new_tokens=count, do_sample=False)
            out.append(made[0, len(ids):].tolist())
        return out
