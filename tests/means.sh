#!/usr/bin/env bash
# Means of Vedette's scores over generated seeds, one row a scene.
#
#     cargo build --release -p vedette -p vedette-sim
#     tests/means.sh target/release 10          seeds 1 to 10
#     tests/means.sh target/release 40 81       40 seeds, the first of them 81
set -euo pipefail
programs=${1:-target/release}
seeds=${2:-10}
first=${3:-1}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

printf '%-6s %8s %8s %8s %8s %10s\n' scene GOSPA missed false switches 'delay s'
for scene in s10 s50 g50 h50 het12; do
    options=()
    score=()
    if [ "$scene" = het12 ]; then
        options=(--every 1s)
        score=(--latency 4)
    fi
    for seed in $(seq "$first" $((first + seeds - 1))); do
        "$programs/vedette-sim" generate --bench "$scene" --seed "$seed" --out "$scratch/scene" >"$scratch/written"
        "$programs/vedette" replay "$scratch/scene/detections.jsonl" --config "$scratch/scene/gateway.toml" \
            --tracks "$scratch/tracks.jsonl" "${options[@]}" 2>/dev/null
        "$programs/vedette" score --truth "$scratch/scene/truth.csv" --tracks "$scratch/tracks.jsonl" "${score[@]}"
    done | python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
keys = ("gospa", "missed", "false", "idsw", "mean_delay_all")
means = [sum(row[key] for row in rows) / len(rows) for key in keys]
print("{:6} {:8.1f} {:8.2f} {:8.2f} {:8.1f} {:10.2f}".format(sys.argv[1], *means))
' "$scene"
done
