#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Cyrus IMAP on loopback, all state in one work directory that start.sh does not use.
#
#   cyrus.sh start WORKDIR    certificates, configuration, server; settings in WORKDIR/env
#   cyrus.sh stop WORKDIR     by the recorded process id, after checking that it belongs to WORKDIR
#   cyrus.sh deliver WORKDIR USER FILE    a message, by LMTP
#   cyrus.sh kick WORKDIR USER            ends the user's connections
#
# LAB_PARENT=PID: stopped when that process has ended; LAB_REMOVE=yes: and WORKDIR removed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
usage() { sed -n '3,11p' "$0"; exit 2; }
case "${1:-} $#" in "start 2" | "stop 2" | "deliver 4" | "kick 3") ;; *) usage ;; esac
mkdir -p "$2"
W=$(cd "$2" && pwd)

in_memory_no_more() {
  local part
  for part in state spool; do
    if [ -L "$W/$part" ]; then rm -rf "$(readlink "$W/$part")" "$W/$part"; fi
  done
}

stop() {
  local pid
  [ -s "$W/run/master.pid" ] || { echo "cyrus: not running"; return 0; }
  pid=$(tr -dc 0-9 <"$W/run/master.pid")
  kill -0 "$pid" 2>/dev/null || { echo "cyrus: not running"; return 0; }
  case "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" in
    *"$W"*) ;;
    *) echo "cyrus: pid $pid is not ours, left alone"; return 1 ;;
  esac
  # The master ends its children: it leads a process group of its own.
  kill -TERM "$pid"
  for try in $(seq 500); do
    if ! kill -0 "$pid" 2>/dev/null; then
      in_memory_no_more
      echo "cyrus: stopped"
      return 0
    fi
    # Asked while a child was just taking a connection, it may count one too many, and wait (3.6.1): what runs
    # from this folder is ended, each by its id.
    if [ "$try" = 150 ]; then
      for link in /proc/[0-9]*/exe; do
        case "$(readlink "$link")" in "$W/server/"*) kill -KILL "$(basename "$(dirname "$link")")" || true ;; esac
      done
    fi
    sleep 0.02
  done
  echo "cyrus: pid $pid did not end within 10 s"
  return 1
}

deliver() {
  LD_LIBRARY_PATH=$W/server/lib "$W/server/bin/deliver" -C "$W/conf/imapd.conf" "$1@$LAB_DOMAIN" <"$2"
}

kick() {
  # Each server process tells there whom it serves.
  local file
  for file in $(grep -rlw "$1@$LAB_DOMAIN" "$W/run/proc"); do kill -TERM "$(basename "$file")"; done
}

case "$1" in
  stop) stop; exit ;;
  deliver) . "$W/env"; deliver "$3" "$4"; exit ;;
  kick) . "$W/env"; kick "$3"; exit ;;
esac

DOMAIN=${LAB_DOMAIN:-lab.test}
LAB_USERS=${LAB_USERS:-"alice bob carol dave"}
LAB_PASSWORD=${LAB_PASSWORD:-lab-secret}
command -v openssl >/dev/null || { echo "missing: openssl" >&2; exit 3; }
unpacked=$("$here/unpack_cyrus.sh" --where)
if [ "$(id -u)" = 0 ]; then SERVER_USER=mail SERVER_GROUP=mail; else SERVER_USER=$(id -un) SERVER_GROUP=$(id -gn); fi

mkdir -p "$W"/{server,conf,run,tls}
# Each change is made durable before it is answered. What is thrown away anyway goes to memory, if that has room.
memory=/dev/shm
if [ -n "${LAB_REMOVE:-}" ] && [ ! -e "$W/state" ] && [ -w "$memory" ] &&
  [ "$(df --output=avail -k "$memory" | tail -1)" -gt 262144 ]; then
  for part in state spool; do
    ln -s "$(mktemp -d "$memory/syncline-cyrus.XXXXXX")" "$W/$part"
  done
