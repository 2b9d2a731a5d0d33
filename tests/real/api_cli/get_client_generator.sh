#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what test_api_client.py makes a client with, once, into a cache folder: a generator of clients for OpenAPI
# documents, and the compiler of what it makes. Prints the folder.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=$(sha256sum "$here/client/package.json" | cut -c1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/syncline/api-client-$version
if [ ! -e "$folder/done" ]; then
  mkdir -p "$folder"
  cp "$here/client/package.json" "$folder/"
  (cd "$folder" && npm install --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
  touch "$folder/done"
fi
echo "$folder"
