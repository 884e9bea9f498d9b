"""Times nacre's tokenizers beside the reference library (PyPI `tokenizers` 0.23.3), each on one core and in alternating
pairs, and prints a markdown table: megabytes a second of both and the median of the pairs' ratios.

    tokenizer_bench.py [PAIRS]      7 pairs unless said otherwise

Encoding is timed on the 10,000 lines of lines.json and on a single text of a megabyte, decoding on the lines. The
library is asked for whole batches without offsets, its quickest way from Python.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "goldens"))

from tokenizer_goldens import FIXTURES, ROOT, make_lines  # noqa: E402
from tokenizer_pipelines import kinds, whole  # noqa: E402

PACKAGE = """// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]
let package = Package(
    name: "tokenizer-bench",
    targets: [
        .target(name: "TerminalText", swiftSettings: settings),
        .target(name: "JSON", dependencies: ["TerminalText"], swiftSettings: settings),
        .target(name: "Tokenizers", dependencies: ["JSON", "TerminalText"], swiftSettings: settings),
        .executableTarget(name: "bench", dependencies: ["Tokenizers"], swiftSettings: settings),
    ], swiftLanguageModes: [.v6])
"""

PROGRAM = """import Foundation
import Tokenizers

// Requests on standard input, an answer to each: load FILE, lines FILE, encode, decode.
var tokenizer: Tokenizer?
var lines: [String] = []
while let request = readLine() {
    let words = request.split(separator: " ", maxSplits: 1).map(String.init)
    func bytes() throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(filePath: words[1]))) }
    var answer = "ok"
    switch words[0] {
    case "load": tokenizer = try Tokenizer(json: try bytes(), label: words[1])
    case "lines": lines = try JSONValue(parsing: try bytes(), file: words[1]).array?.compactMap(\\.string) ?? []
    default:
        let ids = words[0] == "decode" ? lines.map { tokenizer!.encode($0) } : []
        var count = 0
        let time = ContinuousClock().measure {
            if words[0] == "decode" {
                for list in ids { count += tokenizer!.decode(list).utf8.count }
            } else {
                for line in lines { count += tokenizer!.encode(line).count }
            }
        }
        answer = "\\(Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18) \\(count)"
    }
    print(answer)
    fflush(nil)
}
"""


def build(folder):
    (folder / "Sources/bench").mkdir(parents=True, exist_ok=True)
    for module in ("Tokenizers", "JSON", "TerminalText"):
        link = folder / "Sources" / module
        if not link.is_symlink():
            link.symlink_to(ROOT / "Sources" / module)
    (folder / "Package.swift").write_text(PACKAGE)
    (folder / "Sources/bench/main.swift").write_text(PROGRAM)
    subprocess.run(["swift", "build", "-c", "release", "--package-path", folder], check=True, stdout=subprocess.DEVNULL)
    return folder / ".build/release/bench"


def main():
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    program = build(ROOT / ".build-tokenizers")
    nacre = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(request):
        nacre.stdin.write(request + "\n")
        nacre.stdin.flush()
        return nacre.stdout.readline().split()

    lines = json.loads((FIXTURES / "lines.json").read_text(encoding="utf-8"))
    text = " ".join(make_lines(3, 20_000)).encode()[: 1 << 20].decode(errors="ignore")
    print("| kind | | nacre MB/s | library MB/s | times as fast |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        def write(name, value):
            (Path(folder) / name).write_text(value, encoding="utf-8")
            return Path(folder) / name

        files = {"lines": write("lines.json", json.dumps(lines)), "one text": write("text.json", json.dumps([text]))}
        texts = {"lines": lines, "one text": [text]}
        for kind in kinds():
            path = write("tokenizer.json", whole(kind))
            for task in ("lines", "one text", "decoding"):
                name = "lines" if task == "decoding" else task
                tokenizer = Tokenizer.from_file(str(path))
                assert ask(f"load {path}") == ask(f"lines {files[name]}") == ["ok"]
                batch = texts[name]
                ids = [e.ids for e in tokenizer.encode_batch(batch)]
                ours, theirs = [], []
                for _ in range(pairs):
                    ours.append(float(ask("decode" if task == "decoding" else "encode")[0]))
                    start = time.perf_counter()
                    if task == "decoding":
                        tokenizer.decode_batch(ids, skip_special_tokens=False)
                    else:
                        tokenizer.encode_batch_fast(batch)
                    theirs.append(time.perf_counter() - start)
                size = sum(len(line.encode()) for line in batch) / 1e6
                ratio = statistics.median(b / a for a, b in zip(ours, theirs))
                print(f"| {kind['name']} | {task} | {size / statistics.median(ours):.1f} "
                      f"| {size / statistics.median(theirs):.1f} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
