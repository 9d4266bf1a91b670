#!/usr/bin/env bash
# Squid ends a WebSocket whose server is gone with an HTTP error page, behind the 101 and among the frames.
#
# Seen with Squid 5.7 (Debian 12), on 2026-11-30.
# Expected: after the 101 the connection is a tunnel. When the server resets it, the client is reset too, or sees the end.
# What happens: the client gets `HTTP/1.1 500 Internal Server Error` and a page. A WebSocket client reads its first letter as
# a frame with reserved bits, and reports an error of the protocol (1002) where the line was lost (1006). If the server sent
# frames before, they arrive, and no page follows.
# Output:
#   the server resets before its first frame: HTTP/1.1 500 Internal Server Error, then the end
#   the server resets behind a frame: the frame, then the end
# Needs: root on Debian 12.
set -euo pipefail
dpkg -s squid >/dev/null 2>&1 || apt-get install -q -y --no-install-recommends squid >/dev/null
folder=$(mktemp -d)
chmod 777 "$folder"
trap 'kill $squid 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
cd "$folder"
cat > squid.conf <<CONF
http_port 127.0.0.1:27151 accel defaultsite=127.0.0.1 no-vhost
cache_peer 127.0.0.1 parent 27150 0 no-query no-digest no-netdb-exchange originserver
http_upgrade_request_protocols websocket allow all
http_access allow all
cache deny all
access_log none
shutdown_lifetime 0 seconds
cache_log $folder/squid.log
pid_filename $folder/squid.pid
coredump_dir $folder
CONF
squid -N -f "$folder/squid.conf" > squid.out 2>&1 &
squid=$!
cat > try.py <<'PY'
import socket, struct, threading, time

REQUEST = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
RESPONSE = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
FRAME = b"\x81\x05hello"
first = b""

def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
        head += piece
    return head

def backend(connection):
    if read_head(connection):
        connection.sendall(RESPONSE)
        if first:
            time.sleep(0.2)
            connection.sendall(first)
        time.sleep(0.3)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()

def accept(listener):
    while True:
        threading.Thread(target=backend, args=[listener.accept()[0]], daemon=True).start()

def connected(port):
    for _ in range(150):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            time.sleep(0.1)

def upgraded():
    """Until Squid has come to know its peer it answers 502 or 503 itself."""
    for _ in range(30):
        client = connected(27151)
        client.sendall(REQUEST)
        head = read_head(client)
        if head.startswith(b"HTTP/1.1 101 "):
            return client, head.split(b"\r\n\r\n", 1)[1]
        client.close()
        time.sleep(0.5)

threading.Thread(target=accept, args=[socket.create_server(("127.0.0.1", 27150))], daemon=True).start()
for first, name in [(b"", "before its first frame"), (FRAME, "behind a frame")]:
    client, heard = upgraded()
    end = ", then a reset"
    try:
        while piece := client.recv(4096):
            heard += piece
        end = ", then the end"
    except ConnectionResetError:
        pass
    line = heard.split(b"\r\n")[0]
    what = "the frame" if heard == FRAME else line.decode("latin-1") or "nothing"
    print(f"the server resets {name}: {what}{end}", flush=True)
PY
timeout 120 python3 try.py | tee output
diff output - <<'EXPECTED'
the server resets before its first frame: HTTP/1.1 500 Internal Server Error, then the end
the server resets behind a frame: the frame, then the end
EXPECTED
