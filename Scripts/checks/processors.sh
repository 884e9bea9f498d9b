#!/usr/bin/env bash
# Runs all of Scripts/test at each level of kernels that this processor has, the real model's captures at each, and the
# program on a processor that is too old, in qemu-user. With portable kernels the tests take several times as long.
#   Scripts/checks/processors.sh
# On Debian: apt-get install qemu-user
set -euo pipefail
cd "$(dirname "$0")/../.."

levels=portable
if [ "$(uname -m)" = x86_64 ]; then
    for level in avx2 avx512f:avx512 amx_bf16:amx; do
        grep -qw "${level%%:*}" /proc/cpuinfo && levels="$levels ${level##*:}"
    done
else
    levels="$levels neon"
fi
for level in $levels; do
    echo "processors: $level"
    NACRE_KERNEL=$level Scripts/test
done
Scripts/checks/levels.sh
if [ "$(uname -m)" = x86_64 ] && command -v qemu-x86_64 >/dev/null; then
    nacre=$(swift build -c release --show-bin-path)/nacre
    status=0
    line=$(qemu-x86_64 -cpu Nehalem "$nacre" --no-init -c help 2>&1 | grep -v 'warning: TCG') || status=$?
    echo "processors: Nehalem: $line"
    case $line in
        "nacre: this processor has no AVX2"*) ;;
        *) echo "processors: on a processor without AVX2 nacre does not say so"; exit 1 ;;
    esac
fi
