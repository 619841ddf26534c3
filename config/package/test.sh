#!/usr/bin/env bash
# Installs, upgrades, removes and purges the package in a Debian tree of its own, and looks after each step:
# config/package/test.sh [PROFILE]. Needs root and debootstrap; TREE names a tree to use again.
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:-release}
# Building one package deletes the one before.
packages=$(mktemp -d)
for revision in 1 2; do
    cp "$(config/package/build.sh "$profile" "$revision")" "$packages/$revision.deb"
done
tree=${TREE:-$(mktemp -d)}
cleanup() { rm -rf "$packages"; [ -n "${TREE:-}" ] || rm -rf "$tree"; }
trap cleanup EXIT
if [ ! -x "$tree/usr/bin/dpkg" ]; then
    debootstrap --variant=minbase --include=systemd,procps bookworm "$tree" "${MIRROR:-http://deb.debian.org/debian}" >/dev/null
fi
inside() { chroot "$tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }
say() { printf '%-60s %s\n' "$1" ok; }
enabled=/etc/systemd/system/multi-user.target.wants/vedette.service

cp "$packages/1.deb" "$tree/first.deb"
cp "$packages/2.deb" "$tree/second.deb"
inside dpkg --install /first.deb >/dev/null
inside vedette --version >/dev/null
[ -L "$tree$enabled" ]
[ "$(stat -c %a "$tree/etc/vedette/keys")" = 700 ]
[ -s "$tree/usr/share/man/man1/vedette.1.gz" ]
[ -s "$tree/usr/share/bash-completion/completions/vedette" ]
! inside vedette --help | grep -q demo || [ "$profile" = dev ]
inside vedette check /usr/share/doc/vedette/examples/gateway.toml >/dev/null
inside systemd-analyze verify --man=no vedette.service
say "installed, enabled, answers"

inside cp /usr/share/doc/vedette/examples/gateway.toml /etc/vedette/gateway.toml
inside sh -c 'umask 077; echo key >/etc/vedette/keys/node-1.toml; mkdir -p /var/lib/vedette; echo store >/var/lib/vedette/store.sqlite'
inside dpkg --install /second.deb >/dev/null
[ "$(inside dpkg-query --show --showformat='${Version}' vedette)" = "$(dpkg-deb --field "$packages/2.deb" Version)" ]
[ -L "$tree$enabled" ]
[ -s "$tree/etc/vedette/gateway.toml" ] && [ -s "$tree/etc/vedette/keys/node-1.toml" ] && [ -s "$tree/var/lib/vedette/store.sqlite" ]
say "upgraded, still enabled, configuration, keys and store kept"

inside dpkg --remove vedette >/dev/null
[ ! -e "$tree/usr/bin/vedette" ] && [ ! -e "$tree/lib/systemd/system/vedette.service" ]
[ -s "$tree/etc/vedette/keys/node-1.toml" ] && [ -s "$tree/var/lib/vedette/store.sqlite" ]
say "removed, keys and store kept"

inside rm /etc/vedette/gateway.toml
inside dpkg --purge vedette >/dev/null
[ ! -e "$tree/etc/vedette" ] && [ ! -e "$tree/var/lib/vedette" ] && [ ! -e "$tree$enabled" ]
left=$(inside find /etc /usr /lib /var -name '*vedette*' -not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -not -path '/var/lib/systemd/*')
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
say "purged, nothing left"
