#!/usr/bin/env bash
# A server that selects none of the offered subprotocols: Firefox and four clients connect, Chromium and four others fail.
#
# Seen with Chromium 156 and Firefox ESR 153.8 (Debian), ws 8.23.0, undici 7.30.2, websocket 1.0.35 and faye-websocket 0.11.4
# (Node 20), aiohttp 3.14.5, websockets 17.4, tornado 6.6.1 and websocket-client 1.9.2 (Python 3.11), on 2026-11-30.
# Expected, by RFC 6455, sections 4.1 and 4.2.2: a client fails when the answer names a subprotocol that it did not offer. An
# answer without the header says that the server selected none, and the connection stands.
# What happens: half of the clients fail it, Chromium with nothing but 1006 for the page. Who offers a name for a server to come,
# or a token in the place of a header that browsers do not let a page set, finds it working or not by the client that was tried.
# Output:
#   Chromium           fails, 1006
#   Firefox            open
#   ws                 fails, 1006
#   undici             fails, 1006
#   websocket          fails, 1006
#   faye-websocket     open
#   aiohttp            open
#   websockets         open
#   tornado            open
#   websocket-client   WebSocketException
# Needs: Debian's chromium and firefox-esr, python3 with venv, node and npm.
set -euo pipefail
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check aiohttp==3.14.5 websockets==17.4 tornado==6.6.1 websocket-client==1.9.2
npm install --silent --no-audit --no-fund puppeteer-core@24.43.1 ws@8.23.0 undici@7.30.2 websocket@1.0.35 \
  faye-websocket@0.11.4 >/dev/null

cat > selects_none.py <<'PY'
"""Accepts each WebSocket without a Sec-WebSocket-Protocol."""
import base64, hashlib, socket, threading

def serve(connection):
    connection.settimeout(5)
    try:
        head = b""
        while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
            head += piece
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while connection.recv(4096):
            pass
    except OSError:
        pass
    connection.close()

listener = socket.create_server(("127.0.0.1", 27211))
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
PY
python3 selects_none.py 2>/dev/null &
server=$!
sleep 1

cat > try.mjs <<'JS'
import faye from "faye-websocket";
import puppeteer from "puppeteer-core";
import { WebSocket as Undici } from "undici";
import websocket from "websocket";
import Ws from "ws";

const URL = "ws://127.0.0.1:27211/";
const attempt = (Client, url) => new Promise((resolve) => {
  const socket = new Client(url, ["calls.v1"]);
  socket.onopen = () => { resolve("open"); socket.close(); };
  socket.onerror = () => {};
  socket.onclose = (event) => resolve(`fails, ${event.code}`);
});
const show = (name, result) => console.log(name.padEnd(18), result);
const inBrowser = async (name, options) => {
  const browser = await puppeteer.launch({ headless: true, ...options });
  const page = await browser.newPage();
  show(name, await page.evaluate(`(${attempt})(WebSocket, ${JSON.stringify(URL)})`));
  await browser.close();
};
await inBrowser("Chromium", { executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
await inBrowser("Firefox", { browser: "firefox", executablePath: "/usr/bin/firefox-esr" });
show("ws", await attempt(Ws, URL));
show("undici", await attempt(Undici, URL));
show("websocket", await attempt(websocket.w3cwebsocket, URL));
show("faye-websocket", await attempt(faye.Client, URL));
process.exit();
JS
cat > try.py <<'PY'
import asyncio, aiohttp, websocket, websockets
from tornado.websocket import websocket_connect

URL, OFFERED = "ws://127.0.0.1:27211/", ["calls.v1"]

async def with_aiohttp():
    async with aiohttp.ClientSession() as session:
        (await session.ws_connect(URL, protocols=OFFERED))._response.close()

async def with_websockets():
    (await websockets.connect(URL, subprotocols=OFFERED, proxy=None)).transport.close()

async def with_tornado():
    (await websocket_connect(URL, subprotocols=OFFERED)).close()

async def with_websocket_client():
    await asyncio.to_thread(websocket.create_connection, URL, subprotocols=OFFERED, timeout=5)

async def main():
    for name, attempt in [("aiohttp", with_aiohttp), ("websockets", with_websockets), ("tornado", with_tornado),
                          ("websocket-client", with_websocket_client)]:
        try:
            await attempt()
            print(f"{name:18} open")
        except Exception as error:
            print(f"{name:18} {type(error).__name__}")

asyncio.run(main())
PY
{ timeout 90 node try.mjs; timeout 60 python/bin/python try.py; } | tee output
sed -n '/^# Output:/,/^# Needs:/s/^#   //p' "$script" > expected
diff output expected
