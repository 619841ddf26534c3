#!/usr/bin/env bash
# Builds the Debian package, without the demo: config/package/build.sh [PROFILE [VERSION-SUFFIX]]. Prints the package's path.
# With the profile `dev`, the binary that is there already is packed, for a test of the package itself.
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:-release}
suffix=${2:-1}
folder=$profile
[ "$profile" = dev ] && folder=debug
if [ "$profile" != dev ]; then
    cargo build --quiet --profile "$profile" -p vedette --no-default-features >&2
fi
generated=target/package
rm -rf "$generated"
mkdir -p "$generated/man" "$generated/completions"
"target/$folder/vedette" man "$generated/man" >&2
gzip -9n "$generated"/man/*
for shell in bash zsh fish; do
    "target/$folder/vedette" completions "$shell" >"$generated/completions/$shell"
done
fast=()
[ "$profile" = dev ] && fast=(--fast)
cargo deb --quiet -p vedette "${fast[@]}" --no-build --no-strip --profile "$profile" --deb-revision "$suffix" --output target/debian/ >&2
ls -t target/debian/*.deb | head -1
