#!/usr/bin/env bash
# Checks the walls of Sources/README.md that the compiler does not: that modules below the shell name nothing of it.
#   Scripts/checks/walls.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

below="Workbench Comparison Directions Claims Geometry Statistics"
status=0
# Lines of code that match, comments apart.
found() { # PATTERN FOLDERS...
    local pattern=$1
    shift
    grep -rnE --include='*.swift' "$pattern" "$@" | grep -vE '^[^:]*:[0-9]+: *//' || true
}
refuse() { # WHAT LINES
    [ -n "$2" ] || return 0
    printf 'walls: %s\n%s\n' "$1" "$2" >&2
    status=1
}
folders=$(printf 'Sources/%s ' $below)
# shellcheck disable=SC2086
refuse "a study knows no session, report, command or terminal" \
    "$(found '\b(Session|Report|Cell|Table|CommandError|ProgressLine)\b' $folders)"
# shellcheck disable=SC2086
refuse "a study names no option" "$(found '"[^"]*--[a-z]' $folders)"
refuse "the shell reaches models, matrices, tokenizers and HDF5 through Workbench alone" \
    "$(found '^((package|internal|public|private) )?import (Models|LinearAlgebra|Tokenizers|HDF5)$' Sources/Shell)"
# One way to collect activations, to ask for logits, to know the memory of a run, and to draw random numbers.
outside=$(printf 'Sources/%s ' Workbench Comparison Directions Claims Shell)
once() { # WHAT PATTERN
    local files
    # shellcheck disable=SC2086
    files=$(found "$2" $outside | cut -d: -f1 | sort -u)
    [ "$(printf '%s\n' "$files" | grep -c .)" -le 1 ] || refuse "$1" "$files"
}
once "activations are collected in one place" 'SiteCollector\('
once "logits are asked for in one place" 'LogitsRequest\('
once "the memory of a run is known in one place" 'RunMemory\('
refuse "a stream of random numbers has a name" "$(found 'stream: (0x|[0-9])' Sources)"
refuse "the shell says an error in its own words: CommandError.words(error)" \
    "$(found '\\\(error\)' $(find Sources/Shell/Commands Sources/Shell/Console -name '*.swift'))"
refuse "nothing is re-exported" "$(found '@_exported' Sources)"
refuse "there is one Verdict" "$(found '\benum Verdict\b' Sources | tail -n +2)"
# The shell stays readable: lines in all, of a file, of a folder other than those of commands.
lines() { find "$1" -name '*.swift' -exec cat {} + | wc -l; }
[ "$(lines Sources/Shell)" -le 14000 ] || refuse "the shell has at most 14,000 lines" "$(lines Sources/Shell)"
refuse "a file of the shell has at most 400 lines" \
    "$(find Sources/Shell -name '*.swift' -exec awk 'END { if (FNR > 400) print FILENAME ": " FNR }' {} \;)"
for folder in Sources/Shell/Session Sources/Shell/Console; do
    [ "$(lines $folder)" -le 3000 ] || refuse "a folder of the shell has at most 3,000 lines" "$folder: $(lines $folder)"
done
python3 Scripts/checks/cycles.py >&2 || status=1
[ $status -ne 0 ] || echo "walls: they stand"
exit $status
