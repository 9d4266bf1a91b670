#!/usr/bin/env bash
# pywebpush and web-push encrypt a push message that is too long for one record into two, and report nothing.
#
# Seen with pywebpush 2.5.0 and http_ece 1.2.1 (Python 3.11), web-push 3.6.7 (Node 20), on 2026-11-30.
# Expected: an error. RFC 8291, section 4: a push message is one record, and a push service need not take more than 4,096 bytes.
# What happens: both write the record size 4096 into the head. From 3,994 bytes on the body is longer than a push service need
# take, from 4,080 on a second record stands behind the first; the length is left to the service, the records to the browser. Who
# puts a call's offer into the push that wakes a callee (an SDP with audio and video is longer) has no error to look at.
# Output:
#   pywebpush: 3993 bytes: 1 record, 4096 long; 4079 bytes: 1 record, 4182 long; 4080 bytes: 2 records, 4200 long
#   web-push: 3993 bytes: 1 record, 4096 long; 4079 bytes: 1 record, 4182 long; 4080 bytes: 2 records, 4200 long
# Needs: python3 with venv, node and npm.
set -euo pipefail
script=$(realpath "$0")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install -q --disable-pip-version-check pywebpush==2.5.0 http_ece==1.2.1
npm install --silent --no-audit --no-fund web-push@3.6.7 >/dev/null
cat > keys.py <<'PY'
"""A subscription such as a browser makes it: a P-256 point and 16 bytes."""
import base64, json, os
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

point = generate_private_key(SECP256R1()).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
text = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
print(json.dumps({"endpoint": "https://push.example/1", "keys": {"p256dh": text(point), "auth": text(os.urandom(16))}}))
PY
python/bin/python keys.py > subscription.json
cat > try.py <<'PY'
import json
from pywebpush import WebPusher

pusher = WebPusher(json.load(open("subscription.json")))
for length in (3993, 4079, 4080):
    print("pywebpush", length, pusher.encode(b"x" * length, "aes128gcm")["body"].hex())
PY
cat > try.mjs <<'JS'
import { readFileSync } from "node:fs";
import webpush from "web-push";

const subscription = JSON.parse(readFileSync("subscription.json"));
const { publicKey, privateKey } = webpush.generateVAPIDKeys();
const vapidDetails = { subject: "mailto:ops@example.org", publicKey, privateKey };
for (const length of [3993, 4079, 4080]) {
  const { body } = webpush.generateRequestDetails(subscription, Buffer.alloc(length, "x"), { vapidDetails });
  console.log("web-push", length, body.toString("hex"));
}
JS
cat > count.py <<'PY'
"""RFC 8188: 16 bytes of salt, the record size, the length of the key id, the key id, and the records."""
import sys

lines = {}
for line in sys.stdin:
    library, length, body = line.split()
    body = bytes.fromhex(body)
    records = -(-(len(body) - 21 - body[20]) // int.from_bytes(body[16:20], "big"))
    lines.setdefault(library, []).append(f"{length} bytes: {records} record{'s' * (records > 1)}, {len(body)} long")
for library, parts in lines.items():
    print(f"{library}: {'; '.join(parts)}")
PY
{ python/bin/python try.py; node try.mjs; } | python3 count.py | tee output
sed -n '/^# Output:/,/^# Needs:/s/^#   //p' "$script" > expected
diff output expected
