#!/usr/bin/env bash
# Asked to close with 4001, half of the WebSocket clients answer 1000, which means something else to a server.
#
# Seen with aiohttp 3.14.5, websocket-client 1.9.2, autobahn 26.10.2, httpx-ws 0.9.0, websockets 17.4 and tornado 6.6.1
# (Python 3.11), websocket 1.0.35, ws 8.23.0, faye-websocket 0.11.4 and undici 7.30.2 (Node 20), on 2026-11-30.
# Expected: the code that came. RFC 6455, section 5.5.1: "the endpoint typically echos the status code it received".
# What happens: four Python clients and one for Node answer that they are done, 1000. A server to which a client's own
# 1000 says something must not take the answer to its own close frame for it.
# Output:
#   aiohttp 1000
#   websocket-client 1000
#   autobahn 1000
#   httpx-ws 1000
#   websockets 4001
#   tornado 4001
#   websocket 1000
#   ws 4001
#   faye-websocket 4001
#   undici 4001
# Needs: python3 with venv, node and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check aiohttp==3.14.5 websocket-client==1.9.2 autobahn==26.10.2 \
  httpx-ws==0.9.0 websockets==17.4 tornado==6.6.1
npm install --silent --no-audit --no-fund websocket@1.0.35 ws@8.23.0 faye-websocket@0.11.4 undici@7.30.2 >/dev/null

cat > closes_with_4001.py <<'PY'
"""Closes each connection with 4001 as soon as it is open, and writes down the code that comes back."""
import base64, hashlib, socket, struct, sys

listener = socket.create_server(("127.0.0.1", 27121))
while True:
    connection, _ = listener.accept()
    connection.settimeout(5)
    try:
        head = b""
        while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
            head += piece
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        connection.sendall(b"\x88\x02" + struct.pack(">H", 4001))
        # One masked close frame: two bytes of header, four of mask, the code.
        answer = b""
        while len(answer) < 8 and (piece := connection.recv(4096)):
            answer += piece
        code = bytes(byte ^ mask for byte, mask in zip(answer[6:8], answer[2:4]))
        print(struct.unpack(">H", code)[0], flush=True)
    except (OSError, struct.error) as error:
        print(type(error).__name__, flush=True)
    connection.close()
PY
python3 closes_with_4001.py > codes &
server=$!
export URL=ws://127.0.0.1:27121/
sleep 1

# try NAME COMMAND…: one connection of this client, and what it answered.
try() {
  local name=$1 before
  before=$(wc -l < codes)
  shift
  timeout 15 "$@" >> log 2>&1 || true
  for _ in $(seq 70); do [ "$(wc -l < codes)" -gt "$before" ] && break; sleep 0.1; done
  echo "$name $(tail -n 1 codes)"
}
python() { try "$1" python/bin/python -c "$2"; }
javascript() { try "$1" node -e "const url = process.env.URL; $2"; }
{
  python aiohttp '
import aiohttp, asyncio, os
async def main():
    async with aiohttp.ClientSession() as session, session.ws_connect(os.environ["URL"]) as socket:
        async for message in socket: pass
asyncio.run(main())'
  python websocket-client '
import os, websocket
websocket.create_connection(os.environ["URL"]).recv()'
  python autobahn '
import asyncio, os
from autobahn.asyncio.websocket import WebSocketClientFactory, WebSocketClientProtocol
class Client(WebSocketClientProtocol):
    def onClose(self, *_): loop.call_later(0.2, loop.stop)
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
factory = WebSocketClientFactory(os.environ["URL"])
factory.protocol = Client
loop.run_until_complete(loop.create_connection(factory, "127.0.0.1", 27121))
loop.run_forever()'
  python httpx-ws '
import os
from httpx_ws import connect_ws
with connect_ws(os.environ["URL"]) as socket: socket.receive_text()'
  python websockets '
import os
from websockets.sync.client import connect
with connect(os.environ["URL"], proxy=None) as socket: socket.recv()'
  python tornado '
import asyncio, os
from tornado.websocket import websocket_connect
async def main():
    await (await websocket_connect(os.environ["URL"])).read_message()
    await asyncio.sleep(0.3)
asyncio.run(main())'
  javascript websocket 'new (require("websocket").w3cwebsocket)(url)'
  javascript ws 'new (require("ws"))(url)'
  javascript faye-websocket 'new (require("faye-websocket").Client)(url)'
  javascript undici 'new (require("undici").WebSocket)(url)'
} | tee output
diff output - <<'EXPECTED'
aiohttp 1000
websocket-client 1000
autobahn 1000
httpx-ws 1000
websockets 4001
tornado 4001
websocket 1000
ws 4001
faye-websocket 4001
undici 4001
EXPECTED
