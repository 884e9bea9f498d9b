#!/usr/bin/env bash
# Compares what a real model computes with each level of kernels that this processor has: the file of a capture of every
# site, byte for byte, and 64 decoded tokens of several continuations with their log-probabilities.
#   Scripts/checks/levels.sh [CHECKPOINT]     Downloads/smollm2.h5, or pearl-base where that was not fetched
set -euo pipefail
cd "$(dirname "$0")/../.."

swift build -c release --product nacre 2>&1 | grep -E 'error|warning: ' || true
nacre=$(swift build -c release --show-bin-path)/nacre
checkpoint=${1:-Downloads/smollm2.h5}
[ -f "$checkpoint" ] || checkpoint=Checkpoints/pearl-base.h5
checkpoint=$(realpath "$checkpoint")
levels=$("$nacre" --no-init --mode json -c 'show machine' | grep -o '"available"[^}]*' |
    grep -oE 'portable|avx2|avx512|neon' | sort -u)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cat >"$work/levels.nacre" <<'END'
let text = "The history of the city begins with the river: the first houses stood on its banks, and every street led to it."
capture blocks.*.hook_resid_pre blocks.*.hook_q blocks.*.hook_z blocks.*.hook_attn_out blocks.*.hook_resid_mid blocks.*.mlp.hook_pre blocks.*.mlp.hook_post blocks.*.hook_mlp_out blocks.*.hook_resid_post ln_final.hook_normalized logits --at all --text "$text" --to sites.h5
generate "The history of the city" --tokens 64 --ignore-end
generate "The history of the city" --tokens 64 --ignore-end --top-p 0.9 --count 3
texts = prompts english.txt
loss --prompts texts
END
first=
for level in $levels; do
    mkdir "$work/$level"
    cp Scripts/prompts/english.txt "$work/$level"
    (cd "$work/$level" && NACRE_KERNEL=$level "$nacre" --no-init --threads 2 --mode json "$checkpoint" \
        -f "$work/levels.nacre" >answers.json)
    for file in sites.h5 answers.json; do
        echo "$level $file $(sha256sum <"$work/$level/$file" | cut -c1-16)"
        [ -z "$first" ] || cmp "$work/$first/$file" "$work/$level/$file" || exit 1
    done
    first=${first:-$level}
done
