"""What is done with a chain: bundles, proofs, the judgement of contacts, the rate of rotations."""

from .chain import INCEPTION, RECOVER, ROTATE, Fields
from .keys import check_x25519, check_x_wing, digest, refuse_if, verify_labelled

BUNDLE_BYTES_MAX = 3072
PROOF_BYTES = 96
HALF_DAY = 43200
CHECKS = {1: check_x25519, 2: check_x_wing}


def ascending(fields):
    entries, last = {}, -1
    for _ in range(fields.number(1)):
        number, length = fields.number(1), fields.number(2)
        entry = fields.take(length)
        refuse_if(number <= last, "bundle_malformed")
        entries[number], last = entry, number
    return entries


def parse_bundle(data, head):
    """The fields of a bundle for this head."""
    refuse_if(len(data) < 2, "bundle_malformed")
    refuse_if(data[0] != 1, "version_unknown")
    refuse_if(data[1] != 1, "algorithm_unknown")
    refuse_if(not 66 < len(data) <= BUNDLE_BYTES_MAX, "bundle_malformed")
    unsigned, signature = data[:-64], data[-64:]
    fields = Fields(unsigned[2:], "bundle_malformed")
    name, number, head_hash = fields.short(), fields.number(4), fields.take(32)
    suites = ascending(fields)
    ascending(fields)
    refuse_if(fields.at != len(fields.data), "bundle_malformed")
    refuse_if(name != head.id.encode(), "other_id")
    refuse_if(head.identity_key is None, "head_unbound")
    refuse_if(head_hash != head.position[2], "other_head")
    verify_labelled(head.identity_key, signature, "bundle", unsigned)
    refuse_if(1 not in suites, "suite_missing")
    for suite, key in suites.items():
        CHECKS.get(suite, lambda _: None)(key)
    return {"number": number, "recordHash": digest("record hash", unsigned).hex(),
            "x25519": suites[1].hex(), "xWing": suites[2].hex() if 2 in suites else None}


def check_next_bundle(known, following):
    if following["headHash"] != known["headHash"] or following["number"] > known["number"]:
        return
    refuse_if(following["number"] < known["number"], "bundle_rolled_back")
    refuse_if(following["recordHash"] != known["recordHash"], "bundle_forked")


def transcript(demand, client_nonce):
    texts = (demand["origin"].encode(), demand["id"].encode())
    front = b"".join(bytes([len(text)]) + text for text in texts)
    place = demand["epoch"].to_bytes(4, "big") + bytes([demand["sequence"]]) + bytes.fromhex(demand["headHash"])
    return front + place + bytes.fromhex(demand["nonce"]) + client_nonce


def verify_proof(data, demand):
    refuse_if(len(data) != PROOF_BYTES, "proof_malformed")
    purpose = {"challenge": "proof", "resume": "resume proof"}[demand["purpose"]]
    verify_labelled(bytes.fromhex(demand["identityKey"]), data[32:], purpose, transcript(demand, data[:32]))


CONSEQUENCES = {
    "no_identity": "go_on", "first_contact": "go_on", "verified": "go_on", "unchanged": "go_on",
    "bound": "tell", "rotated": "tell", "recovered": "warn", "key_changed": "wait", "released": "wait",
    "other_fingerprint": "refuse", "other_id": "refuse", "ended": "refuse", "chain_withheld": "refuse",
    "rolled_back": "refuse", "forked": "refuse",
}


def judge(name, known, links, head):
    """The judgement and its details. `head` is None if there is no chain."""
    if head is None:
        expected = "hash" in known or "digest" in known or name.startswith("sc-")
        return ("chain_withheld", {}) if expected else ("no_identity", {})
    if head.id != name:
        return "other_id", {}
    if "hash" in known:
        return judge_successor(known, links, head)
    if "digest" in known and head.fingerprint != bytes.fromhex(known["digest"]):
        return "other_fingerprint", {}
    if head.ended:
        return "ended", {}
    if "digest" in known:
        return "verified", {}
    if "identityKey" in known:
        return judge_first_chain(known, links, head)
    if head.fingerprint is None:
        return "no_identity", {}
    return ("verified" if name.startswith("sc-") else "first_contact"), {}


def judge_first_chain(known, links, head):
    if head.fingerprint is None:
        return "released", {}
    first = next(link.identity_key for link in links if link.identity_key)
    return ("bound", {}) if first.hex() == known["identityKey"] else ("key_changed", {"namesKnownHead": False})


def judge_successor(known, links, head):
    epoch, sequence, link_hash = head.position
    if epoch > known["epoch"]:
        if head.ended:
            return "ended", {}
        if head.fingerprint is None:
            return "released", {}
        named = epoch == known["epoch"] + 1 and links[0].previous.hex() == known["hash"]
        return "key_changed", {"namesKnownHead": named}
    if epoch < known["epoch"] or sequence < known["sequence"]:
        return "rolled_back", {"shownHash": link_hash.hex()}
    at_known, later = links[known["sequence"]], [link.kind for link in links[known["sequence"] + 1:]]
    if at_known.hash.hex() != known["hash"]:
        return "forked", {"shownHash": at_known.hash.hex()}
    if head.ended:
        return "ended", {}
    if INCEPTION in later:
        return "key_changed", {"namesKnownHead": True}
    for kind, judgement in ((RECOVER, "recovered"), (ROTATE, "rotated")):
        if kind in later:
            return judgement, {"count": later.count(kind)}
    return "unchanged", {}


def rotation(paid_at, now):
    """When the rotations are paid for after one more, or the seconds to wait for it."""
    highest = 2**64 - 1
    full = min(now + 4 * HALF_DAY, highest)
    paid = min(min(max(paid_at, now), full) + HALF_DAY, highest)
    return ("too_soon", paid - full) if paid > full else ("accepted", paid)
