#!/usr/bin/env bash
# Five receivers of the PROXY protocol agree on the plain header only: three want it in one segment, `PROXY UNKNOWN` is refused
# here and there, 3 KB of TLVs are too much for all but HAProxy, and what is no TCP over IP fails in four ways.
#
# Seen with nginx 1.22.1, HAProxy 2.6.12, Varnish 7.1.1, Apache 2.4.71 (mod_remoteip) and lighttpd 1.4.69 (Debian 12), on
# 2026-11-30.
# Expected, by HAProxy's proxy-protocol.txt: a header up to 107 bytes (version 1) or 64 KiB (version 2); "the receiver must
# ignore anything presented before the CRLF" behind UNKNOWN, which is to be accepted; a family that is not supported falls
# back to the addresses of the connection. A header in two segments may be refused, but few would guess who does.
# What happens (the address that goes on in X-Forwarded-For, or "closed"): see the table. HAProxy itself refuses UNKNOWN
# with addresses behind it, and UNIX sockets; Apache and Varnish refuse a bare UNKNOWN, and Apache takes the longer one;
# lighttpd passes the path of a UNIX socket on as a client's address.
# Output:
#   version 1           nginx: 192.0.2.1 | haproxy: 192.0.2.1 | varnish: 192.0.2.1 | apache: 192.0.2.1 | lighttpd: 192.0.2.1
#   1 in two segments   nginx: closed | haproxy: closed | varnish: 192.0.2.1 | apache: 192.0.2.1 | lighttpd: closed
#   2 in two segments   nginx: closed | haproxy: closed | varnish: 192.0.2.1 | apache: 192.0.2.1 | lighttpd: closed
#   UNKNOWN             nginx: 127.0.0.1 | haproxy: 127.0.0.1 | varnish: closed | apache: closed | lighttpd: 127.0.0.1
#   UNKNOWN, addresses  nginx: 127.0.0.1 | haproxy: closed | varnish: closed | apache: 127.0.0.1 | lighttpd: 127.0.0.1
#   LOCAL               nginx: 127.0.0.1 | haproxy: 127.0.0.1 | varnish: 127.0.0.1 | apache: 127.0.0.1 | lighttpd: 127.0.0.1
#   3 KB of TLVs        nginx: closed | haproxy: 192.0.2.1 | varnish: closed | apache: closed | lighttpd: closed
#   UNIX sockets        nginx: 127.0.0.1 | haproxy: closed | varnish: 127.0.0.1 | apache: closed | lighttpd: /run/a.sock
#   UDP over IPv4       nginx: 127.0.0.1 | haproxy: closed | varnish: 127.0.0.1 | apache: closed | lighttpd: 127.0.0.1
# Needs: root on Debian 12.
set -euo pipefail
for program in nginx haproxy varnish apache2 lighttpd; do
  dpkg -s "$program" >/dev/null 2>&1 || apt-get install -q -y --no-install-recommends "$program" >/dev/null
done
script=$(realpath "$0")
folder=$(mktemp -d)
chmod 777 "$folder"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
cd "$folder"
backend=27140

