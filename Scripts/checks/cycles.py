#!/usr/bin/env python3
"""Names folders of a module that need one another in a circle.

    python3 Scripts/checks/cycles.py [FOLDER]

FOLDER is Sources/Shell unless another is given. One folder needs another if one of its files uses a name that a file of
the other declares: a type, or a function outside of any type. The folders right under FOLDER are looked at, and then, each
by itself, the folders under those. The exit code is 1 if there is a circle.
"""

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path

DECLARATION = re.compile(
    r"^(?:@\w+(?:\([^)]*\))? )*(?:(?:package|public|internal|final|indirect) )*"
    r"(?:struct|class|enum|protocol|actor|typealias|func) (\w+)",
    re.MULTILINE,
)
MEMBER = re.compile(r"^ {4}(?:(?:package|public|internal|static|mutating) )*(?:func|var|let) (\w+)", re.MULTILINE)
EXTENSION = re.compile(r"^(?:(?:package|public) )?extension (\w+)[^{]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
NOISE = re.compile(r'"""(?:.|\n)*?"""|"(?:\\.|[^"\\\n])*"|//[^\n]*')


def folders(root: Path) -> dict[str, str]:
    """The folder right under the root, '' for the root itself, by file."""
    return {
        str(path): (path.relative_to(root).parts[0] if len(path.relative_to(root).parts) > 1 else "")
        for path in sorted(root.rglob("*.swift"))
    }


def needs(root: Path) -> dict[str, dict[str, set[str]]]:
    """By folder, the folders that it needs, and the names."""
    place = folders(root)
    code = {file: NOISE.sub('""', Path(file).read_text()) for file in place}
    declared: dict[str, set[str]] = defaultdict(set)
    for file, text in code.items():
        for name in DECLARATION.findall(text):
            declared[name].add(place[file])
        # Members that a file adds to a type of another one are its own: `session.contrasted(`.
        for _, body in EXTENSION.findall(text):
            for name in MEMBER.findall(body):
                declared["." + name].add(place[file])
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for file, text in code.items():
        words = set(re.findall(r"(?<![\w.])\w+", text)) | set(re.findall(r"\bsession(\.\w+)", text))
        for word in words & declared.keys():
            owners = declared[word]
            # A name that several folders declare says nothing of which is meant.
            if len(owners) == 1 and (owner := next(iter(owners))) != place[file]:
                found[place[file]][owner].add(word)
    return found


def circles(graph: dict[str, dict[str, set[str]]]) -> list[list[str]]:
    """Strongly connected parts of more than one folder."""
    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for following in graph.get(waiting.pop(), {}):
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
        return seen

    reach = {folder: reached(folder) for folder in graph}
    parts: list[list[str]] = []
    for folder in graph:
        part = sorted(other for other in reach[folder] if folder in reach.get(other, set()))
        if len(part) > 1 and part not in parts:
            parts.append(part)
    return parts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("Sources/Shell"))
    root = parser.parse_args().folder
    if not root.is_dir():
        parser.error(f"there is no folder {root}")
    status = 0
    for parent in [root] + sorted(path for path in root.iterdir() if path.is_dir()):
        graph = needs(parent)
        for part in circles(graph):
            status = 1
            print(f"cycles: in {parent}: {', '.join(name or '(its own files)' for name in part)} need one another")
            for one in part:
                for other in part:
                    if names := sorted(graph[one].get(other, ())):
                        print(f"  {one or '.'} -> {other or '.'}: {', '.join(names[:6])}{' ...' if len(names) > 6 else ''}")
    if status == 0:
        print(f"cycles: none in {root}")
    return status


if __name__ == "__main__":
    sys.exit(main())
