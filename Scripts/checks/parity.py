#!/usr/bin/env python3
"""nacre beside the reference implementation (`transformers`, float32, CPU, eager attention).

    parity.py tokens|logits|sites|greedy|bf16|all [--checkpoint FILE.h5]… [--nacre BINARY] [--texts FILE] [--self-test]
    parity.py roundtrip
    parity.py make-fixtures [--only NAME …] [--out DIR]
    parity.py make-configurations

The first line compares on the texts of parity_texts.txt, prints markdown tables and exits 1 if a bar is missed.
Needs Scripts/requirements-reference.txt.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neighbours.errors import NeighbourError, shown  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
CHECKS = ("tokens", "logits", "sites", "greedy")


def compare(checks: list[str], checkpoint: Path, options: argparse.Namespace) -> bool:
    """Run checks of one checkpoint and print their tables."""
    import transformers

    from neighbours import comparison, folder, measured, reference

    lines = options.texts.read_text("utf-8").removesuffix("\n").split("\n")
    texts = [line.replace("\\n", "\n") for line in lines]
    met = True
    with tempfile.TemporaryDirectory(prefix="nacre-parity-") as temporary:
        exported = Path(temporary) / "model"
        folder.write_folder(checkpoint, exported)
        if not (exported / "tokenizer.json").is_file():
            raise NeighbourError(f"{shown(checkpoint)} has no tokenizer, and the texts need one")
        run = reference.Reference(reference.load(exported))
        tokenizer = transformers.AutoTokenizer.from_pretrained(exported)
        if options.self_test:
            subject = measured.Itself(exported, options.error)
        else:
            subject = measured.Nacre(options.nacre, checkpoint)
        sides = comparison.Comparison(run, tokenizer, subject, texts, options.bar)
        print(f"# {subject.name} beside transformers {transformers.__version__} on {checkpoint.name}")
        for check in checks:
            start = time.monotonic()
            table, held = getattr(sides, check)()
            print(f"\n## {check}\n\n" + "\n".join(table) + f"\n\n{time.monotonic() - start:.1f} s", flush=True)
            met = met and held
    return met


def main() -> int:
    parser = argparse.ArgumentParser(prog="parity.py", description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=(*CHECKS, "bf16", "all", "roundtrip", "make-fixtures", "make-configurations"))
    parser.add_argument("--checkpoint", type=Path, action="append", metavar="FILE.h5",
                        help="what is compared, Downloads/smollm2.h5 if not given; may be repeated")
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre", metavar="BINARY")
    parser.add_argument("--texts", type=Path, default=ROOT / "Scripts/checks/parity_texts.txt", metavar="FILE",
                        help="one text a line, \\n for a newline inside it")
    parser.add_argument("--bar", type=float, default=2e-4, metavar="X",
                        help="the largest difference of a logit that is accepted (default 2e-4)")
    parser.add_argument("--self-test", action="store_true", help="compare the reference with itself by another path")
    parser.add_argument("--error", type=float, default=0.0, metavar="X", help="added to every value in --self-test")
    parser.add_argument("--out", type=Path, default=ROOT / "Tests/Fixtures/models", metavar="DIR",
                        help="where make-fixtures writes")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="the fixtures to make; all by default")
    options = parser.parse_args()
    try:
        if options.command == "make-fixtures":
            from neighbours import fixtures

            fixtures.make(options.out, options.only)
            return 0
        if options.command == "make-configurations":
            from neighbours import configurations

            configurations.make(options.out, options.out.with_name("configurations"))
            return 0
        if options.command == "roundtrip":
            from neighbours import roundtrip

            table, met = roundtrip.check()
            print("\n".join(table))
            return 0 if met else 1
        checks = list(CHECKS) if options.command == "all" else [options.command]
        met = [compare(checks, checkpoint, options) for checkpoint in options.checkpoint or [ROOT / "Downloads/smollm2.h5"]]
        return 0 if all(met) else 1
    except ModuleNotFoundError as error:
        print(f"parity.py: {error}; install it with: pip install -r Scripts/requirements-reference.txt",
              file=sys.stderr)
    except NeighbourError as error:
        print(f"parity.py: {error}", file=sys.stderr)
    except OSError as error:
        print(f"parity.py: {shown(error)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
