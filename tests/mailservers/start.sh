#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Starts the mail lab: Dovecot (IMAP, POP3, LMTP) and Postfix (MX, submission,
# SMTPS) on loopback, all state in one work directory.
#
#   start.sh WORKDIR            write certificates and configuration, start both
#   start.sh WORKDIR --config   write certificates and configuration only
#   LAB_GSSAPI_KEYTAB=FILE      GSSAPI too, with these keys
#
# Ports are free ones, kept in WORKDIR/env from the first start on. With BASE_PORT the
# classic port is added to it. LAB_SMTP_SERVER=no: Dovecot alone. LAB_PARENT=PID: the lab
# is stopped when that process has ended. LAB_RELAY="DOMAIN=ADDRESS:PORT …": Postfix hands mail
# for these domains to those servers. LAB_FULL="NAME …": users whose mailbox has no room left.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '3,13p' "$0"; exit 2; }
mkdir -p "$1"
W=$(cd "$1" && pwd)
ONLY_CONFIG=${2:-}
DOMAIN=${LAB_DOMAIN:-lab.test}
LAB_USERS=${LAB_USERS:-"alice bob carol dave sink"}
LAB_PASSWORD=${LAB_PASSWORD:-lab-secret}

need() { command -v "$1" >/dev/null || { echo "missing: $1 (see README.md for the packages)" >&2; exit 3; }; }
need dovecot; need doveadm; need openssl; need python3

ports=(IMAP:143 IMAPS:993 POP3:110 POP3S:995 SMTP:25 SUBMIT:587 SMTPS:465)
if [ -s "$W/env" ]; then
  . "$W/env"
elif [ -n "${BASE_PORT:-}" ]; then
  for p in "${ports[@]}"; do declare "LAB_${p%:*}=$((BASE_PORT + ${p#*:}))"; done
else
  read -r -a free < <("$here/free_ports.py" ${#ports[@]})
  for i in "${!ports[@]}"; do declare "LAB_${ports[i]%:*}=${free[i]}"; done
fi
IMAP_PORT=$LAB_IMAP; IMAPS_PORT=$LAB_IMAPS; POP_PORT=$LAB_POP3; POPS_PORT=$LAB_POP3S
SMTP_PORT=$LAB_SMTP; SUBMIT_PORT=$LAB_SUBMIT; SMTPS_PORT=$LAB_SMTPS

SMTP=0
if [ "$(id -u)" = 0 ]; then
  if [ "${LAB_SMTP_SERVER:-yes}" = yes ]; then need postfix; SMTP=1; fi
  MAILU=mail; MAILG=mail; INTERNAL=dovecot; LOGINU=dovenull; SOCKU=$( [ $SMTP = 1 ] && echo postfix || echo root )
else
  # Dovecot runs happily as one ordinary user; the Postfix master needs root.
  MAILU=$(id -un); MAILG=$(id -gn); INTERNAL=$MAILU; LOGINU=$MAILU; SOCKU=$MAILU
  echo "not root: IMAP and POP3 only, no SMTP" >&2
fi

mkdir -p "$W"/{conf,log,run/dovecot,tls,home,keys/default/HS256,state}
chmod 755 "$W" "$W"/{conf,log,run,tls,home}

# --- certificates -------------------------------------------------------------
. "$here/certificates.sh"
lab_certificates "$W/tls" "$DOMAIN"

# --- users and token key ------------------------------------------------------
: > "$W/conf/users"; : > "$W/conf/vmailbox"
for u in $LAB_USERS ${LAB_FULL:-}; do
  case " ${LAB_FULL:-} " in *" $u "*) extra="userdb_quota_rule=*:bytes=10" ;; *) extra= ;; esac
  echo "$u@$DOMAIN:{PLAIN}$LAB_PASSWORD:$(id -u "$MAILU"):$(id -g "$MAILU")::$W/home/$u::$extra" >> "$W/conf/users"
  echo "$u@$DOMAIN ok" >> "$W/conf/vmailbox"
  mkdir -p "$W/home/$u"
  if [ "$(id -u)" = 0 ]; then chown "$MAILU:$MAILG" "$W/home/$u"; fi
done
if [ "$(id -u)" = 0 ]; then chown root:dovecot "$W/conf/users"; fi
chmod 640 "$W/conf/users"
[ -s "$W/keys/default/HS256/default" ] || openssl rand -base64 32 | tr -d '\n' > "$W/keys/default/HS256/default"
chmod -R a+rX "$W/keys"

# --- dovecot ------------------------------------------------------------------
cat > "$W/conf/oauth2.conf" <<CONF
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$W/keys/
username_attribute = email
username_format = %Lu
scope = mail
CONF
[ -n "$SOCKU" ] && SOCKOWN="user = $SOCKU"
GSSAPI=
if [ -n "${LAB_GSSAPI_KEYTAB:-}" ]; then
  GSSAPI="auth_krb5_keytab = $LAB_GSSAPI_KEYTAB
