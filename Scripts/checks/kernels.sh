#!/usr/bin/env bash
# Checks that the product's kernels give the same bits at every level: those of this processor as they are; AVX-512 and
# AMX by emulation in C; a Haswell processor and an arm64 one in qemu-user, where it and a cross compiler are installed.
#   Scripts/checks/kernels.sh [quick]
# On Debian: apt-get install qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quick=${1:-}
sources="portable avx2 avx512 neon amx levels product"
cc=$(command -v clang || command -v cc)

compile() { # COMPILER FOLDER FLAGS...: the objects of all sources and the program itself
    local compiler=$1 folder=$work/$2
    shift 2
    mkdir -p "$folder"
    for source in $sources; do
        "$compiler" -O2 -ffp-contract=off "$@" -c "Sources/CKernels/$source.c" -o "$folder/$source.o"
    done
    "$compiler" -O2 -ffp-contract=off -w -ISources/CKernels/include "$@" Scripts/checks/kernels.c "$folder"/*.o -lm \
        -o "$folder/kernels"
}

hashes=$work/hashes
same() { # One hash for each size of the check.
    [ -z "$(sort -u "$hashes" | cut -d' ' -f1 | uniq -d)" ] || { echo "kernels: hashes differ"; exit 1; }
    : >"$hashes"
}
check() { # WHAT COMMAND...: runs it and keeps the hash
    local what=$1 status=0
    shift
    "$@" >"$work/line" || status=$?
    [ $status -eq 3 ] && { printf '%-28s not here\n' "$what"; return; }
    printf '%-28s %s\n' "$what" "$(cat "$work/line")"
    [ $status -eq 0 ] || exit 1
    local size=${*: -1}
    case $size in quick | brief) ;; *) size=all ;; esac
    echo "$size $(grep -o 'hash.*' "$work/line")" >>"$hashes"
}

compile "$cc" native
for level in portable avx2 avx512 neon; do check "this processor" "$work/native/kernels" "$level" $quick; done
if [ "$(uname -m)" = x86_64 ]; then
    mkdir -p "$work/emulated"
    cp "$work"/native/*.o "$work/emulated"
    for source in avx512 amx; do
        "$cc" -O2 -ffp-contract=off -march=x86-64-v3 -include Scripts/checks/emulated.h \
            -c "Sources/CKernels/$source.c" -o "$work/emulated/$source.o"
    done
    "$cc" -O2 -ffp-contract=off -w -DEMULATED -march=x86-64-v3 -ISources/CKernels/include Scripts/checks/kernels.c \
        "$work"/emulated/*.o -lm -o "$work/emulated/kernels"
    check "emulated in C" "$work/emulated/kernels" avx512 $quick
fi
if command -v qemu-x86_64 >/dev/null; then
    # This processor has no AVX-512: were one of its instructions reached, the program would die.
    check "qemu, Haswell" qemu-x86_64 -cpu Haswell "$work/native/kernels" avx2 brief 2>/dev/null
    # A processor that is too old is told so in one line, before an instruction that it lacks is reached.
    status=0
    line=$(qemu-x86_64 -cpu Nehalem "$work/native/kernels" avx2 brief 2>&1 | grep '^nacre: ') || status=$?
    printf '%-28s %s\n' "qemu, Nehalem" "${line:-said nothing}"
    [ $status -eq 0 ] || exit 1
fi
if command -v qemu-aarch64 >/dev/null && command -v aarch64-linux-gnu-gcc >/dev/null; then
    compile aarch64-linux-gnu-gcc arm -static
    for level in neon portable; do check "qemu, arm64" qemu-aarch64 "$work/arm/kernels" "$level" brief; done
fi
check "this processor" "$work/native/kernels" portable brief
same

# The matrix unit has an order of its own, and so a hash of its own.
if [ "$(uname -m)" = x86_64 ]; then
    check "this processor" "$work/native/kernels" amx $quick
    check "emulated in C" "$work/emulated/kernels" amx $quick
    same
fi
