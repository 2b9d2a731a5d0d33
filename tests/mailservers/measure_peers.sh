#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the peer programs against a running lab and prints one CSV line per run:
#   case,wall_s,user_s,sys_s,peak_rss_kb,messages,load_before
#   measure_peers.sh WORKDIR [ROUNDS=3]
# Needs: isync mpop fetchmail getmail6 msmtp time, postfix (for smtp-source); a mailbox filled by
# gen_messages.py for alice. Everything fetched goes to a fresh folder on /dev/shm, removed at the end.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
W=$(cd "$1" && pwd) || exit 2; ROUNDS=${2:-3}
. "$W/env"
D=$(mktemp -d "${TMPFS:-/dev/shm}/peers.XXXXXX"); trap 'rm -rf "$D"' EXIT
chmod 755 "$D"; U=alice@$LAB_DOMAIN; P=$LAB_PASSWORD

mb() { # name extra-account-line fsync -> config
  printf 'FSync %s\n\nIMAPAccount a\nHost localhost\nPort %s\nUser %s\nPass %s\nSSLType IMAPS\nCertificateFile %s\nSystemCertificates no\n%s\n\nIMAPStore r\nAccount a\n\nMaildirStore l\nPath %s/mb/\nInbox %s/mb/INBOX\nSubFolders Verbatim\n\nChannel c\nFar :r:\nNear :l:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n' \
    no "$LAB_IMAPS" "$U" "$P" "$LAB_CA" "$2" "$D" "$D" | sed '/^$/N;/^\n$/D' > "$D/$1"
}
# a blank line ends a section, so an absent extra line must not leave one behind
mb mb.deflate "Timeout 60"; mb mb.plain "DisableExtension COMPRESS=DEFLATE"
pop() { printf 'account a\nhost localhost\nport %s\ntls on\ntls_starttls off\ntls_trust_file %s\nuser %s\npassword %s\nauth user\nkeep on\nonly_new off\npipelining %s\nreceived_header off\nuidls_file %s/mpop.uidls\ndelivery maildir %s/mpop\n' \
  "$LAB_POP3S" "$LAB_CA" "$U" "$P" "$2" "$D" "$D" > "$D/$1"; chmod 600 "$D/$1"; }
pop mpop.on on; pop mpop.off off
for x in IMAP:$LAB_IMAPS POP3:$LAB_POP3S; do
  printf 'poll localhost with proto %s service %s user "%s" password "%s" ssl sslcertck sslcertfile %s keep fetchall bsmtp "%s/fm.out"\n' \
    "${x%:*}" "${x#*:}" "$U" "$P" "$LAB_CA" "$D" > "$D/fm.${x%:*}"; chmod 600 "$D/fm.${x%:*}"
done
gm() { mkdir -p "$D/gm-$1"; printf '[retriever]\ntype = Simple%sSSLRetriever\nserver = localhost\nport = %s\nusername = %s\npassword = %s\nca_certs = %s\n%s\n[destination]\ntype = Maildir\npath = %s/gmail/\nuser = mail\n[options]\nread_all = true\ndelete = false\ndelivered_to = false\nreceived = false\nverbose = 0\nmax_messages_per_session = %s\n' \
  "$1" "$2" "$U" "$P" "$LAB_CA" "$3" "$D" "$4" > "$D/gm-$1/getmailrc"; }
gm IMAP "$LAB_IMAPS" 'mailboxes = ("INBOX",)' 1000; gm POP3 "$LAB_POP3S" "" 200
printf 'account a\nhost localhost\nport %s\ntls on\ntls_starttls off\ntls_trust_file %s\nauth plain\nuser %s\npassword %s\nfrom %s\n' "$LAB_SMTPS" "$LAB_CA" "$U" "$P" "$U" > "$D/msmtp"; chmod 600 "$D/msmtp"
"$here/gen_messages.py" --eml "$D/send" --count 1000 --max-kb 20 --seed 7 2>/dev/null
cat > "$D/msmtp100" <<X
#!/bin/bash
for f in "$D"/send/000*.eml; do msmtp -C "$D/msmtp" -a a sink@$LAB_DOMAIN < "\$f" || exit 1; done
X
chmod +x "$D/msmtp100"

run() { # case count-command -- command...
  local name=$1 count=$2 l t; shift 3
  l=$(cut -d' ' -f1 /proc/loadavg)
  t=$(timeout "${LIMIT:-240}" /usr/bin/time -f "T,%e,%U,%S,%M" "$@" 2>&1 | grep -a '^T,' | tail -1)
  echo "$name,${t#T,},$(eval "$count"),$l"
}
maildir() { rm -rf "$D/$1"; mkdir -p "$D/$1"/{cur,new,tmp}; [ "$(id -u)" = 0 ] && chown -R mail: "$D/$1"; return 0; }
echo case,wall_s,user_s,sys_s,peak_rss_kb,messages,load_before
for _ in $(seq "$ROUNDS"); do
  for v in plain deflate; do
    rm -rf "$D/mb"; mkdir "$D/mb"
    run "mbsync-$v" "find $D/mb/INBOX/cur $D/mb/INBOX/new -type f | wc -l" -- mbsync -q -c "$D/mb.$v" c
  done
  run mbsync-nothing-new "find $D/mb/INBOX/cur $D/mb/INBOX/new -type f | wc -l" -- mbsync -q -c "$D/mb.deflate" c
  for v in on off; do
    rm -f "$D/mpop.uidls"; maildir mpop
    run "mpop-pipelining-$v" "ls $D/mpop/new | wc -l" -- mpop -q -C "$D/mpop.$v" a
  done
  for v in IMAP POP3; do
    rm -f "$D/fm.out" "$D/.fetchids"
    run "fetchmail-$v" "grep -a -c '^MAIL FROM:' $D/fm.out" -- env HOME="$D" FETCHMAILHOME="$D" fetchmail -s -f "$D/fm.$v"
  done
  for v in IMAP POP3; do
    maildir gmail; rm -f "$D/gm-$v"/oldmail*
    run "getmail6-$v" "ls $D/gmail/new | wc -l" -- getmail --getmaildir "$D/gm-$v" -r getmailrc
  done
  run msmtp-100-connections "echo 100" -- "$D/msmtp100"
  command -v smtp-source >/dev/null && run smtp-source-plain-1000 "echo 1000" -- smtp-source -s 1 -m 1000 -d -l 12418 -f "$U" -t "sink@$LAB_DOMAIN" "127.0.0.1:$LAB_SMTP"
done
