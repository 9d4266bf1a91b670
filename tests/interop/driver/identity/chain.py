"""Links, and the chains that they make."""

from dataclasses import dataclass, field, replace

from .keys import Refused, armored, check_key, commitment, digest, refuse_if, verify_labelled
from .names import check_id

INCEPTION, ROTATE, RECOVER, TOMBSTONE, RESET = range(1, 6)
LINK_BYTES_MAX = 337
TIME_MAX = 253402300799
# Identity key and commitment, recovery key; signatures.
LAYOUT = {INCEPTION: (True, False, 1), ROTATE: (True, False, 2), RECOVER: (True, True, 2),
          TOMBSTONE: (False, True, 1), RESET: (False, False, 0)}


class Fields:
    """Bytes, taken from the front; the named rule is broken if there are too few."""

    def __init__(self, data, name):
        self.data, self.at, self.name = data, 0, name

    def take(self, count):
        refuse_if(self.at + count > len(self.data), self.name)
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def short(self):
        return self.take(self.number(1))


@dataclass
class Link:
    kind: int
    id: str
    epoch: int
    sequence: int
    time: int
    previous: bytes
    hash: bytes
    unsigned: bytes
    signatures: list
    identity_key: bytes | None = None
    commitment: bytes | None = None
    recovery_key: bytes | None = None

    @property
    def position(self):
        return (self.epoch, self.sequence, self.hash)

    def verify(self, *signers):
        for signer, signature in zip(signers, self.signatures, strict=True):
            verify_labelled(signer, signature, "link", self.unsigned)


def parse_link(data):
    fields = Fields(data, "link_malformed")
    version, algorithm, kind = fields.take(3)
    refuse_if(version != 1, "version_unknown")
    refuse_if(algorithm != 1, "algorithm_unknown")
    refuse_if(kind not in LAYOUT, "kind_unknown")
    has_identity, has_recovery, signatures = LAYOUT[kind]
    raw_id, epoch, sequence, time = fields.short(), fields.number(4), fields.number(1), fields.number(8)
    previous = fields.take(32)
    identity_key, promise = (fields.take(32), fields.take(32)) if has_identity else (None, None)
    recovery = fields.take(32) if has_recovery else None
    unsigned, signed = data[:fields.at], data[fields.at:]
    refuse_if(len(signed) != 64 * signatures or len(data) > LINK_BYTES_MAX, "link_malformed")
    link_hash = digest("link hash", unsigned)
    link = Link(kind, id_of(raw_id, kind, epoch, link_hash), epoch, sequence, time, previous, link_hash, unsigned,
                [signed[at:at + 64] for at in range(0, len(signed), 64)], identity_key, promise, recovery)
    check_place(link)
    check_keys(link)
    return link


def id_of(raw, kind, epoch, link_hash):
    if kind == INCEPTION and raw == b"":
        name = "sc-" + armored(link_hash)
    else:
        refuse_if(kind == INCEPTION and raw.startswith(b"sc-"), "id_in_inception")
        name = raw.decode("latin-1")
    certified = check_id(name) is not None
    refuse_if(certified and kind == RESET, "reset_of_certified_id")
    refuse_if(certified and epoch != 0, "epoch_of_certified_id")
    return name


def check_place(link):
    inception = 0 if link.epoch == 0 else 1
    fits = {INCEPTION: link.sequence == inception, RESET: link.epoch > 0 and link.sequence == 0}
    refuse_if(not fits.get(link.kind, link.sequence > inception), "sequence_of_kind")
    refuse_if(link.epoch == 0 and link.sequence == 0 and any(link.previous), "previous_of_first")
    refuse_if(link.time > TIME_MAX, "time_out_of_range")


def check_keys(link):
    if link.identity_key:
        check_key(link.identity_key)
        refuse_if(link.commitment == commitment(link.identity_key), "identity_key_is_recovery_key")
    if link.recovery_key:
        check_key(link.recovery_key)
        refuse_if(link.recovery_key == link.identity_key, "identity_key_is_recovery_key")


@dataclass
class Head:
    id: str
    position: tuple
    identity_key: bytes | None
    commitment: bytes | None
    fingerprint: bytes | None
    ended: bool = False
    spent: set = field(default_factory=set)


def begin(link):
    if link.kind == RESET:
        return Head(link.id, link.position, None, None, None)
    refuse_if(link.kind != INCEPTION or link.sequence != 0, "not_a_first_link")
    link.verify(link.identity_key)
    return Head(link.id, link.position, link.identity_key, link.commitment, link.hash)


def extend(head, link):
    """The head after one more link; the same one if it is the head already."""
    refuse_if(link.id != head.id, "other_id")
    if link.position == head.position:
        return head
    epoch, sequence, link_hash = head.position
    refuse_if(link.epoch != epoch, "other_epoch")
    refuse_if(link.sequence <= sequence, "sequence_taken")
    refuse_if(head.ended, "after_tombstone")
    refuse_if(link.sequence != sequence + 1, "gap")
    refuse_if(link.previous != link_hash, "other_previous")
    last = {INCEPTION: 239, ROTATE: 239, RECOVER: 254}.get(link.kind, 255)
    refuse_if(link.sequence > last, "chain_full")
    if link.kind in (RECOVER, TOMBSTONE):
        revealed = commitment(link.recovery_key)
        refuse_if(revealed in head.spent, "recovery_key_spent")
        refuse_if(revealed != head.commitment, "recovery_key_other")
    return {INCEPTION: bind, ROTATE: rotate, RECOVER: recover, TOMBSTONE: end}[link.kind](head, link)


def bind(head, link):
    link.verify(link.identity_key)
    return moved(head, link, fingerprint=link.hash)


def rotate(head, link):
    refuse_if(link.commitment != head.commitment, "commitment_changed")
    refuse_if(link.identity_key == head.identity_key, "identity_key_unchanged")
    link.verify(head.identity_key, link.identity_key)
    return moved(head, link)


def recover(head, link):
    refuse_if(link.commitment == head.commitment or link.commitment in head.spent, "commitment_not_new")
    link.verify(link.recovery_key, link.identity_key)
    return moved(head, link, spent=head.spent | {head.commitment})


def end(head, link):
    link.verify(link.recovery_key)
    return moved(head, link, ended=True)


def moved(head, link, **changes):
    return replace(head, position=link.position, identity_key=link.identity_key, commitment=link.commitment, **changes)


class Broken(Exception):
    def __init__(self, index, name):
        super().__init__(index, name)
        self.index, self.name = index, name


def verify_chain(links):
    """The head after all of them; every link must be new."""
    head = None
    for index, link in enumerate(links):
        try:
            before, head = head, begin(link) if head is None else extend(head, link)
            refuse_if(head is before, "sequence_taken")
        except Refused as refused:
            raise Broken(index, refused.name) from None
    if head is None:
        raise Broken(0, "not_a_first_link")
    return head


def reset(head, time):
    """The unsigned bytes of an operator's reset."""
    refuse_if(head.id.startswith("sc-"), "reset_of_certified_id")
    refuse_if(head.ended, "after_tombstone")
    refuse_if(head.identity_key is None, "nothing_to_reset")
    epoch, _, link_hash = head.position
    refuse_if(epoch == 2**32 - 1, "epochs_exhausted")
    refuse_if(time > TIME_MAX, "time_out_of_range")
    name = head.id.encode()
    return (bytes([1, 1, RESET, len(name)]) + name + (epoch + 1).to_bytes(4, "big") + b"\0"
            + time.to_bytes(8, "big") + link_hash)
