#!/usr/bin/env bash
# Tests the studies by themselves, and says how much of their code the tests reach.
#   Scripts/checks/studies.sh [LEAST]
# Builds the tests once more, with counters, in .build/coverage: that takes minutes. The exit code is 1 if a test fails, or
# if less than LEAST per cent (80) of the lines of a module are reached. No process is started: there is no nacre to start.
set -euo pipefail
cd "$(dirname "$0")/../.."

least=${1:-80}
modules="Statistics Workbench Comparison Directions Claims"
filters=()
for module in $modules; do filters+=(--filter "^${module}Tests\\."); done
NACRE_BINARY=/nonexistent swift test --enable-code-coverage --scratch-path .build/coverage "${filters[@]}"
json=$(NACRE_BINARY=/nonexistent swift test --enable-code-coverage --scratch-path .build/coverage --show-codecov-path)
python3 - "$json" "$least" $modules <<'PYTHON'
import json
import sys

found = json.load(open(sys.argv[1]))["data"][0]["files"]
least, status = float(sys.argv[2]), 0
for module in sys.argv[3:]:
    lines = [file["summary"]["lines"] for file in found if f"/Sources/{module}/" in file["filename"]]
    covered, count = sum(line["covered"] for line in lines), sum(line["count"] for line in lines)
    share = 100 * covered / max(count, 1)
    status |= share < least
    print(f"studies: {module}: {covered} of {count} lines, {share:.1f} %{'' if share >= least else ': too few'}")
sys.exit(status)
PYTHON
