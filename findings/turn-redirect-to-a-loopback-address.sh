#!/usr/bin/env bash
# A TURN server that redirects (ALTERNATE-SERVER): on loopback Chromium does not follow, on any other network it does.
#
# Seen with Chromium 156 and Firefox ESR 153.8 (Debian), @roamhq/wrtc 0.10.0, node-datachannel 0.33.4 and werift 0.24.4 (Node 20),
# aiortc 1.16.0 (Python 3.11), coturn 4.6.1 (Debian), on 2026-11-30.
# Expected: a client follows a 300 or it does not, and a test on one machine shows which.
# What happens: libwebrtc takes no redirect to a loopback address, so a farm of coturns that is tried on 127.0.0.1 looks useless
# in Chromium, and is not. werift and aiortc follow no redirect at all: their calls go on without a relay. None of them reports
# an error.
# Output, the relay candidates gathered where the server that was named redirects to another one:
#                     127.0.0.1   198.51.100.1
#   Chromium          no          yes
#   @roamhq/wrtc      no          yes
#   Firefox           yes         yes
#   node-datachannel  yes         yes
#   werift            no          no
#   aiortc            no          no
# Needs: root, Debian's chromium and firefox-esr, python3 with venv, node and npm. The network is one of the script's own.
set -euo pipefail
script=$(realpath "$0")
command -v turnserver >/dev/null || apt-get install -q -y coturn >/dev/null
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check aiortc==1.16.0
npm install --silent --no-audit --no-fund puppeteer-core@24.43.1 werift@0.24.4 node-datachannel@0.33.4 \
  @roamhq/wrtc@0.10.0 >/dev/null

cat > gather.py <<'PY'
import asyncio, logging, sys
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

async def main():
    connection = RTCPeerConnection(RTCConfiguration([RTCIceServer(urls=sys.argv[1], username="u", credential="c")]))
    connection.createDataChannel("any")
    await connection.setLocalDescription(await connection.createOffer())
    print("yes" if "typ relay" in connection.localDescription.sdp else "no")
    await connection.close()

logging.disable()
asyncio.run(main())
PY
cat > try.mjs <<'JS'
import wrtc from "@roamhq/wrtc";
import { execFileSync, spawn } from "node:child_process";
import { RTCPeerConnection as NodeDataChannel } from "node-datachannel/polyfill";
import puppeteer from "puppeteer-core";
import { RTCPeerConnection as Werift } from "werift";

const coturn = (address, port, ...more) => spawn("turnserver", [
  "-n", `--listening-ip=${address}`, `--relay-ip=${address}`, `--listening-port=${port}`, "--realm=finding", "--lt-cred-mech",
  "--user=u:c", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls", "--simple-log", `--userdb=db-${address}-${port}`,
  `--pidfile=pid-${address}-${port}`, `--log-file=log-${address}-${port}`, ...more,
], { stdio: "ignore" });
const ADDRESSES = ["127.0.0.1", "198.51.100.1"];
const servers = ADDRESSES.flatMap((address) =>
  [coturn(address, 27231, `--alternate-server=${address}:27232`), coturn(address, 27232)]);
await new Promise((resolve) => setTimeout(resolve, 3000));

const gather = async (Connection, urls) => {
  const connection = new Connection({ iceServers: [{ urls, username: "u", credential: "c" }] });
  connection.createDataChannel("any");
  await connection.setLocalDescription(await connection.createOffer());
  for (let tries = 0; tries < 1500 && connection.iceGatheringState !== "complete"; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 20));
  const { sdp } = connection.localDescription;
  connection.close();
  return sdp.includes("typ relay") ? "yes" : "no";
};
const browser = async (options) => {
  const launched = await puppeteer.launch({ headless: true, ...options });
  const page = await launched.newPage();
  return {
    gather: (urls) => page.evaluate(`(${gather})(RTCPeerConnection, ${JSON.stringify(urls)})`),
    close: () => launched.close(),
  };
};
const chromium = await browser({
  executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"],
});
const firefox = await browser({
  browser: "firefox", executablePath: "/usr/bin/firefox-esr",
  extraPrefsFirefox: { "media.peerconnection.ice.loopback": true },
});
const CLIENTS = {
  Chromium: chromium.gather,
  "@roamhq/wrtc": (urls) => gather(wrtc.RTCPeerConnection, urls),
  Firefox: firefox.gather,
  "node-datachannel": (urls) => gather(NodeDataChannel, urls),
  werift: (urls) => gather(Werift, urls),
  aiortc: (urls) => execFileSync("python/bin/python", ["gather.py", urls]).toString().trim(),
};
const show = (cells) => console.log(cells.map((cell, column) => cell.padEnd([16, 10][column] ?? 0)).join("  ").trimEnd());
show(["", ...ADDRESSES]);
for (const [name, gathers] of Object.entries(CLIENTS)) {
  const row = [name];
  for (const address of ADDRESSES) row.push(await gathers(`turn:${address}:27231?transport=udp`));
  show(row);
}
await chromium.close();
await firefox.close();
for (const server of servers) server.kill();
process.exit();
JS
timeout 200 unshare --net --pid --fork --kill-child bash -euo pipefail -c '
  ip link set lo up
  ip link add one type veth peer name other
  ip link set other up
  ip addr add 198.51.100.1/24 dev one
  ip link set one up
  ip route add default dev one
  node try.mjs' | tee output
sed -n '/^# Output/,/^# Needs:/s/^#   //p' "$script" > expected
diff output expected
