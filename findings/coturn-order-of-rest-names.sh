#!/usr/bin/env bash
# coturn takes the parts of a TURN REST user name in either order, and the expiry alone.
#
# Seen with coturn 4.6.1 (Debian), on 2026-11-30.
# Expected: `EXPIRY:NAME`, as draft-uberti-behave-turn-rest-00 has it, and everything else refused.
# What happens: `NAME:EXPIRY` is good until EXPIRY too, and so are `EXPIRY` and `EXPIRY:`. With two colons only the form
# that begins with the expiry is. An issuer that has them the wrong way round is not noticed.
# Output:
#   EXPIRY:alice         allocated, refused when expired
#   alice:EXPIRY         allocated, refused when expired
#   EXPIRY               allocated, refused when expired
#   EXPIRY:              allocated, refused when expired
#   EXPIRY:alice:phone   allocated, refused when expired
#   alice:phone:EXPIRY   refused, refused when expired
set -euo pipefail
command -v turnutils_uclient >/dev/null || apt-get install -q -y coturn >/dev/null
folder=$(mktemp -d)
port=34799
turnserver -n --listening-ip=127.0.0.1 --relay-ip=127.0.0.1 --listening-port=$port --realm=finding --use-auth-secret \
  --static-auth-secret=north --allow-loopback-peers --no-cli --no-tls --no-dtls --userdb="$folder/db" \
  --pidfile="$folder/pid" --log-file="$folder/log" --simple-log >/dev/null 2>&1 &
server=$!
trap 'kill $server; rm -rf "$folder"' EXIT
sleep 2

try() {  # SHAPE SECONDS: "allocated" or "refused" for a name that expires in so many seconds
  local name=${1/EXPIRY/$(($(date +%s) + $2))} credential
  credential=$(printf %s "$name" | openssl dgst -sha1 -hmac north -binary | base64)
  if timeout 20 turnutils_uclient -t -y -c -n 2 -m 1 -p $port -u "$name" -w "$credential" 127.0.0.1 2>&1 |
    grep -q "Total lost packets 0"; then echo allocated; else echo refused; fi
}

for shape in EXPIRY:alice alice:EXPIRY EXPIRY EXPIRY: EXPIRY:alice:phone alice:phone:EXPIRY; do
  printf '%-20s %s, %s when expired\n' "$shape" "$(try "$shape" 3600)" "$(try "$shape" -60)"
done | tee "$folder/output"
diff "$folder/output" - <<'EXPECTED'
EXPIRY:alice         allocated, refused when expired
alice:EXPIRY         allocated, refused when expired
EXPIRY               allocated, refused when expired
EXPIRY:              allocated, refused when expired
EXPIRY:alice:phone   allocated, refused when expired
alice:phone:EXPIRY   refused, refused when expired
EXPECTED
