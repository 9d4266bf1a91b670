#!/usr/bin/env bash
# Four WebRTC stacks outside browsers: one loses early candidates, two do not roll back by themselves, two do not restart ICE.
#
# Seen with werift 0.24.4, node-datachannel 0.33.4 (its polyfill) and @roamhq/wrtc 0.10.0 (Node 20), aiortc 1.16.0 (Python 3.11),
# on 2026-11-30. The other end is @roamhq/wrtc.
# Expected: as in browsers. `addIceCandidate` before any offer is refused, or keeps the candidate. An offer that meets an own
# offer rolls that one back, which "perfect negotiation" builds on; so does `rollback`. An offer with new ICE credentials is
# answered with new ones (RFC 8839, section 4.4).
# What happens:
#   aiortc            takes an early candidate and forgets it, without a word: the call checks no pair and does not connect.
#                     Takes `rollback`, and stays in have-local-offer. Answers a restart with the old credentials.
#   @roamhq/wrtc      refuses an offer that meets its own; rolled back first, it takes it.
#   node-datachannel  throws at a restart, in setRemoteDescription: whoever restarts has to make a new connection.
# Output:
#                          werift            node-datachannel    @roamhq/wrtc        aiortc
#   early candidate        connected         InvalidStateError   Error               lost
#   offer against offer    answered          answered            InvalidStateError   InvalidStateError
#   rollback, then offer   answered          answered            answered            InvalidStateError
#   ICE restart            new credentials   Error               new credentials     old credentials
# Needs: python3 with venv, node and npm.
set -euo pipefail
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check aiortc==1.16.0
npm install --silent --no-audit --no-fund werift@0.24.4 node-datachannel@0.33.4 @roamhq/wrtc@0.10.0 >/dev/null

cat > peer.py <<'PY'
"""aiortc, told what to do by lines of JSON: [method, argument] in, [result, name of the error] out."""
import asyncio, json, sys
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp

connection = RTCPeerConnection()

async def offer(_):
    connection.createDataChannel("any")
    await connection.setLocalDescription(await connection.createOffer())
    return connection.localDescription.sdp

async def answer(sdp):
    await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    return connection.localDescription.sdp

async def candidate(line):
    one = candidate_from_sdp(line.split(":", 1)[1])
    one.sdpMid, one.sdpMLineIndex = "0", 0
    await connection.addIceCandidate(one)

async def rollback(_):
    await connection.setLocalDescription(RTCSessionDescription("", "rollback"))

async def main():
    while line := await asyncio.to_thread(sys.stdin.readline):
        method, argument = json.loads(line)
        try:
            print(json.dumps([await globals()[method](argument), None]), flush=True)
        except Exception as error:
            print(json.dumps([None, type(error).__name__]), flush=True)

asyncio.run(main())
PY
cat > try.mjs <<'JS'
import wrtc from "@roamhq/wrtc";
import { spawn } from "node:child_process";
import { RTCPeerConnection as NodeDataChannel } from "node-datachannel/polyfill";
import { createInterface } from "node:readline";
import { RTCPeerConnection as Werift } from "werift";

const until = async (condition, seconds) => {
  for (let tries = 0; tries < seconds * 50 && !condition(); tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  return condition();
};
const local = (Connection) => () => {
  const connection = new Connection({});
  const described = async () => {
    await until(() => connection.iceGatheringState === "complete", 3);
    return connection.localDescription.sdp;
  };
  return {
    connection,
    offer: async (options) => {
      await connection.setLocalDescription(await connection.createOffer(options));
      return described();
    },
    open: () => { connection.channel = connection.createDataChannel("any"); },
    answer: async (sdp) => {
      await connection.setRemoteDescription({ type: "offer", sdp });
      await connection.setLocalDescription(await connection.createAnswer());
      return described();
    },
    candidate: (candidate) => connection.addIceCandidate({ candidate, sdpMid: "0", sdpMLineIndex: 0 }),
    rollback: () => connection.setLocalDescription({ type: "rollback" }),
  };
};
const aiortc = () => {
  const child = spawn("python/bin/python", ["peer.py"], { stdio: ["pipe", "pipe", "ignore"] });
  const waiting = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()(JSON.parse(line)));
  const call = (method) => async (argument) => {
    child.stdin.write(`${JSON.stringify([method, argument])}\n`);
    const [result, name] = await new Promise((resolve) => waiting.push(resolve));
    if (name) throw Object.assign(new Error(name), { name });
    return result;
  };
  return { open: () => {}, offer: call("offer"), answer: call("answer"), candidate: call("candidate"), rollback: call("rollback") };
};
const STACKS = { werift: local(Werift), "node-datachannel": local(NodeDataChannel), "@roamhq/wrtc": local(wrtc.RTCPeerConnection), aiortc };
const caller = () => {
  const peer = local(wrtc.RTCPeerConnection)();
  peer.open();
  peer.accept = (sdp) => peer.connection.setRemoteDescription({ type: "answer", sdp });
  return peer;
};
const withoutCandidates = (sdp) => sdp.replace(/a=(candidate:.*|end-of-candidates)\r\n/g, "");
const credentials = (sdp) => /a=ice-ufrag:(\S+)/.exec(sdp)[1];

const CASES = {
  "early candidate": async (peer) => {
    const from = caller();
    const offer = await from.offer();
    for (const [, candidate] of offer.matchAll(/a=(candidate:.*)\r\n/g)) await peer.candidate(candidate);
    // The caller has no candidates either: only the callee's checks can connect the two.
    await from.accept(withoutCandidates(await peer.answer(withoutCandidates(offer))));
    return await until(() => from.connection.channel.readyState === "open", 15) ? "connected" : "lost";
  },
  "offer against offer": async (peer) => {
    peer.open();
    await peer.offer();
    await peer.answer(await caller().offer());
    return "answered";
  },
  "rollback, then offer": async (peer) => {
    peer.open();
    await peer.offer();
    await peer.rollback();
    await peer.answer(await caller().offer());
    return "answered";
  },
  "ICE restart": async (peer) => {
    const from = caller();
    const before = await peer.answer(await from.offer());
    await from.accept(before);
    await until(() => from.connection.channel.readyState === "open", 15);
    const after = await peer.answer(await from.offer({ iceRestart: true }));
    return credentials(after) === credentials(before) ? "old credentials" : "new credentials";
  },
};
const show = (cells) => console.log(cells.map((cell, column) => cell.padEnd([21, 16, 18, 18][column] ?? 0)).join("  ").trimEnd());
show(["", ...Object.keys(STACKS)]);
for (const [name, attempt] of Object.entries(CASES)) {
  const row = [name];
  for (const make of Object.values(STACKS)) row.push(await attempt(make()).catch((error) => error.name));
  show(row);
}
process.exit();
JS
timeout 200 node try.mjs | tee output
sed -n '/^# Output:/,/^# Needs:/s/^#   //p' "$script" > expected
diff output expected