auth_gssapi_hostname = \"\$ALL\"
import_environment = TZ KRB5_CONFIG KRB5RCACHENAME"
fi
QUOTA=
if [ -n "${LAB_FULL:-}" ]; then
  # Postfix asks before it takes a message (Dovecot's quota-status): it is refused to the sender's face.
  QUOTA="plugin {
  quota = maildir:User quota
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = 552 5.2.2 Mailbox is full
}
service quota-status {
  executable = quota-status -p postfix
  client_limit = 1
  unix_listener quota-status {
    mode = 0660
    $SOCKOWN
  }
}"
fi
cat > "$W/conf/dovecot.conf" <<CONF
base_dir = $W/run/dovecot
state_dir = $W/state
instance_name = maillab
log_path = $W/log/dovecot.log
info_log_path = $W/log/dovecot-info.log
listen = 127.0.0.1
protocols = imap pop3$( [ $SMTP = 1 ] && echo ' lmtp' )
default_internal_user = $INTERNAL
default_internal_group = $( [ "$(id -u)" = 0 ] && echo dovecot || echo "$MAILG" )
default_login_user = $LOGINU
first_valid_uid = 1
mail_uid = $MAILU
mail_gid = $MAILG
mail_location = maildir:~/Maildir
mailbox_list_index = yes
mail_plugins = zlib${LAB_FULL:+ quota}
mail_max_userip_connections = 100
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer${LAB_GSSAPI_KEYTAB:+ gssapi}
$GSSAPI
$QUOTA
auth_cache_size = 1M
auth_verbose = yes
auth_failure_delay = 0
auth_username_format = %Lu
disable_plaintext_auth = no
ssl = yes
ssl_min_protocol = TLSv1.2
ssl_cert = <$W/tls/server.pem
ssl_key = <$W/tls/server.key
local_name wrongname.$DOMAIN {
  ssl_cert = <$W/tls/wrongname.pem
  ssl_key = <$W/tls/wrongname.key
}
local_name untrusted.$DOMAIN {
  ssl_cert = <$W/tls/untrusted.pem
  ssl_key = <$W/tls/untrusted.key
}
local_name expired.$DOMAIN {
  ssl_cert = <$W/tls/expired.pem
  ssl_key = <$W/tls/expired.key
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $W/conf/oauth2.conf
}
passdb {
  driver = passwd-file
  mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256${LAB_GSSAPI_KEYTAB:+ gssapi}
  args = scheme=PLAIN username_format=%u $W/conf/users
}
userdb {
  driver = passwd-file
  args = username_format=%u $W/conf/users
}
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    auto = subscribe
    special_use = \Drafts
  }
  mailbox Sent {
    auto = subscribe
    special_use = \Sent
  }
  mailbox Trash {
    auto = subscribe
    special_use = \Trash
  }
  mailbox Junk {
    auto = subscribe
    special_use = \Junk
  }
  mailbox Archive {
    auto = no
    special_use = \Archive
  }
}
protocol imap {
  mail_plugins = zlib imap_zlib${LAB_FULL:+ quota}
  imap_id_send = name *
}
protocol pop3 {
  pop3_no_flag_updates = yes
  pop3_uidl_format = %08Xu%08Xv
}
protocol lmtp {
  postmaster_address = postmaster@$DOMAIN
}
service imap-login {
  chroot =
  service_count = 0
  process_min_avail = 1
  inet_listener imap {
    port = $IMAP_PORT
  }
  inet_listener imaps {
    port = $IMAPS_PORT
    ssl = yes
  }
}
service pop3-login {
  chroot =
  service_count = 0
  inet_listener pop3 {
    port = $POP_PORT
  }
  inet_listener pop3s {
    port = $POPS_PORT
    ssl = yes
  }
}
service imap {
  vsz_limit = 1G
}
service pop3 {
  vsz_limit = 1G
}
service anvil {
  chroot =
  # No longer and longer wait after failed logins of one address.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service lmtp {
  unix_listener lmtp-postfix {
    mode = 0660
    $SOCKOWN
  }
}
service auth {
  unix_listener auth-postfix {
    mode = 0660
    $SOCKOWN
  }
}
CONF