cat > nginx.conf <<CONF
daemon off; pid $folder/nginx.pid; error_log stderr; events {}
http {
  access_log off;
  client_body_temp_path $folder/1; proxy_temp_path $folder/2; fastcgi_temp_path $folder/3;
  uwsgi_temp_path $folder/4; scgi_temp_path $folder/5;
  server {
    listen 127.0.0.1:27141 proxy_protocol; set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;
    location / { proxy_pass http://127.0.0.1:$backend; proxy_set_header X-Forwarded-For \$remote_addr; }
  }
}
CONF
cat > haproxy.cfg <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option forwardfor
listen front
  bind 127.0.0.1:27142 accept-proxy
  server backend 127.0.0.1:$backend
CONF
cat > varnish.vcl <<CONF
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$backend"; }
sub vcl_recv { return (pass); }
CONF
cat > apache.conf <<CONF
ServerRoot $folder
PidFile $folder/apache.pid
ErrorLog $folder/apache.log
Listen 127.0.0.1:27144
ServerName finding
User nobody
Group nogroup
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule remoteip_module /usr/lib/apache2/modules/mod_remoteip.so
RemoteIPProxyProtocol On
ProxyPass / http://127.0.0.1:$backend/
CONF
cat > lighttpd.conf <<CONF
server.document-root = "$folder"
server.bind = "127.0.0.1"
server.port = 27145
server.modules = ("mod_extforward", "mod_proxy")
extforward.hap-PROXY = "enable"
extforward.forwarder = ("127.0.0.1" => "trust")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => $backend)))
CONF
run() { "$@" > "$1.out" 2>&1 & pids+=($!); }
run nginx -c "$folder/nginx.conf" -p "$folder"
run haproxy -db -f haproxy.cfg
run varnishd -F -n "$folder/varnish" -a 127.0.0.1:27143,PROXY -f "$folder/varnish.vcl"
run apache2 -f "$folder/apache.conf" -DFOREGROUND
run lighttpd -D -f lighttpd.conf

cat > try.py <<'PY'
import socket, struct, threading, time

RECEIVERS = ["nginx", "haproxy", "varnish", "apache", "lighttpd"]
REQUEST = b"GET / HTTP/1.1\r\nHost: finding\r\nConnection: close\r\n\r\n"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
INET = bytes([192, 0, 2, 1, 192, 0, 2, 2]) + struct.pack(">HH", 4711, 443)
UNIX = b"/run/a.sock".ljust(108, b"\0") + b"/run/b.sock".ljust(108, b"\0")
VERSION_1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n"

def version_2(command, family, addresses=b"", tlvs=b""):
    return SIGNATURE + bytes([0x20 | command, family]) + struct.pack(">H", len(addresses + tlvs)) + addresses + tlvs

NO_OPERATION = b"\x04" + struct.pack(">H", 3000) + bytes(3000)
HEADERS = {
    "version 1": (VERSION_1, None),
    "1 in two segments": (VERSION_1, 20),
    "2 in two segments": (version_2(1, 0x11, INET), 14),
    "UNKNOWN": (b"PROXY UNKNOWN\r\n", None),
    "UNKNOWN, addresses": (b"PROXY UNKNOWN ffff::1 ffff::2 4711 443\r\n", None),
    "LOCAL": (version_2(0, 0), None),
    "3 KB of TLVs": (version_2(1, 0x11, INET, NO_OPERATION), None),
    "UNIX sockets": (version_2(1, 0x31, UNIX), None),
    "UDP over IPv4": (version_2(1, 0x12, INET), None),
}
seen = []

def backend(connection):
    connection.settimeout(3)
    head = b""
    try:
        while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
            head += piece
        seen.extend(line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"x-forwarded-for:"))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    except OSError:
        pass
    finally:
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

def ask(port, header, cut):
    seen.clear()
    with connected(port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answer = b""
        try:
            if cut:
                client.sendall(header[:cut])
                time.sleep(0.3)
            client.sendall(header[cut or 0:] + REQUEST)
            while piece := client.recv(4096):
                answer += piece
        except OSError:
            pass
    return b", ".join(seen).decode() if answer.startswith(b"HTTP/1.1 200 ") else answer[:12].decode() or "closed"

threading.Thread(target=accept, args=[socket.create_server(("127.0.0.1", 27140))], daemon=True).start()
for name, (header, cut) in HEADERS.items():
    results = (f"{receiver}: {ask(27141 + number, header, cut)}" for number, receiver in enumerate(RECEIVERS))
    print(f"{name:18}  {' | '.join(results)}", flush=True)
PY
timeout 120 python3 try.py | tee output
sed -n 's/^#   //p' "$script" > expected
diff output expected
