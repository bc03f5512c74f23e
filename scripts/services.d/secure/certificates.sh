#!/usr/bin/env bash
# Certificates for tests of TLS, in a folder: two authorities, a server's certificate that is right, expired, of another name or of the other
# authority, and clients'. All are made anew, and are valid for a day.
set -euo pipefail
cd "$1"

quiet() { "$@" >openssl.log 2>&1 || { cat openssl.log >&2; exit 1; }; }

authority() { # name
  quiet openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout "$1.key" -out "$1.pem" -subj "/CN=rxflume $1"
}

# The key is PKCS #8, which Java reads; <name>.both.pem is the key and the chain in one file, as Kafka's PEM key stores have it.
signed() { # name authority subject-alternative-names [openssl x509 option...]
  local name=$1 by=$2 names=$3
  shift 3
  quiet openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
  quiet openssl x509 -req -in "$name.csr" -CA "$by.pem" -CAkey "$by.key" -CAcreateserial -out "$name.pem" \
    -extfile <(printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$names") "$@"
  cat "$name.key" "$name.pem" >"$name.both.pem"
  rm -f "$name.csr"
}

authority ca
authority other-ca
signed server ca DNS:localhost,IP:127.0.0.1 -days 1
signed wrong-host ca DNS:elsewhere.test -days 1
signed other-server other-ca DNS:localhost,IP:127.0.0.1 -days 1
signed expired ca DNS:localhost,IP:127.0.0.1 -days 0
for client in flume flume-next expired-client other-client; do
  case $client in
    expired-client) signed $client ca DNS:$client -days 0 ;;
    other-client) signed $client other-ca DNS:$client -days 1 ;;
    *) signed $client ca DNS:$client -days 1 ;;
  esac
done
chmod 600 ./*.key ./*.both.pem
