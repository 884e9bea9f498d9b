#!/usr/bin/env python3
"""Trains the pearl family and writes it to Checkpoints.

    make.py [--out FOLDER] [--work FOLDER] [--from base|chat|gradient]
    make.py --twice

`--from` takes the stages before from the work folder, where an earlier run left them. `--twice` runs the first 200
steps of each stage two times and compares the bits. Needs Scripts/pearl/requirements.txt.
"""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers import Tokenizer

PEARL = Path(__file__).resolve().parent
ROOT = PEARL.parents[1]
sys.path[:0] = [str(PEARL), str(PEARL.parent)]

import model as pearl  # noqa: E402
import pretrain  # noqa: E402
import tune  # noqa: E402
from convert import to_hdf5  # noqa: E402
from neighbours import reference  # noqa: E402

SEED = 1
BASE_STEPS, CHAT_STEPS, GRADIENT_STEPS = 2600, 200, 200
SERIES = (0, 16, 64, 256, 1024)
PENALTIES = {"pearl-tuned-nokl": 0.0, "pearl-tuned": 0.1, "pearl-strong": 0.25}
STAGES = ("base", "chat", "gradient")


def export(folder: Path, target: Path, stage: str, **settings: object) -> None:
    """A work folder's model as a checkpoint that says how it was made."""
    training = {
        "stage": stage, "seed": SEED, **settings, "threads": torch.get_num_threads(), "torch": torch.__version__,
        "transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "command": "Scripts/pearl/make.py"}
    count = to_hdf5(folder.resolve(), target, overwrite=True, made={"training": training})
    print(f"make.py: {target}: {count} tensors, {target.stat().st_size / 1e6:.2f} MB", flush=True)


class Family:
    """The stages, each from what the one before left in the work folder."""

    def __init__(self, work: Path, out: Path):
        self.work, self.out = work, out
        work.mkdir(parents=True, exist_ok=True)

    def tokenizer(self) -> Tokenizer:
        """Trained the first time."""
        path = self.work / "tokenizer.json"
        if not path.exists():
            pearl.make_tokenizer().save(str(path))
        return Tokenizer.from_file(str(path))

    def base(self) -> None:
        """The base and its series."""
        tokenizer = self.tokenizer()
        model = pearl.new_model(tokenizer, SEED)

        def keep(step: int) -> None:
            if step in SERIES:
                pearl.save(model, tokenizer, self.work / f"pearl-step-{step}")
                export(self.work / f"pearl-step-{step}", self.out / f"pearl-step-{step}.h5", "base", steps=step,
                       of=BASE_STEPS)

        pretrain.base(model, tokenizer, SEED, BASE_STEPS, at=keep)
        pearl.save(model, tokenizer, self.work / "pearl-base")
        export(self.work / "pearl-base", self.out / "pearl-base.h5", "base", steps=BASE_STEPS, of=BASE_STEPS)

    def chat(self) -> None:
        """The chat format."""
        tokenizer, model = self.tokenizer(), pearl.load(self.work / "pearl-base")
        tune.chat(model, tokenizer, SEED, CHAT_STEPS)
        pearl.save(model, tokenizer, self.work / "pearl-chat")
        export(self.work / "pearl-chat", self.out / "pearl-chat.h5", "chat", base="pearl-base", steps=CHAT_STEPS)

    def gradient(self) -> None:
        """The policy gradient, once a penalty."""
        tokenizer = self.tokenizer()
        for name, penalty in PENALTIES.items():
            model = pearl.load(self.work / "pearl-chat")
            tune.policy_gradient(model, tokenizer, SEED, penalty, GRADIENT_STEPS, name)
            pearl.save(model, tokenizer, self.work / name)
            export(self.work / name, self.out / f"{name}.h5", "policy gradient", base="pearl-chat", penalty=penalty,
                   steps=GRADIENT_STEPS)


def digest(model: torch.nn.Module) -> str:
    """Of every f32 weight."""
    bytes_ = b"".join(tensor.detach().numpy().tobytes() for tensor in model.state_dict().values())
    return hashlib.sha256(bytes_).hexdigest()[:16]


def twice(steps: int = 200) -> bool:
    """Whether each stage's first steps give the same bits two times, the tokenizer too."""
    tokenizer = pearl.make_tokenizer()
    same = tokenizer.to_str() == pearl.make_tokenizer().to_str()
    print(f"make.py: tokenizer: {'the same' if same else 'DIFFERENT'} text", flush=True)
    start = pearl.new_model(tokenizer, SEED)
    pretrain.base(start, tokenizer, SEED, BASE_STEPS, stop=steps)
    stages = {
        "base": lambda model: pretrain.base(model, tokenizer, SEED, BASE_STEPS, stop=steps),
        "chat": lambda model: tune.chat(model, tokenizer, SEED, CHAT_STEPS, stop=steps),
        "policy gradient": lambda model: tune.policy_gradient(
            model, tokenizer, SEED, PENALTIES["pearl-tuned"], GRADIENT_STEPS, "gradient", stop=steps)}
    for name, stage in stages.items():
        found = []
        for _ in range(1 if name == "base" else 2):
            model = pearl.new_model(tokenizer, SEED)
            if name != "base":
                model.load_state_dict(start.state_dict())
            stage(model)
            found.append(digest(model))
        if name == "base":
            found.append(digest(start))
        same = same and found[0] == found[1]
        print(f"make.py: {name}, {steps} steps: {found[0]} {'=' if found[0] == found[1] else '!='} {found[1]}", flush=True)
    return same


def main() -> int:
    parser = argparse.ArgumentParser(prog="make.py", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "Checkpoints", metavar="FOLDER")
    parser.add_argument("--work", type=Path, default=ROOT / "Downloads/pearl", metavar="FOLDER",
                        help="where Hugging Face folders of the stages are kept (default Downloads/pearl)")
    parser.add_argument("--from", dest="first", choices=STAGES, default="base", help="the first stage to run")
    parser.add_argument("--twice", action="store_true", help="check that training repeats itself; writes nothing")
    options = parser.parse_args()
    pearl.deterministic()
    reference.quiet()
    if options.twice:
        return 0 if twice() else 1
    started = time.monotonic()
    family = Family(options.work, options.out)
    for stage in STAGES[STAGES.index(options.first):]:
        getattr(family, stage)()
        print(f"make.py: {stage} done after {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
