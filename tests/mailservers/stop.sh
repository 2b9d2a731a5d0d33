#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Stops what start.sh started in WORKDIR, by the process ids recorded there,
# after checking that each id still belongs to this work directory.
#   stop.sh WORKDIR
set -uo pipefail
[ $# -eq 1 ] || { sed -n '3,6p' "$0"; exit 2; }
W=$(cd "$1" && pwd) || exit 2
rc=0
stop() { # label pidfile what-proves-it-is-ours
  local pid proof
  [ -s "$2" ] || { echo "$1: not running"; return; }
  pid=$(tr -dc 0-9 < "$2")
  kill -0 "$pid" 2>/dev/null || { echo "$1: not running"; rm -f "$2"; return; }
  proof="$(tr '\0' ' ' < /proc/$pid/cmdline 2>/dev/null) $(readlink /proc/$pid/cwd 2>/dev/null)"
  case "$proof" in *"$W"*) ;; *) echo "$1: pid $pid is not ours, left alone"; rc=1; return 1;; esac
  kill -TERM "$pid"
  for _ in $(seq 500); do kill -0 "$pid" 2>/dev/null || { echo "$1: stopped"; return; }; sleep 0.02; done
  echo "$1: pid $pid did not end within 10 s"; rc=1; return 1
}
stop postfix "$W/queue/pid/master.pid" &
first=$!
stop dovecot "$W/run/dovecot/master.pid"
wait "$first" || rc=1
exit $rc
