# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by the scripts that start servers.

# lab_certificates DIR DOMAIN: one CA that tests trust, one that they must not trust, and the servers'
# certificates: good, signed by the other CA, for another name, expired. Those that are there stay.
lab_certificates() (
  cd "$1"
  local domain=$2
  authority() { # name subject
    [ -s "$1.key" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
      -days 3650 -subj "/CN=$2" -addext basicConstraints=critical,CA:TRUE \
      -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$1.key" -out "$1.pem" 2>/dev/null
  }
  leaf() { # name authority subject-alternative-names extra-arguments
    local name=$1 by=$2 names=$3
    shift 3
    [ -s "$name.pem" ] && return
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
      -keyout "$name.key" -out "$name.csr" 2>/dev/null
    printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' "$names" >"$name.ext"
    openssl x509 -req -in "$name.csr" -CA "$by.pem" -CAkey "$by.key" -CAcreateserial \
      -extfile "$name.ext" -out "$name.pem" "$@" 2>/dev/null
    rm -f "$name.csr" "$name.ext"
  }
  authority ca "Mail lab CA"
  authority otherca "Mail lab untrusted CA"
  leaf server ca "DNS:localhost,DNS:mail.$domain,IP:127.0.0.1" -days 825
  leaf untrusted otherca "DNS:localhost,DNS:untrusted.$domain,IP:127.0.0.1" -days 825
  leaf wrongname ca "DNS:elsewhere.invalid" -days 825
  leaf expired ca "DNS:localhost,DNS:expired.$domain,IP:127.0.0.1" -days -1
  chmod 644 ./*.pem
  chmod 640 ./*.key
)
