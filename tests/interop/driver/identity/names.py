"""Ids and origins."""

import ipaddress
import re

from .keys import Refused, refuse_if, unarmored

SCHEMES = {"ws": 80, "wss": 443}
PART = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def check_id(text):
    """Returns the digest of a certified id, None for a plain one."""
    refuse_if(not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", text), "id_malformed")
    if not text.startswith("sc-"):
        return None
    try:
        digest = unarmored(text[3:])
    except Refused:
        raise Refused("id_reserved") from None
    refuse_if(len(digest) != 32, "id_reserved")
    return digest


def check_origin(text):
    refuse_if(origin_of_url(text) != text, "origin_not_canonical")


def origin_of_url(url):
    scheme, found, rest = url.partition("://")
    scheme = scheme.lower()
    refuse_if(not found or scheme not in SCHEMES, "origin_scheme")
    authority = re.split(r"[/?#]", rest)[0]
    refuse_if("@" in authority, "origin_host")
    host, port = re.fullmatch(r"(\[.*\]|.*?)(?::([^:\]]*))?", authority, re.DOTALL).groups()
    origin = f"{scheme}://{canonical_host(host)}{canonical_port(port, SCHEMES[scheme])}"
    refuse_if(len(origin) > 255, "text_too_long")
    return origin


def canonical_host(host):
    if host.startswith("["):
        return canonical_ipv6(host)
    # Only ASCII letters become lower case; others are refused below.
    name = re.sub(r"[A-Z]", lambda letter: letter[0].lower(), host)
    parts = name.split(".")
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", parts[-1]):
        number = r"(0|[1-9][0-9]{0,2})"
        refuse_if(not re.fullmatch(rf"{number}(\.{number}){{3}}", name), "origin_host")
        refuse_if(any(int(part) > 255 for part in parts), "origin_host")
        return name
    refuse_if(len(name) > 253 or not all(PART.fullmatch(part) for part in parts), "origin_host")
    return name


def canonical_ipv6(host):
    refuse_if(not re.fullmatch(r"\[[0-9a-fA-F:.]*\]", host), "origin_host")
    try:
        address = ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        raise Refused("origin_host") from None
    refuse_if(address.ipv4_mapped is not None, "origin_host")
    return f"[{address.compressed}]"


def canonical_port(digits, default):
    if digits is None:
        return ""
    refuse_if(not re.fullmatch(r"[1-9][0-9]{0,4}", digits) or int(digits) > 65535, "origin_port")
    return "" if int(digits) == default else f":{digits}"
