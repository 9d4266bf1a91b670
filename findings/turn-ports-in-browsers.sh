#!/usr/bin/env bash
# A TURN URL with a port that browsers block: Firefox throws, Chromium sends nothing and reports nothing.
#
# Seen with Firefox ESR 153.8 and Chromium 156 (Debian), on 2026-11-30.
# Expected: an `icecandidateerror` for that one URL, as for any server that cannot be reached.
# What happens:
#   Firefox   `new RTCPeerConnection` throws SyntaxError for turn:, turns: and stun: with 5060, 993, 6000 and the other
#             bad ports of the Fetch standard, so one such URL in a list ends every call. 53 is the exception.
#   Chromium  takes the URL. It allocates on 80, 443 and from 1024 up only: below, the server gets a Binding request at
#             most, never an Allocate, and there is no `icecandidateerror`.
# Output:
#   firefox: 53 taken, 853 taken, 3478 taken, 5060 SyntaxError, 993 SyntaxError, 6000 SyntaxError
#   chromium: Allocate on 80 443 3478, errors 0
# Needs: Debian's chromium, firefox-esr, npm; root, for low ports.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund puppeteer-core@24.43.1 >/dev/null
cat > try.mjs <<'JS'
import { createSocket } from "node:dgram";
import puppeteer from "puppeteer-core";

const server = (port) => ({ urls: `turn:127.0.0.1:${port}`, username: "u", credential: "c" });
const open = async (options) => {
  const browser = await puppeteer.launch({ headless: true, ...options });
  return [browser, await browser.newPage()];
};

const [firefox, inFirefox] = await open({ browser: "firefox", executablePath: "/usr/bin/firefox-esr" });
const taken = await inFirefox.evaluate((servers) => servers.map((server) => {
  try { new RTCPeerConnection({ iceServers: [server] }).close(); return "taken"; } catch (error) { return error.name; }
}), [53, 853, 3478, 5060, 993, 6000].map(server));
await firefox.close();
const said = [53, 853, 3478, 5060, 993, 6000].map((port, index) => `${port} ${taken[index]}`).join(", ");
console.log(`firefox: ${said}`);

const PORTS = [80, 81, 443, 465, 853, 3478];
const allocated = new Set();
const sockets = await Promise.all(PORTS.map((port) => new Promise((resolve) => {
  const socket = createSocket("udp4");
  socket.on("message", (message) => { if (message.readUInt16BE(0) === 0x0003) allocated.add(port); });
  socket.bind(port, "127.0.0.1", () => resolve(socket));
})));
const [chromium, inChromium] = await open({
  executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"],
});
const errors = await inChromium.evaluate(async (servers) => {
  let errors = 0;
  for (const server of servers) {
    const connection = new RTCPeerConnection({ iceServers: [server] });
    connection.onicecandidateerror = () => { errors += 1; };
    connection.createDataChannel("any");
    await connection.setLocalDescription();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    connection.close();
  }
  return errors;
}, PORTS.map(server));
await chromium.close();
sockets.forEach((socket) => socket.close());
console.log(`chromium: Allocate on ${[...allocated].sort((a, b) => a - b).join(" ")}, errors ${errors}`);
JS
timeout 120 node try.mjs | tee output
diff output - <<'EXPECTED'
firefox: 53 taken, 853 taken, 3478 taken, 5060 SyntaxError, 993 SyntaxError, 6000 SyntaxError
chromium: Allocate on 80 443 3478, errors 0
EXPECTED
