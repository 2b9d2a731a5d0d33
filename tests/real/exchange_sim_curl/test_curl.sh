#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Signs in to the test Exchange with curl: Basic, NTLM (curl's own), Negotiate, Bearer; over http and https.
set -euo pipefail

program="${SYNCLINE_BIN_DIR:?}/exchange-sim"
if [ ! -x "$program" ]; then
  echo "SKIPPED: $program is not built"
  exit 77
fi
work=$(mktemp -d)
sim_pid=
finish() {
  if [ -n "$sim_pid" ]; then
    kill "$sim_pid" 2>/dev/null || true
    wait "$sim_pid" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=app -days 1 -keyout "$work/app.key" -out "$work/app.pem" 2>/dev/null
cat >"$work/sites.toml" <<EOF
ca_file = "$work/ca.pem"
log_file = "$work/log.jsonl"
control_port = 0
[[site]]
name = "onprem"
schemes = ["ntlm", "basic"]
channel_binding = "allow"
[[site.listener]]
[[site.listener]]
tls = true
[[site.user]]
address = "anna@example.test"
password = "anna's pass:word"
[[site.user]]
address = "bert@example.test"
password = "geheim"
[[site]]
name = "online"
product = "online"
schemes = ["bearer"]
[[site.listener]]
tls = true
[[site.user]]
address = "cora@example.test"
[site.oauth]
tenant = "tenant"
[[site.oauth.application]]
client_id = "app-1"
secret = "s3cret"
certificate_file = "$work/app.pem"
EOF

"$program" --config "$work/sites.toml" --port-file "$work/ports.json" >"$work/out" 2>"$work/err" &
sim_pid=$!
for _ in $(seq 200); do
  [ -e "$work/ports.json" ] && break
  kill -0 "$sim_pid" 2>/dev/null || { cat "$work/err"; exit 1; }
  sleep 0.05
done
port() { python3 -c '
import json, sys
ready = json.load(open(sys.argv[1]))
print(next(e["port"] for e in ready["endpoints"] if e["site"] == sys.argv[2] and e["tls"] == (sys.argv[3] == "tls")))
' "$work/ports.json" "$1" "$2"; }
http="http://localhost:$(port onprem clear)/EWS/Exchange.asmx"
https="https://localhost:$(port onprem tls)/EWS/Exchange.asmx"
online="https://localhost:$(port online tls)"

cat >"$work/request.xml" <<'EOF'
<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><s:Header><t:RequestServerVersion Version="Exchange2013_SP1"/></s:Header><s:Body><m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape><m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></s:Body></s:Envelope>
EOF
sed 's|</s:Header>|<t:ExchangeImpersonation><t:ConnectingSID><t:SmtpAddress>cora@example.test</t:SmtpAddress></t:ConnectingSID></t:ExchangeImpersonation></s:Header>|' \
  "$work/request.xml" >"$work/impersonating.xml"

failed=0
# check NAME STATUS TEXT curl-arguments…: the last status, and a text in the body ("" for any)
check() {
  local name=$1 wanted=$2 text=$3
  shift 3
  local status
  status=$(curl --silent --show-error --noproxy '*' --cacert "$work/ca.pem" --max-time 20 -o "$work/body" -w '%{http_code}' \
    "$@" 2>"$work/curl.err") || status="curl failed: $(cat "$work/curl.err")"
  if [ "$status" != "$wanted" ] || { [ -n "$text" ] && ! grep -q -- "$text" "$work/body"; }; then
    echo "FAILED: $name: status $status, wanted $wanted with \"$text\""
    head -c 600 "$work/body" || true
    failed=1
  else
    echo "ok: $name"
  fi
}
post=(-H 'Content-Type: text/xml; charset=utf-8' --data-binary "@$work/request.xml")

check "Basic over http" 200 '<t:DisplayName>Inbox<' "${post[@]}" --basic -u "anna@example.test:anna's pass:word" "$http"
check "Basic over https" 200 '<t:DisplayName>Inbox<' "${post[@]}" --basic -u "anna@example.test:anna's pass:word" "$https"
check "Basic, wrong password" 401 '' "${post[@]}" --basic -u "anna@example.test:wrong" "$http"
check "NTLM over http" 200 '<t:DisplayName>Inbox<' "${post[@]}" --ntlm -u 'EXAMPLE\bert:geheim' "$http"
check "NTLM, domain with a dot" 200 '<t:DisplayName>Inbox<' "${post[@]}" --ntlm -u 'example.test\bert:geheim' "$http"
check "NTLM over https" 200 '<t:DisplayName>Inbox<' "${post[@]}" --ntlm -u 'EXAMPLE\bert:geheim' "$https"
check "NTLM, wrong password" 401 '' "${post[@]}" --ntlm -u 'EXAMPLE\bert:wrong' "$http"
check "the strongest of several schemes" 200 '<t:DisplayName>Inbox<' "${post[@]}" --anyauth -u 'EXAMPLE\bert:geheim' "$http"
check "Basic where Bearer is wanted" 401 '' "${post[@]}" --basic -u 'cora@example.test:x' "$online/EWS/Exchange.asmx"

# NTLM signs in the connection: of two requests of one curl, the second makes no handshake and carries no credentials.
curl --silent --noproxy '*' --ntlm -u 'EXAMPLE\bert:geheim' "${post[@]}" -o /dev/null "$http" -o "$work/body" "$http"
python3 - "$work/log.jsonl" <<'EOF' || failed=1
import json, sys
entries = [json.loads(line) for line in open(sys.argv[1])]
good = [e for e in entries if e["scheme"] == "ntlm" and e["status"] == 200]
assert good, "no NTLM request in the log"
first, second = good[-2:]
assert first["connection"] == second["connection"], "curl opened another connection"
assert second["n"] == first["n"] + 1, "there was a handshake in between"
assert second["authenticatedAs"] == "bert@example.test", second
assert all("geheim" not in json.dumps(e) and "pass:word" not in json.dumps(e) for e in entries), "a password in the log"
print("ok: NTLM signs in the connection")
EOF

token_url="$online/tenant/oauth2/v2.0/token"
token() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["access_token"])' "$work/body"; }
scope='scope=https://outlook.office365.com/.default'
check "a token for a secret" 200 access_token -d grant_type=client_credentials -d client_id=app-1 -d client_secret=s3cret \
  --data-urlencode "$scope" "$token_url"
check "Bearer" 200 '<t:DisplayName>Inbox<' -H 'Content-Type: text/xml; charset=utf-8' -H "Authorization: Bearer $(token)" \
  --data-binary "@$work/impersonating.xml" "$online/EWS/Exchange.asmx"
check "a wrong secret" 401 invalid_client -d grant_type=client_credentials -d client_id=app-1 -d client_secret=x \
  --data-urlencode "$scope" "$token_url"

b64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
now=$(date +%s)
x5t=$(openssl x509 -in "$work/app.pem" -outform DER | openssl dgst -sha1 -binary | b64url)
input=$(printf '{"alg":"RS256","typ":"JWT","x5t":"%s"}' "$x5t" | b64url).$(printf \
  '{"iss":"app-1","sub":"app-1","aud":"%s","jti":"1","nbf":%d,"exp":%d}' "$token_url" "$now" $((now + 600)) | b64url)
signature=$(printf '%s' "$input" | openssl dgst -sha256 -sign "$work/app.key" -binary | b64url)
check "a token for a signed assertion" 200 access_token -d grant_type=client_credentials -d client_id=app-1 \
  --data-urlencode 'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer' \
  -d "client_assertion=$input.$signature" --data-urlencode "$scope" "$token_url"
check "the same assertion again" 401 'used before' -d grant_type=client_credentials -d client_id=app-1 \
  --data-urlencode 'client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer' \
  -d "client_assertion=$input.$signature" --data-urlencode "$scope" "$token_url"

check "Autodiscover v2" 200 '/EWS/Exchange.asmx' "${https%/EWS*}/autodiscover/autodiscover.json?Email=anna@example.test&Protocol=Ews"
check "gzip" 200 '<t:DisplayName>Inbox<' --compressed "${post[@]}" --basic -u 'bert@example.test:geheim' "$https"

control() { python3 -c 'import json,sys; c=json.load(open(sys.argv[1]))["control"]; print(c["port"], c["token"])' "$work/ports.json"; }
read -r control_port control_token < <(control)
check "a fault rule by the control endpoint" 200 '"ids":\[1\]' -H "X-Control-Token: $control_token" \
  -d '{"action":"busy","place":"http","waitMs":1000,"times":1}' "http://localhost:$control_port/control/faults"
check "the fault" 503 '' "${post[@]}" --basic -u 'bert@example.test:geheim' "$http"
check "a mail by the control endpoint" 200 '"id"' -H "X-Control-Token: $control_token" \
  -d '{"do":"deliver","mailbox":"anna@example.test","mime":"Subject: hello\r\nFrom: x@y.test\r\n\r\nhi\r\n"}' \
  "http://localhost:$control_port/control/do"
check "the mail has arrived" 200 '<t:TotalCount>1<' "${post[@]}" --basic -u "anna@example.test:anna's pass:word" "$http"

kill -TERM "$sim_pid"
status=0
wait "$sim_pid" || status=$?
sim_pid=
if [ "$status" -ne 0 ]; then
  echo "FAILED: exit status $status on SIGTERM"
  cat "$work/err"
  failed=1
fi
exit "$failed"
