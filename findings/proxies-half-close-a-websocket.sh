#!/usr/bin/env bash
# A client that says its last word and shuts down its sending half gets the answer through three proxies of six.
#
# Seen with HAProxy 2.6.12, Varnish 7.1.1, Apache 2.4.71, nginx 1.22.1, Caddy 2.6.2 and lighttpd 1.4.69 (Debian 12),
# on 2026-11-30.
# Expected: TCP's half close goes through a tunnel: the server sees the end, answers (a close frame, say), and the client
# reads that. Where a proxy does not support it, the connection ends.
# What happens: nginx, Caddy and lighttpd end both directions at once, and the answer that comes 0.3 s later is lost. (Without
# the pause between the last word and the half close, lighttpd did neither in 3 of 5 runs: the server saw no end.)
# Output:
#   haproxy: the server sees the end; the client gets the answer, then the end
#   varnish: the server sees the end; the client gets the answer, then the end
#   apache: the server sees the end; the client gets the answer, then the end
#   nginx: the server sees the end; the client gets nothing, then the end
#   caddy: the server sees the end; the client gets nothing, then the end
#   lighttpd: the server sees the end; the client gets nothing, then the end
# Needs: root on Debian 12.
set -euo pipefail
for program in haproxy varnish apache2 nginx caddy lighttpd; do
  dpkg -s "$program" >/dev/null 2>&1 || apt-get install -q -y --no-install-recommends "$program" >/dev/null
done
folder=$(mktemp -d)
chmod 777 "$folder"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; sleep 1; rm -rf "$folder"' EXIT
cd "$folder"
backend=27130

cat > haproxy.cfg <<CONF
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
listen front
  bind 127.0.0.1:27131
  server backend 127.0.0.1:$backend
CONF
cat > varnish.vcl <<CONF
vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "$backend"; }
sub vcl_recv { if (req.http.Upgrade) { return (pipe); } }
sub vcl_pipe { set bereq.http.Upgrade = req.http.Upgrade; set bereq.http.Connection = req.http.Connection; }
CONF
cat > apache.conf <<CONF
ServerRoot $folder
PidFile $folder/apache.pid
ErrorLog $folder/apache.log
Listen 127.0.0.1:27133
ServerName finding
User nobody
Group nogroup
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
ProxyPass / http://127.0.0.1:$backend/ upgrade=websocket
CONF
cat > nginx.conf <<CONF
daemon off; pid $folder/nginx.pid; error_log stderr; events {}
http {
  access_log off;
  client_body_temp_path $folder/1; proxy_temp_path $folder/2; fastcgi_temp_path $folder/3;
  uwsgi_temp_path $folder/4; scgi_temp_path $folder/5;
  server {
    listen 127.0.0.1:27134;
    location / {
      proxy_pass http://127.0.0.1:$backend; proxy_http_version 1.1;
      proxy_set_header Upgrade \$http_upgrade; proxy_set_header Connection upgrade;
    }
  }
}
CONF
cat > Caddyfile <<CONF
{
  admin off
  auto_https off
}
http://:27135 {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:$backend
}
CONF
cat > lighttpd.conf <<CONF
server.document-root = "$folder"
server.bind = "127.0.0.1"
server.port = 27136
server.modules = ("mod_proxy")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => $backend)))
proxy.header = ("upgrade" => "enable")
CONF
run() { "$@" > "$1.out" 2>&1 & pids+=($!); }
export HOME=$folder
run haproxy -db -f haproxy.cfg
run varnishd -F -n "$folder/varnish" -a 127.0.0.1:27132 -f "$folder/varnish.vcl"
run apache2 -f "$folder/apache.conf" -DFOREGROUND
run nginx -c "$folder/nginx.conf" -p "$folder"
run caddy run --config Caddyfile --adapter caddyfile
run lighttpd -D -f lighttpd.conf

cat > try.py <<'PY'
import socket, threading, time

REQUEST = (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
RESPONSE = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
CLOSE_OF_CLIENT = b"\x88\x82\0\0\0\0\x03\xe8"
CLOSE_OF_SERVER = b"\x88\x02\x03\xe8"
PROXIES = ["haproxy", "varnish", "apache", "nginx", "caddy", "lighttpd"]
seen = []

def read_head(connection):
    head = b""
    while b"\r\n\r\n" not in head and (piece := connection.recv(4096)):
        head += piece
    return head

def backend(connection):
    connection.settimeout(3)
    try:
        if not read_head(connection):
            return
        connection.sendall(RESPONSE)
        said = b""
        while piece := connection.recv(4096):
            said += piece
        seen.append("the end" if said == CLOSE_OF_CLIENT else said)
        time.sleep(0.3)
        connection.sendall(CLOSE_OF_SERVER)
    except OSError:
        pass
    finally:
        connection.close()

def accept(listener):
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=backend, args=[connection], daemon=True).start()

def connected(port):
    for _ in range(150):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            time.sleep(0.1)

threading.Thread(target=accept, args=[socket.create_server(("127.0.0.1", 27130))], daemon=True).start()
for number, proxy in enumerate(PROXIES):
    seen.clear()
    with connected(27131 + number) as client:
        client.sendall(REQUEST)
        assert read_head(client).startswith(b"HTTP/1.1 101 "), proxy
        client.sendall(CLOSE_OF_CLIENT)
        time.sleep(0.2)
        client.shutdown(socket.SHUT_WR)
        client.settimeout(2)
        heard, end = b"", ""
        try:
            while piece := client.recv(4096):
                heard += piece
            end = ", then the end"
        except TimeoutError:
            pass
    time.sleep(0.2)
    got = "the answer" if heard == CLOSE_OF_SERVER else heard or "nothing"
    print(f"{proxy}: the server sees {seen[0] if seen else 'nothing'}; the client gets {got}{end}", flush=True)
PY
timeout 120 python3 try.py | tee output
diff output - <<'EXPECTED'
haproxy: the server sees the end; the client gets the answer, then the end
varnish: the server sees the end; the client gets the answer, then the end
apache: the server sees the end; the client gets the answer, then the end
nginx: the server sees the end; the client gets nothing, then the end
caddy: the server sees the end; the client gets nothing, then the end
lighttpd: the server sees the end; the client gets nothing, then the end
EXPECTED