# --- postfix ------------------------------------------------------------------
if [ $SMTP = 1 ]; then
  relay_domains=discard.test; relay_transports=
  for relay in ${LAB_RELAY:-}; do
    relay_domains+=", ${relay%%=*}"
    relay_address=${relay#*=}
    relay_transports+=", ${relay%%=*}=smtp:[${relay_address%:*}]:${relay_address##*:}"
  done
  P="$W/conf/postfix"; mkdir -p "$P" "$W/queue" "$W/postfix-data"
  chown root "$W/queue"; chown postfix "$W/postfix-data"; chmod 700 "$W/postfix-data"
  # The same faults by name as Dovecot has.
  for fault in wrongname untrusted expired; do
    echo "$fault.$DOMAIN $W/tls/$fault.key, $W/tls/$fault.pem"
  done > "$P/sni"
  cat > "$P/main.cf" <<CONF
compatibility_level = 3.6
queue_directory = $W/queue
data_directory = $W/postfix-data
maillog_file = $W/log/postfix.log
maillog_file_prefixes = $W/log
mail_owner = postfix
setgid_group = postdrop
multi_instance_enable = yes
multi_instance_name = postfix-maillab
myhostname = mail.$DOMAIN
mydomain = $DOMAIN
myorigin = $DOMAIN
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
virtual_mailbox_domains = $DOMAIN
virtual_mailbox_maps = texthash:$W/conf/vmailbox
virtual_transport = lmtp:unix:$W/run/dovecot/lmtp-postfix
# nothing ever leaves this machine; discard.test swallows mail for send-rate tests
transport_maps = inline:{ discard.test=discard:$relay_transports }
relay_domains = $relay_domains
relay_transport = error:5.7.1 the mail lab does not relay
default_transport = error:5.7.1 the mail lab does not relay
alias_maps =
alias_database =
local_recipient_maps =
message_size_limit = 52428800
mailbox_size_limit = 0
smtputf8_enable = yes
recipient_delimiter = +
smtpd_tls_chain_files = $W/tls/server.key, $W/tls/server.pem
tls_server_sni_maps = texthash:$P/sni
smtpd_tls_security_level = may
smtpd_tls_protocols = >=TLSv1.2
smtpd_tls_loglevel = 1
smtpd_sasl_type = dovecot
smtpd_sasl_path = $W/run/dovecot/auth-postfix
smtpd_sasl_auth_enable = no
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions =${LAB_FULL:+ check_policy_service unix:$W/run/dovecot/quota-status}
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_delay_reject = yes
lmtp_destination_concurrency_limit = 2
CONF
  sub="  -o smtpd_sasl_auth_enable=yes
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_tls_auth_only=yes"
  cat > "$P/master.cf" <<CONF
127.0.0.1:$SMTP_PORT inet n - n - - smtpd
127.0.0.1:$SUBMIT_PORT inet n - n - - smtpd
  -o syslog_name=submission
  -o smtpd_tls_security_level=encrypt
$sub
127.0.0.1:$SMTPS_PORT inet n - n - - smtpd
  -o syslog_name=smtps
  -o smtpd_tls_wrappermode=yes
$sub
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
CONF
fi

cat > "$W/env" <<CONF
export LAB_HOST=127.0.0.1 LAB_DOMAIN=$DOMAIN LAB_PASSWORD=$LAB_PASSWORD LAB_CA=$W/tls/ca.pem
export LAB_IMAP=$IMAP_PORT LAB_IMAPS=$IMAPS_PORT LAB_POP3=$POP_PORT LAB_POP3S=$POPS_PORT
export LAB_SMTP=$SMTP_PORT LAB_SUBMIT=$SUBMIT_PORT LAB_SMTPS=$SMTPS_PORT
CONF
[ "$ONLY_CONFIG" = --config ] && exit 0

alive() { [ -s "$1" ] && kill -0 "$(tr -d ' \n' < "$1")" 2>/dev/null; }
waitport() {
  for _ in $(seq 400); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
    sleep 0.05
  done
  echo "port $1 did not open; see $W/log" >&2; return 1
}
if alive "$W/run/dovecot/master.pid"; then echo "dovecot already runs"; else dovecot -c "$W/conf/dovecot.conf"; fi
if [ $SMTP = 1 ]; then
  if alive "$W/queue/pid/master.pid"; then echo "postfix already runs"
  else postfix -c "$W/conf/postfix" start >"$W/log/postfix-start.log" 2>&1 || { cat "$W/log/postfix-start.log" >&2; exit 1; }; fi
fi
waitport "$IMAP_PORT"; waitport "$POP_PORT"; waitport "$IMAPS_PORT"; waitport "$POPS_PORT"
if [ $SMTP = 1 ]; then waitport "$SMTP_PORT"; waitport "$SUBMIT_PORT"; waitport "$SMTPS_PORT"; fi
if [ -n "${LAB_PARENT:-}" ]; then
  # A test that dies leaves nothing behind.
  (trap '' INT HUP TERM; while kill -0 "$LAB_PARENT" 2>/dev/null; do sleep 1; done
   [ -s "$W/env" ] && "$here/stop.sh" "$W" && [ -n "${LAB_REMOVE:-}" ] && rm -rf "$W") \
    </dev/null >/dev/null 2>&1 3>&- &
  echo $! > "$W/run/guard.pid"
fi
echo "mail lab up: imap $IMAP_PORT/$IMAPS_PORT pop3 $POP_PORT/$POPS_PORT$( [ $SMTP = 1 ] && echo " smtp $SMTP_PORT/$SUBMIT_PORT/$SMTPS_PORT"); settings in $W/env"
