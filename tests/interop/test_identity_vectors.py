"""vectors/identity, read by an implementation that was written from docs/identity.md: it agrees on every case."""

import json
import subprocess
from pathlib import Path

import pytest

from driver.identity import chain, keys, names, use

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "identity"
FILES = {file.stem: json.loads(file.read_text()) for file in sorted(VECTORS.glob("*.json"))}


def cases(file, list_name):
    return pytest.mark.parametrize("case", FILES[file][list_name], ids=lambda case: case["name"])


def result_of(function, *arguments):
    """The name of the refusal, or "accepted", and what was returned."""
    try:
        return "accepted", function(*arguments)
    except keys.Refused as refused:
        return refused.name, None


def link_of(text):
    return chain.parse_link(keys.from_text(text, chain.LINK_BYTES_MAX))


def links_of(texts):
    return [link_of(text) for text in texts]


def hexed(data):
    return None if data is None else data.hex()


def test_every_list_is_read_here():
    assert {(file, name) for file, lists in FILES.items() for name in lists} == {
        ("bundles", "bundles"), ("bundles", "marks"), ("chains", "chains"), ("chains", "extensions"),
        ("chains", "refused"), ("chains", "resets"), ("contacts", "contacts"), ("ed25519", "keys"),
        ("ed25519", "signatures"), ("ids", "ids"), ("kem-keys", "x25519"), ("kem-keys", "xWing"), ("links", "links"),
        ("origins", "origins"), ("origins", "urls"), ("proofs", "proofs"), ("recovery", "recoveryKeys"),
        ("recovery", "rotations")}
    assert all(len(cases) > 2 for lists in FILES.values() for cases in lists.values())


def test_a_wrong_result_would_be_noticed():
    case = FILES["ed25519"]["signatures"][0]
    assert case["result"] == "accepted"
    with pytest.raises(keys.Refused, match="signature_wrong"):
        keys.verify(bytes.fromhex(case["key"]), bytes.fromhex(case["signature"]), b"another message")


@cases("ed25519", "keys")
def test_an_ed25519_key(case):
    assert result_of(keys.check_key, bytes.fromhex(case["key"]))[0] == case["result"]


@cases("ed25519", "signatures")
def test_a_signature(case):
    key, message, signature = (bytes.fromhex(case[name]) for name in ("key", "message", "signature"))
    keys.check_key(key)
    assert result_of(keys.verify, key, signature, message)[0] == case["result"]


@cases("kem-keys", "x25519")
def test_an_x25519_key(case):
    assert result_of(keys.check_x25519, bytes.fromhex(case["key"]))[0] == case["result"]


@cases("kem-keys", "xWing")
def test_an_x_wing_key(case):
    assert result_of(keys.check_x_wing, bytes.fromhex(case["key"]))[0] == case["result"]


@cases("ids", "ids")
def test_an_id(case):
    result, digest = result_of(names.check_id, case["id"])
    assert result == case["result"]
    assert hexed(digest) == case.get("digest")
    if digest:
        assert keys.fingerprint(digest) == case["fingerprint"]


@cases("origins", "origins")
def test_an_origin(case):
    assert result_of(names.check_origin, case["origin"])[0] == case["result"]


@cases("origins", "urls")
def test_the_origin_of_a_url(case):
    assert result_of(names.origin_of_url, case["url"]) == (case["result"], case.get("origin"))


def test_the_origin_of_a_url_is_the_one_that_javascript_gives():
    accepted = {case["url"]: case["origin"] for case in FILES["origins"]["urls"] if case["result"] == "accepted"}
    script = "console.log(JSON.stringify(JSON.parse(process.argv[1]).map((url) => new URL(url).origin)))"
    node = subprocess.run(["node", "-e", script, json.dumps(list(accepted))], stdout=subprocess.PIPE, timeout=30, check=True)
    assert json.loads(node.stdout) == list(accepted.values())


@cases("links", "links")
def test_a_link(case):
    result, link = result_of(link_of, case["link"])
    assert result == case["result"]
    if link:
        assert case["fields"] == {
            "id": link.id, "kind": link.kind, "epoch": link.epoch, "sequence": link.sequence, "time": link.time,
            "previous": link.previous.hex(), "hash": link.hash.hex(), "identityKey": hexed(link.identity_key)}


@cases("chains", "chains")
def test_a_chain(case):
    head = chain.verify_chain(links_of(case["links"]))
    epoch, sequence, link_hash = head.position
    assert case["head"] == {
        "id": head.id, "epoch": epoch, "sequence": sequence, "hash": link_hash.hex(),
        "identityKey": hexed(head.identity_key), "commitment": hexed(head.commitment), "ended": head.ended,
        "fingerprint": keys.fingerprint(head.fingerprint) if head.fingerprint else None}


@cases("chains", "refused")
def test_a_list_of_links_that_is_no_chain(case):
    with pytest.raises(chain.Broken) as broken:
        chain.verify_chain(links_of(case["links"]))
    assert (broken.value.name, broken.value.index) == (case["result"], case["index"])


def head_of(case):
    named = next(named for named in FILES["chains"]["chains"] if named["name"] == case["chain"])
    return chain.verify_chain(links_of(named["links"][:case["take"]]))


@cases("chains", "extensions")
def test_one_more_link(case):
    head = head_of(case)
    result, extended = result_of(chain.extend, head, link_of(case["link"]))
    if extended:
        result = "already" if extended is head else "extended"
    assert result == case["result"]


@cases("chains", "resets")
def test_a_reset(case):
    result, unsigned = result_of(chain.reset, head_of(case), case["time"])
    assert result == case["result"]
    if unsigned:
        assert keys.armored(unsigned) == case["link"]


@cases("bundles", "bundles")
def test_a_bundle(case):
    head = chain.verify_chain(links_of(case["chain"]))
    result, fields = result_of(lambda: use.parse_bundle(keys.from_text(case["bundle"], use.BUNDLE_BYTES_MAX), head))
    assert result == case["result"]
    if fields:
        assert fields == {name: case[name] for name in fields}


@cases("bundles", "marks")
def test_a_bundle_after_another(case):
    assert result_of(use.check_next_bundle, case["known"], case["next"])[0] == case["result"]


@cases("proofs", "proofs")
def test_a_proof(case):
    result, _ = result_of(lambda: use.verify_proof(keys.from_text(case["proof"], use.PROOF_BYTES), case))
    assert result == case["result"]
    if "transcript" in case:
        assert use.transcript(case, keys.unarmored(case["proof"])[:32]).hex() == case["transcript"]


@cases("contacts", "contacts")
def test_what_a_client_makes_of_an_answer(case):
    links = links_of(case["shown"]) if case["shown"] is not None else []
    head = chain.verify_chain(links) if links else None
    judgement, details = use.judge(case["id"], case["known"], links, head)
    assert judgement == case["result"]
    assert use.CONSEQUENCES[judgement] == case["consequence"]
    assert details == {name: case[name] for name in ("count", "namesKnownHead", "shownHash") if name in case}


@cases("recovery", "recoveryKeys")
def test_a_recovery_key(case):
    key = keys.recovery_key(bytes.fromhex(case["entropy"]))
    assert (key.hex(), keys.commitment(key).hex()) == (case["publicKey"], case["commitment"])
    assert len(case["words"].split()) == 24


@cases("recovery", "rotations")
def test_the_rate_of_rotations(case):
    result, value = use.rotation(int(case["paidAt"]), int(case["now"]))
    assert result == case["result"]
    assert str(value) == case["paidAtAfter" if result == "accepted" else "waitSeconds"]
