#!/usr/bin/env bash
# pywebpush signs for the push service of the first subscription when the same claims are given again for another one.
#
# Seen with pywebpush 2.5.0 (Python 3.11), on 2026-11-30.
# Expected: `vapid_claims={"sub": …}` is the sender's, the same for all, and `aud` is made from each endpoint.
# What happens: `webpush` writes `aud` and `exp` into the dict that it is given, and takes what it finds there the next time. The
# callee with the first browser is woken; the one with another browser is not, since its push service refuses a token for
# somebody else. Which of them depends on who was called first after the start.
# Output:
#   one dict for both: push service 1 gets the audience of 1, push service 2 gets the audience of 1
#   a copy for each: push service 1 gets the audience of 1, push service 2 gets the audience of 2
# Needs: python3 with venv.
set -euo pipefail
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check pywebpush==2.5.0
cat > try.py <<'PY'
import base64, json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid
from pywebpush import webpush

PORTS = {1: 27221, 2: 27222}
text = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
audiences = []

class PushService(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        # Authorization: vapid t=HEADER.CLAIMS.SIGNATURE,k=KEY
        claims = self.headers["Authorization"].split("t=")[1].split(".")[1]
        audiences.append(json.loads(base64.urlsafe_b64decode(claims + "=="))["aud"])
        self.send_response(201)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

for port in PORTS.values():
    Thread(target=ThreadingHTTPServer(("127.0.0.1", port), PushService).serve_forever, daemon=True).start()
point = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
keys = {"p256dh": text(point), "auth": text(os.urandom(16))}
vapid = Vapid()
vapid.generate_keys()
for name, given in [("one dict for both", lambda claims: claims), ("a copy for each", dict)]:
    claims = {"sub": "mailto:ops@example.org"}
    told = []
    for number, port in PORTS.items():
        subscription = {"endpoint": f"http://127.0.0.1:{port}/subscription", "keys": keys}
        webpush(subscription, data="a call", vapid_private_key=vapid, vapid_claims=given(claims))
        signed_for = next(other for other, port in PORTS.items() if audiences[-1].endswith(f":{port}"))
        told.append(f"push service {number} gets the audience of {signed_for}")
    print(f"{name}: {', '.join(told)}")
PY
timeout 60 python/bin/python try.py | tee output
sed -n '/^# Output:/,/^# Needs:/s/^#   //p' "$script" > expected
diff output expected
