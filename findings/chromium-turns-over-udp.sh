#!/usr/bin/env bash
# Chromium takes `turns:HOST?transport=udp` for TLS over TCP, and `stuns:` for plain STUN over UDP.
#
# Seen with Chromium 156 (Debian), on 2026-11-30.
# Expected, by RFC 7065 and RFC 7064: DTLS over UDP, and TLS over TCP; or a refusal of what is not supported, as Firefox
# refuses `stuns:`.
# Output:
#   turns:127.0.0.1:34801?transport=udp: a TLS ClientHello over TCP
#   stuns:127.0.0.1:34801: a plain Binding request over UDP
# Needs: Debian's chromium and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund puppeteer-core@24.43.1 >/dev/null
cat > try.mjs <<'JS'
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import puppeteer from "puppeteer-core";

const PORT = 34801;
let heard = new Set();
// The first byte of a TLS or DTLS handshake is 22; a STUN Binding request begins with 0x0001.
const name = (bytes, transport) => {
  if (bytes[0] === 22) return transport === "TCP" ? "a TLS ClientHello over TCP" : "a DTLS ClientHello over UDP";
  return bytes.readUInt16BE(0) === 0x0001 ? `a plain Binding request over ${transport}` : `something else over ${transport}`;
};
const tcp = createServer((socket) => {
  socket.on("error", () => {});
  socket.once("data", (bytes) => { heard.add(name(bytes, "TCP")); socket.destroy(); });
});
const udp = createSocket("udp4").on("message", (bytes) => heard.add(name(bytes, "UDP")));
await new Promise((resolve) => tcp.listen(PORT, "127.0.0.1", resolve));
await new Promise((resolve) => udp.bind(PORT, "127.0.0.1", resolve));

const browser = await puppeteer.launch({
  executablePath: "/usr/bin/chromium", headless: true,
  args: ["--no-sandbox", "--disable-gpu", "--allow-loopback-in-peer-connection"],
});
const page = await browser.newPage();
for (const urls of [`turns:127.0.0.1:${PORT}?transport=udp`, `stuns:127.0.0.1:${PORT}`]) {
  heard = new Set();
  await page.evaluate(async (urls) => {
    const connection = new RTCPeerConnection({ iceServers: [{ urls, username: "u", credential: "c" }] });
    connection.createDataChannel("any");
    await connection.setLocalDescription();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    connection.close();
  }, urls);
  console.log(`${urls}: ${[...heard].join(", ") || "nothing"}`);
}
await browser.close();
tcp.close();
udp.close();
JS
timeout 120 node try.mjs | tee output
diff output - <<'EXPECTED'
turns:127.0.0.1:34801?transport=udp: a TLS ClientHello over TCP
stuns:127.0.0.1:34801: a plain Binding request over UDP
EXPECTED
