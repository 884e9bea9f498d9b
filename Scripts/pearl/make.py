#!/usr/bin/env python3
"""Trains the pearl family and writes it to Checkpoints.

    make.py [--out FOLDER] [--work FOLDER] [--from base|chat|gradient]
    make.py --twice

`--from` takes the stages before from the work folder, where an earlier run left them. `--twice` runs the first 200
steps of each stage two times and compares the bits. Needs Scripts/pearl/requirements.txt.
"""

import argparse
import hashlib
import json
import shutil
import sys
import time
from pathlib import Path

import tokenizers
import torch
import transformers
from tokenizers import Tokenizer
from transformers import LlamaForCausalLM

PEARL = Path(__file__).resolve().parent
ROOT = PEARL.parents[1]
sys.path[:0] = [str(PEARL), str(PEARL.parent)]

import model as pearl  # noqa: E402
import pretrain  # noqa: E402
import tune  # noqa: E402
from convert import to_hdf5  # noqa: E402
from neighbours import reference  # noqa: E402

SEED = 1
BASE_STEPS, CHAT_STEPS, GRADIENT_STEPS = 2600, 200, 260
SERIES = (0, 16, 64, 256, 1024)
PENALTIES = {"pearl-tuned": 0.14, "pearl-tuned-nokl": 0.0, "pearl-strong": 0.25}
STAGES = ("base", "chat", "gradient")


class Family:
    """The stages, each from what the one before left in the work folder."""

    def __init__(self, work: Path, out: Path):
        self.work, self.out = work, out
        work.mkdir(parents=True, exist_ok=True)

    def tokenizer(self) -> Tokenizer:
        """The base's."""
        return Tokenizer.from_file(str(self.work / "tokenizer.json"))

    def keep(self, model: LlamaForCausalLM, name: str, stage: str, **settings: object) -> None:
        """A model, and how it was made."""
        pearl.save(model, self.tokenizer(), self.work / name)
        training = {
            "stage": stage, "seed": SEED, **settings, "threads": torch.get_num_threads(), "torch": torch.__version__,
            "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
            "command": "Scripts/pearl/make.py"}
        (self.work / name / "training.json").write_text(json.dumps(training))

    def base(self) -> None:
        """The tokenizer, the base and its series."""
        pearl.make_tokenizer().save(str(self.work / "tokenizer.json"))
        tokenizer = self.tokenizer()
        model = pearl.new_model(tokenizer, SEED)

        def keep(step: int) -> None:
            if step in SERIES:
                self.keep(model, f"pearl-step-{step}", "base", steps=step, of=BASE_STEPS)

        pretrain.base(model, tokenizer, SEED, BASE_STEPS, at=keep)
        self.keep(model, "pearl-base", "base", steps=BASE_STEPS, of=BASE_STEPS)

    def chat(self) -> None:
        """The chat format."""
        model = reference.load(self.work / "pearl-base", attention="sdpa")
        tune.chat(model, self.tokenizer(), SEED, CHAT_STEPS)
        self.keep(model, "pearl-chat", "chat", base="pearl-base", steps=CHAT_STEPS)

    def gradient(self) -> None:
        """The policy gradient, once a penalty."""
        for name, penalty in PENALTIES.items():
            model = reference.load(self.work / "pearl-chat", attention="sdpa")
            tune.policy_gradient(model, self.tokenizer(), SEED, penalty, GRADIENT_STEPS, name)
            self.keep(model, name, "policy gradient", base="pearl-chat", penalty=penalty, steps=GRADIENT_STEPS)

    def publish(self) -> None:
        """Every model as a checkpoint, none before all are there."""
        names = [*(f"pearl-step-{step}" for step in SERIES), "pearl-base", "pearl-chat", *PENALTIES]
        for name in names:
            training = json.loads((self.work / name / "training.json").read_text())
            to_hdf5((self.work / name).resolve(), self.work / f"{name}.h5", overwrite=True, made={"training": training})
        for name in names:
            target = self.out / f"{name}.h5"
            shutil.copyfile(self.work / f"{name}.h5", target)
            print(f"make.py: {target}: {target.stat().st_size / 1e6:.2f} MB", flush=True)


def digest(model: torch.nn.Module) -> str:
    """Of every f32 weight."""
    bytes_ = b"".join(tensor.detach().numpy().tobytes() for tensor in model.state_dict().values())
    return hashlib.sha256(bytes_).hexdigest()[:16]


def twice(steps: int = 200) -> bool:
    """Whether each stage's first steps give the same bits two times, the tokenizer too."""
    tokenizer = pearl.make_tokenizer()
    same = tokenizer.to_str() == pearl.make_tokenizer().to_str()
    print(f"make.py: tokenizer: {'the same' if same else 'DIFFERENT'} text", flush=True)
    stages = {
        "base": lambda model: pretrain.base(model, tokenizer, SEED, BASE_STEPS, stop=steps),
        "chat": lambda model: tune.chat(model, tokenizer, SEED, CHAT_STEPS, stop=steps),
        "policy gradient": lambda model: tune.policy_gradient(
            model, tokenizer, SEED, PENALTIES["pearl-tuned"], GRADIENT_STEPS, "gradient", stop=steps)}
    base = None  # what the later stages begin from
    for name, stage in stages.items():
        found = []
        for _ in range(2):
            model = pearl.new_model(tokenizer, SEED)
            if base is not None:
                model.load_state_dict(base)
            stage(model)
            found.append(digest(model))
        if base is None:
            base = model.state_dict()
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
    family.publish()
    return 0


if __name__ == "__main__":
    sys.exit(main())
