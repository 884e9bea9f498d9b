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
refuse "nothing is re-exported" "$(found '@_exported' Sources)"
refuse "there is one Verdict" "$(found '\benum Verdict\b' Sources | tail -n +2)"
[ $status -ne 0 ] || echo "walls: they stand"
exit $status
