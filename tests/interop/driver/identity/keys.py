"""What is valid: Ed25519 keys and signatures, KEM keys; and the bytes that everything is made of."""

import base64
import binascii
import hashlib
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1)
HALF = 2**255


class Refused(Exception):
    """One rule of the page that is broken, by its name."""

    def __init__(self, name):
        super().__init__(name)
        self.name = name


def refuse_if(broken, name):
    if broken:
        raise Refused(name)


def label(purpose):
    return f"securecall-identity/1 {purpose}:".encode()


def digest(purpose, *parts):
    return hashlib.sha256(label(purpose) + b"".join(parts)).digest()


def from_text(text, bytes_max):
    refuse_if(len(text) > -(-bytes_max * 4 // 3), "text_too_long")
    return unarmored(text)


def unarmored(text):
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise Refused("text_not_base64url") from None
    # One spelling: neither padding nor unused bits that are set.
    refuse_if(armored(decoded) != text, "text_not_base64url")
    return decoded


def armored(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decompressed(data):
    """RFC 8032 section 5.1.3; None if no point has this y."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number % HALF
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P == -u % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if v * x * x % P != u:
        return None
    return (x if x % 2 == sign else -x % P, y)


def add(one, other):
    (x1, y1), (x2, y2) = one, other
    product = D * x1 * x2 * y1 * y2 % P
    x = (x1 * y2 + y1 * x2) * pow(1 + product, -1, P) % P
    y = (y1 * y2 + x1 * x2) * pow(1 - product, -1, P) % P
    return (x, y)


def times(scalar, point):
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def small_order_y():
    """The y of the points whose order divides eight: L times any point is one of them."""
    found, y = {1, P - 1, 0}, 2
    while len(found) < 5:
        point = decompressed(y.to_bytes(32, "little"))
        if point is not None:
            found.add(times(L, point)[1])
        y += 1
    return found


SMALL_ORDER_Y = small_order_y()
# The birational map of RFC 7748 section 4.1, and the two points that it leaves out.
SMALL_ORDER_U = {(1 + y) * pow(1 - y, -1, P) % P for y in SMALL_ORDER_Y if y != 1} | {0}


# A chain of 256 links has each key twice, and is read by several cases.
@lru_cache(1024)
def check_key(data):
    y = int.from_bytes(data, "little") % HALF
    refuse_if(y >= P, "key_not_canonical")
    refuse_if(y in SMALL_ORDER_Y, "key_small_order")
    point = decompressed(data)
    refuse_if(point is None, "key_not_a_point")
    refuse_if(times(L, point) != NEUTRAL, "key_not_torsion_free")
    return data


def verify(key, signature, message):
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    y = int.from_bytes(r, "little") % HALF
    refuse_if(y >= P, "signature_r_not_canonical")
    refuse_if(y in SMALL_ORDER_Y, "signature_r_small_order")
    refuse_if(s >= L, "signature_s_not_reduced")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Refused("signature_wrong") from None


def verify_labelled(key, signature, purpose, message):
    verify(key, signature, label(purpose) + message)


def check_x25519(data):
    refuse_if(len(data) != 32, "kem_key_length")
    u = int.from_bytes(data, "little")
    refuse_if(u >= P, "kem_key_not_canonical")
    # The twist has points of small order, too: of order 4, u = -1.
    refuse_if(u in SMALL_ORDER_U | {1, P - 1}, "kem_key_small_order")


def check_x_wing(data):
    refuse_if(len(data) != 1216, "kem_key_length")
    bits = int.from_bytes(data[:1152], "little")
    numbers = (bits >> 12 * index & 0xFFF for index in range(768))
    refuse_if(any(number >= 3329 for number in numbers), "kem_key_not_canonical")
    check_x25519(data[1184:])


def recovery_key(entropy):
    private = Ed25519PrivateKey.from_private_bytes(digest("recovery ed25519", entropy))
    return private.public_key().public_bytes_raw()


def commitment(key):
    return digest("recovery commitment", key)


def fingerprint(data):
    groups = (int.from_bytes(data[at:at + 4], "big") % 100000 for at in range(0, 32, 4))
    return " ".join(f"{group:05}" for group in groups)
