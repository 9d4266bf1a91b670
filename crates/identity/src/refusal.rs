//! Each reason for which a key, signature, link, chain, bundle, proof, id or origin is refused.
//!
//! A refusal has a name in `snake_case`, the same in every implementation and in the test vectors.
//! It carries no value: an id, key or hash must not end up in a log.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])+ $variant:ident = $name:literal, $text:literal;)+) => {
        /// A reason for which something is refused. The rules are checked in the order of
        /// `docs/identity.md`, and the first one that is broken is named.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])+ $variant,)+
        }

        impl Refusal {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The name that every implementation and the test vectors use.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }
        }
    };
}

refusals! {
    /// Text: not base64url without padding in its one spelling.
    TextNotBase64Url = "text_not_base64url", "not base64url without padding";
    /// Text: longer than the longest that could be valid.
    TextTooLong = "text_too_long", "longer than any valid text";

    /// Ed25519 key: the y coordinate is not below 2^255 − 19.
    KeyNotCanonical = "key_not_canonical", "an Ed25519 key that is not canonical";
    /// Ed25519 key: one of the points whose order divides eight, the neutral one included.
    KeySmallOrder = "key_small_order", "an Ed25519 key of small order";
    /// Ed25519 key: no point of the curve.
    KeyNotAPoint = "key_not_a_point", "an Ed25519 key that is no point of the curve";
    /// Ed25519 key: a point outside the subgroup of prime order.
    KeyNotTorsionFree = "key_not_torsion_free", "an Ed25519 key outside the group of prime order";

    /// Signature: the y coordinate of R is not below 2^255 − 19.
    SignatureRNotCanonical = "signature_r_not_canonical", "a signature whose R is not canonical";
    /// Signature: R is of small order.
    SignatureRSmallOrder = "signature_r_small_order", "a signature whose R is of small order";
    /// Signature: S is not below the order of the group.
    SignatureSNotReduced = "signature_s_not_reduced", "a signature whose S is not reduced";
    /// Signature: of another key or over other bytes.
    SignatureWrong = "signature_wrong", "a signature of another key, or over other bytes";

    /// KEM key: not of its suite's length.
    KemKeyLength = "kem_key_length", "a KEM key of another length than its suite has";
    /// KEM key: a number in it is not below its modulus.
    KemKeyNotCanonical = "kem_key_not_canonical", "a KEM key that is not canonical";
    /// KEM key: its X25519 part is of small order.
    KemKeySmallOrder = "kem_key_small_order", "a KEM key of small order";

    /// Id: not 1 to 64 characters of `a-zA-Z0-9_-`.
    IdMalformed = "id_malformed", "an id has 1 to 64 characters of a-zA-Z0-9_-";
    /// Id: begins with `sc-` and is not the spelling of a digest.
    IdReserved = "id_reserved", "ids that begin with sc- are made from an identity, not chosen";

    /// Origin: neither `ws://` nor `wss://`.
    OriginScheme = "origin_scheme", "an origin begins with wss:// or ws://";
    /// Origin: no host name or address as it must be written.
    OriginHost = "origin_host", "an origin names a host or an IP address";
    /// Origin: the port is no number from 1 to 65535 without leading zeros.
    OriginPort = "origin_port", "a port is a number from 1 to 65535";
    /// Origin: names the same server as the canonical spelling, and is not that.
    OriginNotCanonical = "origin_not_canonical", "an origin in another spelling than its canonical one";

    /// Link: cut off, or with bytes left over.
    LinkMalformed = "link_malformed", "not a link of an identity";
    /// Link, bundle: a format version that this program does not know.
    VersionUnknown = "version_unknown", "a newer format: a newer program is needed";
    /// Link, bundle: an algorithm that this program does not know.
    AlgorithmUnknown = "algorithm_unknown", "a newer algorithm: a newer program is needed";
    /// Link: not of the five kinds.
    KindUnknown = "kind_unknown", "a link of an unknown kind";
    /// Link: an inception that spells out an `sc-` id; its id follows from it.
    IdInInception = "id_in_inception", "an inception does not spell out an sc- id";
    /// Link: an operator's act on an `sc-` id, which only its own keys can change.
    ResetOfCertifiedId = "reset_of_certified_id", "an sc- id cannot be reset";
    /// Link: an `sc-` id has only epoch 0.
    EpochOfCertifiedId = "epoch_of_certified_id", "an sc- id has only epoch 0";
    /// Link: a sequence number that its kind cannot have in this epoch.
    SequenceOfKind = "sequence_of_kind", "a link of this kind does not have this sequence number";
    /// Link: the first one of all names a link before it.
    PreviousOfFirst = "previous_of_first", "the first link has no link before it";
    /// Link: the time lies beyond the year 9999.
    TimeOutOfRange = "time_out_of_range", "a time beyond the year 9999";
    /// Link: the identity key is the recovery key, so a thief of the one would have both.
    IdentityKeyIsRecoveryKey = "identity_key_is_recovery_key", "the identity key is the recovery key";

    /// Chain: does not begin with an inception of epoch 0, nor with a reset.
    NotAFirstLink = "not_a_first_link", "a chain begins with an inception or a reset";
    /// Chain, bundle: of another id.
    OtherId = "other_id", "of another id";
    /// Chain: of another epoch.
    OtherEpoch = "other_epoch", "of another epoch";
    /// Chain: the sequence number has another link already.
    SequenceTaken = "sequence_taken", "another link has this sequence number";
    /// Chain: links are missing before this one.
    Gap = "gap", "links are missing before this one";
    /// Chain: names another link before it than the head.
    OtherPrevious = "other_previous", "follows another link than the head";
    /// Chain: nothing follows a tombstone.
    AfterTombstone = "after_tombstone", "nothing follows a tombstone";
    /// Chain: the last sequence numbers are reserved for recovery and for the tombstone.
    ChainFull = "chain_full", "the last places of a chain are kept for recovery and the tombstone";
    /// Rotate: changes the recovery commitment.
    CommitmentChanged = "commitment_changed", "a rotation cannot change the recovery commitment";
    /// Rotate: to the identity key that is there already.
    IdentityKeyUnchanged = "identity_key_unchanged", "a rotation to the same identity key";
    /// Recover, tombstone: a recovery key that was used before.
    RecoveryKeySpent = "recovery_key_spent", "a recovery key is used once";
    /// Recover, tombstone: a recovery key that was not committed to.
    RecoveryKeyOther = "recovery_key_other", "not the recovery key that was committed to";
    /// Recover: commits to the recovery key that it reveals, or to one that was used before.
    CommitmentNotNew = "commitment_not_new", "a recovery commits to new recovery words";

    /// Reset: the id is bound to no key, so there is nothing to reset.
    NothingToReset = "nothing_to_reset", "the id is bound to no key";
    /// Reset: the number of epochs is used up.
    EpochsExhausted = "epochs_exhausted", "this id has had all its epochs";

    /// Bundle: cut off, with bytes left over, too long, or with fields out of order.
    BundleMalformed = "bundle_malformed", "not a bundle of keys";
    /// Bundle: suite 1 is missing.
    SuiteMissing = "suite_missing", "a bundle without the suite that all clients know";
    /// Bundle: the head binds the id to no key.
    HeadUnbound = "head_unbound", "the id is bound to no key, so nobody can sign for it";
    /// Bundle: made for another head than the chain's.
    OtherHead = "other_head", "made for another head of the chain";
    /// Bundle: older than one that was there before, under the same head.
    BundleRolledBack = "bundle_rolled_back", "an older bundle than was there before";
    /// Bundle: another one with the same number, under the same head.
    BundleForked = "bundle_forked", "two bundles with the same number";

    /// Proof: not of a proof's length.
    ProofMalformed = "proof_malformed", "not a proof";
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for Refusal {}
