#!/usr/bin/env bash
# usage: tests/fuzz/run.sh SECONDS [TARGET..]      runs each target for so long; what breaks one is kept in tests/fuzz/artifacts
# FUZZ_FLAGS goes to cargo fuzz: `FUZZ_FLAGS=--dev` builds in a fifth of the time and runs slower. Without a sanitizer: no crate
# of ours may use unsafe code, so what there is to find are panics, overflows, hangs and memory.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list --fuzz-dir tests/fuzz)
for target in "${targets[@]}"; do
    corpus=tests/fuzz/corpus/$target
    mkdir -p "$corpus"
    seeds=()
    [ "$target" = configuration ] && seeds=(config daemon/engine/tests/fixtures)
    [ "$target" = messages ] && seeds=(tests/fuzz/seeds/messages)
    [ "$target" = codecs ] && seeds=(tests/fuzz/seeds/codecs)
    cargo +nightly fuzz run --sanitizer none ${FUZZ_FLAGS:-} --fuzz-dir tests/fuzz "$target" "$corpus" "${seeds[@]}" -- \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1
done
