#!/usr/bin/env bash
# Builds every board image, prints what each needs, and fails when one is over its budget.
#
# usage: firmware/build.sh
#
# With rustup's servers in reach this is `cargo build --release` for the board's target. Where only a Debian mirror and crates.io are,
# Debian's rustc-web (which brings the sources of core) is unpacked into $VEDETTE_TOOLCHAIN (default: ~/.cache/vedette-toolchain)
# without installing anything, and core is built along.
set -euo pipefail
target=thumbv7em-none-eabihf
tools=${VEDETTE_TOOLCHAIN:-$HOME/.cache/vedette-toolchain}
cd "$(dirname "$0")/boards/mps2-an386"

# Budgets in bytes, image by image: flash, and RAM with the stack below.
declare -A flash_budget=([node]=65536 [concentrator]=32768 [geophone_cost]=32768)
declare -A ram_budget=([node]=16384 [concentrator]=16384 [geophone_cost]=16384)
# The deepest stack as `vedette-sim hil` measures it on the emulated boards, and half a KiB; that run fails when less is to spare. The linker
# places the stack in what static data leave of the RAM. That of geophone_cost is an allowance.
declare -A stack=([node]=14080 [concentrator]=5120 [geophone_cost]=4096)

unpack_debian() {
    [ -e "$tools/complete" ] && return
    command -v apt-get dpkg >/dev/null || { echo "neither rustup's $target nor a Debian system: cannot build" >&2; exit 1; }
    local version llvm
    version=$(apt-cache policy rustc-web | awk '/Candidate:/ { print $2 }')
    llvm=$(apt-cache depends rustc-web libstd-rust-web-"$(cut -d. -f1,2 <<<"$version")" | awk '/Depends: libllvm/ { print $2; exit }')
    rm -rf "$tools" && mkdir -p "$tools/packages"
    (cd "$tools/packages" && apt-get -q download rustc-web cargo-web rust-web-src libstd-rust-web-dev \
        libstd-rust-web-"$(cut -d. -f1,2 <<<"$version")" "$llvm" \
        libgit2-1.5 libhttp-parser2.9 libmbedtls14 libmbedx509-1 libmbedcrypto7)
    for package in "$tools"/packages/*.deb; do dpkg -x "$package" "$tools"; done
    rm -r "$tools/packages"
    touch "$tools/complete"
}

if rustup target list --installed 2>/dev/null | grep -q "$target" || timeout 30 rustup target add "$target" >/dev/null 2>&1; then
    cargo build --release --locked --target "$target"
else
    unpack_debian
    linker=$(find "$(rustc --print sysroot)/lib/rustlib" -name rust-lld -print -quit)
    libraries="$tools/usr/lib/x86_64-linux-gnu:$(echo "$tools"/usr/lib/llvm-*/lib)"
    LD_LIBRARY_PATH=$libraries RUSTC=$tools/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
        CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER=$linker \
        "$tools/usr/bin/cargo" build --release --locked -Zbuild-std=core --target "$target"
fi

over=0
printf '%-16s %8s %8s %8s %8s %8s\n' image flash budget static stack budget
for image in node concentrator geophone_cost; do
    file=${CARGO_TARGET_DIR:-target}/$target/release/$image
    # Sections of the image in flash (.data has its copy there) and in RAM, by name.
    read -r flash static < <(readelf -SW "$file" | sed 's/^ *\[ *[0-9]*\] *//' | awk '
        function number(text,   value, i) { value = 0; for (i = 1; i <= length(text); i++) value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1; return value }
        $1 ~ /^\.(vector_table|text|rodata|data)$/ { flash += number($5) }
        $1 ~ /^\.(data|bss|uninit)$/ { ram += number($5) }
        END { print flash + 0, ram + 0 }')
    printf '%-16s %8d %8d %8d %8d %8d\n' "$image" "$flash" "${flash_budget[$image]}" "$static" "${stack[$image]}" "${ram_budget[$image]}"
    if [ "$flash" -gt "${flash_budget[$image]}" ] || [ $((static + ${stack[$image]})) -gt "${ram_budget[$image]}" ]; then
        echo "$image is over its budget" >&2
        over=1
    fi
done
exit $over
