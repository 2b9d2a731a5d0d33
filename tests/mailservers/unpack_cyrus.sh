#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Gets Cyrus IMAP for the tests. Debian's package cannot be installed beside Dovecot's, so it is downloaded
# and unpacked into a folder of its own; nothing of it runs before cyrus.sh starts it.
#   unpack_cyrus.sh           downloads and unpacks, unless it is there
#   unpack_cyrus.sh --where   prints the folder; exit status 3 if nothing is there
set -euo pipefail
folder=${SYNCLINE_CYRUS:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/syncline/cyrus}
packages=(cyrus-common cyrus-imapd sasl2-bin)
done_mark=$folder/.complete

if [ "${1:-}" = --where ]; then
  [ -e "$done_mark" ] || { echo "missing: Cyrus IMAP (tests/mailservers/unpack_cyrus.sh gets it)" >&2; exit 3; }
  echo "$folder"
  exit 0
fi
[ -e "$done_mark" ] && exit 0

mkdir -p "$(dirname "$folder")"
fresh=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
mkdir "$fresh/debs"
download() { (cd "$fresh/debs" && apt-get download -q "${packages[@]}" 2>"$fresh/error" >/dev/null); }
if ! download; then
  # No package lists yet, or old ones.
  if [ "$(id -u)" = 0 ]; then apt-get update -q; else sudo apt-get update -q; fi
  download || { cat "$fresh/error" >&2; exit 1; }
fi
for deb in "$fresh"/debs/*.deb; do dpkg-deb -x "$deb" "$fresh/root"; done
# What the servers need, with names that do not depend on the architecture.
mkdir "$fresh/bin" "$fresh/lib"
mv "$fresh"/root/usr/lib/cyrus/bin/{master,imapd,idled,lmtpd,deliver,ctl_cyrusdb} "$fresh/bin/"
mv "$fresh/root/usr/sbin/saslpasswd2" "$fresh/bin/"
mv "$fresh"/root/usr/lib/*/libcyrus*.so.* "$fresh/lib/"
rm -rf "$fresh/root" "$fresh/debs" "$fresh/error"
: >"$fresh/.complete"
chmod 755 "$fresh"
rm -rf "$folder"
mv -T "$fresh" "$folder"