fi
mkdir -p "$W"/spool "$W"/state/{db,socket}
chmod 755 "$W" "$W"/{server,conf,run,tls,spool,state}
# The server's user may not be able to enter the folder that it was unpacked to.
cp -r "$unpacked/bin" "$unpacked/lib" "$W/server/"
chmod -R a+rX "$W/server"
export LD_LIBRARY_PATH=$W/server/lib
for program in "$W"/server/bin/*; do
  if ldd "$program" | grep 'not found' >&2; then echo "missing: a library of $program" >&2; exit 3; fi
done

. "$here/certificates.sh"
lab_certificates "$W/tls" "$DOMAIN"

if [ -s "$W/env" ]; then
  . "$W/env"
else
  read -r LAB_IMAP LAB_IMAPS LAB_IMAPS_EXPIRED LAB_IMAP_EXPIRED < <("$here/free_ports.py" 4)
fi

cat >"$W/conf/imapd.conf" <<CONF
configdirectory: $W/state
proc_path: $W/run/proc
mboxname_lockpath: $W/run/lock
defaultpartition: default
partition-default: $W/spool
cyrus_user: $SERVER_USER
cyrus_group: $SERVER_GROUP
servername: mail.$DOMAIN
virtdomains: userid
altnamespace: yes
unixhierarchysep: yes
allowplaintext: no
failedloginpause: 0
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: $W/state/sasldb2
sasl_mech_list: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256
sasl_auto_transition: no
autocreate_quota: 0
autocreate_post: yes
autocreate_inbox_folders: Sent|Drafts|Trash|Junk
autocreate_subscribe_folders: Sent|Drafts|Trash|Junk
xlist-sent: Sent
xlist-drafts: Drafts
xlist-trash: Trash
xlist-junk: Junk
duplicatesuppression: no
munge8bit: no
idlesocket: $W/run/idle
lmtpsocket: $W/run/lmtp
tls_server_cert: $W/tls/server.pem
tls_server_key: $W/tls/server.key
tls_session_timeout: 0
imapsexpired_tls_server_cert: $W/tls/expired.pem
imapsexpired_tls_server_key: $W/tls/expired.key
imapexpired_tls_server_cert: $W/tls/expired.pem
imapexpired_tls_server_key: $W/tls/expired.key
CONF
cat >"$W/conf/cyrus.conf" <<CONF
START {
  recover cmd="$W/server/bin/ctl_cyrusdb -C $W/conf/imapd.conf -r"
}
SERVICES {
  imap cmd="$W/server/bin/imapd -C $W/conf/imapd.conf" listen="127.0.0.1:$LAB_IMAP" prefork=1
  imaps cmd="$W/server/bin/imapd -C $W/conf/imapd.conf -s" listen="127.0.0.1:$LAB_IMAPS" prefork=1
  imapexpired cmd="$W/server/bin/imapd -C $W/conf/imapd.conf" listen="127.0.0.1:$LAB_IMAP_EXPIRED" prefork=0
  imapsexpired cmd="$W/server/bin/imapd -C $W/conf/imapd.conf -s" listen="127.0.0.1:$LAB_IMAPS_EXPIRED" prefork=0
  lmtp cmd="$W/server/bin/lmtpd -C $W/conf/imapd.conf" listen="$W/run/lmtp" prefork=0
}
DAEMON {
  idled cmd="$W/server/bin/idled -C $W/conf/imapd.conf"
}
CONF
for user in $LAB_USERS; do
  printf %s "$LAB_PASSWORD" | "$W/server/bin/saslpasswd2" -p -c -f "$W/state/sasldb2" -u "$DOMAIN" "$user"
done
if [ "$(id -u)" = 0 ]; then
  chown -R "$SERVER_USER:$SERVER_GROUP" "$W"/{run,tls} "$W"/{spool,state}/
fi
cat >"$W/env" <<CONF
export LAB_HOST=127.0.0.1 LAB_DOMAIN=$DOMAIN LAB_PASSWORD=$LAB_PASSWORD LAB_CA=$W/tls/ca.pem
export LAB_IMAP=$LAB_IMAP LAB_IMAPS=$LAB_IMAPS LAB_IMAP_EXPIRED=$LAB_IMAP_EXPIRED LAB_IMAPS_EXPIRED=$LAB_IMAPS_EXPIRED
CONF

"$W/server/bin/master" -d -C "$W/conf/imapd.conf" -M "$W/conf/cyrus.conf" -p "$W/run/master.pid"
for port in "$LAB_IMAP" "$LAB_IMAPS" "$LAB_IMAP_EXPIRED" "$LAB_IMAPS_EXPIRED"; do
  for _ in $(seq 400); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
    sleep 0.05
  done
  echo "port $port did not open" >&2
  exit 1
done
if [ -n "${LAB_PARENT:-}" ]; then
  # A test that dies leaves nothing behind.
  (trap '' INT HUP TERM; while kill -0 "$LAB_PARENT" 2>/dev/null; do sleep 1; done
   [ -s "$W/env" ] && "$here/cyrus.sh" stop "$W" && [ -n "${LAB_REMOVE:-}" ] && rm -rf "$W") \
    </dev/null >/dev/null 2>&1 3>&- &
fi
echo "cyrus up: imap $LAB_IMAP/$LAB_IMAPS; settings in $W/env"
