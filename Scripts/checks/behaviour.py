#!/usr/bin/env python3
"""Records what nacre prints and exports, and says what has changed since.

    .venv/bin/python Scripts/checks/behaviour.py record FILE [--threads 1,2,4] [--only NAME,…]
    .venv/bin/python Scripts/checks/behaviour.py compare FILE [--threads 1,2,4] [--only NAME,…]

FILE holds one digest a line: of what each command of each transcript and script prints with `--mode json`, where every
number has all its digits; of each dataset of each value that is left at the end, exported to HDF5; and the exit code of
each line of errors.transcript. A change that should move files about, and nothing else, must not change one of them.
"""

import argparse
import concurrent.futures
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import h5py

ROOT = Path(__file__).resolve().parents[2]
PROMPT = re.compile(r"^[A-Za-z_][A-Za-z0-9_.-]*(?:\[.*?\])?> (.*)$")
# What depends on the moment or on the machine.
VOLATILE = [
    (re.compile(r"\b\d+(\.\d+)?(e[+-]?\d+)? (s|ms|min|h|GFLOP/s|GB/s|tokens/s)\b"), "TIME"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z?"), "DATE"),
]


def stable(text: str) -> str:
    for pattern, word in VOLATILE:
        text = pattern.sub(word, text)
    return text


def digest(data: bytes | str) -> str:
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()[:16]


def commands(file: Path) -> list[str]:
    found = (PROMPT.match(line) for line in file.read_text().split("\n"))
    return [match[1] for match in found if match]


class Runs:
    def __init__(self, nacre: Path, threads: int):
        self.nacre, self.threads = nacre, threads

    def nacre_run(self, folder: Path, lines: list[str], *options: str) -> subprocess.CompletedProcess:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("NACRE")}
        environment["XDG_CACHE_HOME"] = str(folder / "cache")
        return subprocess.run(
            [self.nacre, "--no-init", "--echo", "--keep-going", "--threads", str(self.threads), *options],
            input="\n".join(lines) + "\n", capture_output=True, text=True, cwd=folder, env=environment)

    def outputs(self, name: str, lines: list[str]) -> dict[str, str]:
        """Digests of one session: a command at a time, then the values that it leaves."""
        result = {}
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            for entry in ROOT.iterdir():
                if entry.name in ("Tests", "Scripts"):
                    # Some transcripts write beside what they read.
                    shutil.copytree(entry, folder / entry.name)
                elif not entry.name.startswith(".") and entry.name != "Downloads":
                    (folder / entry.name).symlink_to(entry)
            ends = ["set mode json", "list"]
            run = self.nacre_run(folder, lines + ends, "--mode", "json")
            result[f"{name}/code"] = str(run.returncode)
            printed = re.split(r"^[A-Za-z_][A-Za-z0-9_.-]*(?:\[.*?\])?> ", run.stdout, flags=re.M)
            for index, text in enumerate(printed[1:]):
                result[f"{name}/{index:03d} {text.splitlines()[0][:90]}"] = digest(stable(text))
            result[f"{name}/errors"] = digest(stable(run.stderr))
            names = re.findall(r'\{"name": "([^" ]+)(?: \(in use\))?", "kind": "(?!checkpoint)', printed[-1])
            exports = [f"export {value} exported-{value}.h5" for value in dict.fromkeys(names)]
            self.nacre_run(folder, lines + exports, "--overwrite")
            for file in sorted(folder.glob("exported-*.h5")):
                result.update(self.datasets(f"{name}/{file.stem}", file))
        return result

    @staticmethod
    def datasets(name: str, file: Path) -> dict[str, str]:
        result = {}

        def visit(path, node):
            if isinstance(node, h5py.Dataset):
                data = node[()].tobytes() if node.dtype.kind != "O" else repr(node[()]).encode()
                if path.endswith("recipe.json"):
                    data = stable(data.decode(errors="replace")).encode()
                result[f"{name}:{path}"] = digest(repr((node.shape, str(node.dtype))).encode() + data)

        with h5py.File(file) as opened:
            opened.visititems(visit)
        return result


def sessions() -> dict[str, list[str]]:
    result = {file.stem: commands(file) for file in sorted(ROOT.glob("Tests/Transcripts/*.transcript"))}
    result["tour"] = commands(ROOT / "Scripts/tour.transcript")
    scripts = {
        "demo": "", "pearl": "", "triggers": "", "claims": "",
        "directions": ""}
    for name, words in scripts.items():
        file = ROOT / f"Scripts/{name}.nacre"
        if file.exists():
            result[f"{name}.nacre"] = [f"source Scripts/{name}.nacre {words}".strip()]
    return result


def record(arguments) -> dict[str, str]:
    wanted = {name: lines for name, lines in sessions().items()
              if not arguments.only or name in arguments.only.split(",")}
    result: dict[str, str] = {}
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        jobs = {}
        for threads in map(int, arguments.threads.split(",")):
            runs = Runs(arguments.nacre, threads)
            for name, lines in wanted.items():
                jobs[pool.submit(runs.outputs, f"{threads}/{name}", lines)] = name
        for done in concurrent.futures.as_completed(jobs):
            result.update(done.result())
            print(".", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
    for line in wanted.get("errors", []):
        run = subprocess.run([arguments.nacre, "--no-init", "-c", line], capture_output=True, text=True, cwd=ROOT)
        result[f"code of: {line}"] = str(run.returncode)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["record", "compare"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--nacre", type=Path, default=ROOT / ".build/release/nacre")
    parser.add_argument("--threads", default="1,2,4")
    parser.add_argument("--only", default="", help="names of transcripts and scripts, with commas between")
    parser.add_argument("--jobs", type=int, default=2, help="sessions at a time")
    arguments = parser.parse_args()
    arguments.nacre = arguments.nacre.resolve()
    found = record(arguments)
    if arguments.what == "record":
        arguments.file.write_text("".join(f"{value}\t{key}\n" for key, value in sorted(found.items())))
        print(f"{len(found)} digests in {arguments.file}")
        return
    known = dict(reversed(line.split("\t", 1)) for line in arguments.file.read_text().splitlines())
    if arguments.only or arguments.threads != "1,2,4":
        known = {key: value for key, value in known.items() if key in found}
    changed = [key for key in sorted(known | found) if known.get(key) != found.get(key)]
    for key in changed:
        print(f"{known.get(key, 'nothing'):>16}  {found.get(key, 'nothing'):>16}  {key}")
    print(f"{len(known)} digests, {len(changed)} changed")
    sys.exit(1 if changed else 0)


if __name__ == "__main__":
    main()
