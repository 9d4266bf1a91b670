//! A link out of bytes: every rule that needs no other link.

use super::{Act, ED25519_SHA256, Kind, LINK_BYTES_MAX, Link, VERSION};
use crate::{
    Commitment, Id, Position, PublicKey, Refusal, labels,
    notation::{Cursor, digest},
    public_key::SIGNATURE_BYTES,
};

/// The latest time that a link may name, 9999-12-31 23:59:59 UTC: every language can print it, and
/// a double holds it exactly.
pub const TIME_MAX: u64 = 253_402_300_799;

/// The fields before those of the kind, as they stand there.
struct Front<'a> {
    kind: Kind,
    id: &'a [u8],
    epoch: u32,
    sequence: u8,
    time: u64,
    previous: [u8; 32],
}

impl Link {
    /// Takes a link that came from outside.
    ///
    /// # Errors
    /// In this order: [`Refusal::VersionUnknown`], [`Refusal::AlgorithmUnknown`],
    /// [`Refusal::KindUnknown`], [`Refusal::LinkMalformed`]; of the id, [`Refusal::IdInInception`],
    /// [`Refusal::IdMalformed`], [`Refusal::IdReserved`], [`Refusal::ResetOfCertifiedId`],
    /// [`Refusal::EpochOfCertifiedId`]; [`Refusal::SequenceOfKind`], [`Refusal::PreviousOfFirst`],
    /// [`Refusal::TimeOutOfRange`]; those of [`PublicKey::parse`] for each key;
    /// [`Refusal::IdentityKeyIsRecoveryKey`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let Parts { outline, fields, signed_bytes } = Parts::take(bytes)?;
        let Outline { id, kind, position, time, previous } = outline;
        let act = parse_act(kind, &fields)?;
        Ok(Self { bytes: bytes.into(), signed_bytes, id, position, time, previous, act })
    }
}

/// What a link says, apart from its keys and signatures.
///
/// A directory reads its own links so: it verified them when it took them, and a key costs 26 µs.
#[derive(Clone, PartialEq, Eq)]
pub struct Outline {
    /// The id whose chain it belongs to.
    pub id: Id,
    /// What it does.
    pub kind: Kind,
    /// Its epoch, sequence number and hash.
    pub position: Position,
    /// When its maker says that it was made, in seconds since 1970.
    pub time: u64,
    /// The hash of the link before.
    pub previous: [u8; 32],
}

impl Outline {
    /// Reads a link that was verified before.
    ///
    /// # Errors
    /// As [`Link::parse`], up to [`Refusal::TimeOutOfRange`].
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        Parts::take(bytes).map(|parts| parts.outline)
    }
}

/// A link with its keys as they stand there.
struct Parts {
    outline: Outline,
    fields: Fields,
    signed_bytes: usize,
}

impl Parts {
    fn take(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut cursor = Cursor::new(bytes);
        let kind = take_kind(&mut cursor)?;
        let front = Front::take(kind, &mut cursor).ok_or(Refusal::LinkMalformed)?;
        let fields = take_fields(kind, &mut cursor).ok_or(Refusal::LinkMalformed)?;
        let signatures = cursor.rest().len();
        if signatures != kind.signatures() * SIGNATURE_BYTES || bytes.len() > LINK_BYTES_MAX {
            return Err(Refusal::LinkMalformed);
        }
        let signed_bytes = bytes.len() - signatures;
        let hash = digest(labels::LINK_HASH, &[&bytes[..signed_bytes]]);
        let id = front.id(hash)?;
        front.check_place()?;
        let position = Position { epoch: front.epoch, sequence: front.sequence, hash };
        let outline = Outline { id, kind, position, time: front.time, previous: front.previous };
        Ok(Self { outline, fields, signed_bytes })
    }
}

fn take_kind(fields: &mut Cursor<'_>) -> Result<Kind, Refusal> {
    let [version, algorithm, kind] = fields.array().ok_or(Refusal::LinkMalformed)?;
    if version != VERSION {
        return Err(Refusal::VersionUnknown);
    }
    if algorithm != ED25519_SHA256 {
        return Err(Refusal::AlgorithmUnknown);
    }
    Kind::from_wire(kind).ok_or(Refusal::KindUnknown)
}

impl<'a> Front<'a> {
    fn take(kind: Kind, fields: &mut Cursor<'a>) -> Option<Self> {
        Some(Self {
            kind,
            id: fields.short_text()?,
            epoch: fields.u32()?,
            sequence: fields.u8()?,
            time: fields.u64()?,
            previous: fields.array()?,
        })
    }

    fn id(&self, hash: [u8; 32]) -> Result<Id, Refusal> {
        let id = match (self.kind, self.id) {
            // The id follows from the bytes, so it cannot stand among them.
            (Kind::Inception, b"") => Id::certified(hash),
            (Kind::Inception, id) if id.starts_with(b"sc-") => return Err(Refusal::IdInInception),
            (_, id) => Id::parse(std::str::from_utf8(id).map_err(|_| Refusal::IdMalformed)?)?,
        };
        if id.is_certified() && self.kind == Kind::Reset {
            return Err(Refusal::ResetOfCertifiedId);
        }
        if id.is_certified() && self.epoch != 0 {
            return Err(Refusal::EpochOfCertifiedId);
        }
        Ok(id)
    }

    /// Epoch 0 begins with an inception, every later one with a reset and then an inception.
    fn check_place(&self) -> Result<(), Refusal> {
        let inception = u8::from(self.epoch > 0);
        let valid = match self.kind {
            Kind::Reset => self.epoch > 0 && self.sequence == 0,
            Kind::Inception => self.sequence == inception,
            Kind::Rotate | Kind::Recover | Kind::Tombstone => self.sequence > inception,
        };
        if !valid {
            return Err(Refusal::SequenceOfKind);
        }
        if self.epoch == 0 && self.sequence == 0 && self.previous != [0; 32] {
            return Err(Refusal::PreviousOfFirst);
        }
        if self.time > TIME_MAX {
            return Err(Refusal::TimeOutOfRange);
        }
        Ok(())
    }
}

/// The fields of a kind, each of 32 bytes, in the order in which they stand in a recovery.
struct Fields {
    identity_key: [u8; 32],
    commitment: [u8; 32],
    recovery_key: [u8; 32],
}

/// Fields that a kind does not have are left zero.
fn take_fields(kind: Kind, fields: &mut Cursor<'_>) -> Option<Fields> {
    let (has_identity, has_recovery) = match kind {
        Kind::Inception | Kind::Rotate => (true, false),
        Kind::Recover => (true, true),
        Kind::Tombstone => (false, true),
        Kind::Reset => (false, false),
    };
    let mut take = |has| if has { fields.array() } else { Some([0; 32]) };
    Some(Fields {
        identity_key: take(has_identity)?,
        commitment: take(has_identity)?,
        recovery_key: take(has_recovery)?,
    })
}

fn parse_act(kind: Kind, fields: &Fields) -> Result<Act, Refusal> {
    let recovery_key = || PublicKey::parse(fields.recovery_key);
    Ok(match kind {
        Kind::Inception => {
            let (identity_key, commitment) = parse_identity(fields)?;
            Act::Inception { identity_key, commitment }
        }
        Kind::Rotate => {
            let (identity_key, commitment) = parse_identity(fields)?;
            Act::Rotate { identity_key, commitment }
        }
        Kind::Recover => {
            let (identity_key, commitment) = parse_identity(fields)?;
            let recovery_key = recovery_key()?;
            if recovery_key == identity_key {
                return Err(Refusal::IdentityKeyIsRecoveryKey);
            }
            Act::Recover { identity_key, commitment, recovery_key }
        }
        Kind::Tombstone => Act::Tombstone { recovery_key: recovery_key()? },
        Kind::Reset => Act::Reset,
    })
}

fn parse_identity(fields: &Fields) -> Result<(PublicKey, Commitment), Refusal> {
    let identity_key = PublicKey::parse(fields.identity_key)?;
    let commitment = Commitment::from_bytes(fields.commitment);
    if commitment == Commitment::to(&identity_key) {
        return Err(Refusal::IdentityKeyIsRecoveryKey);
    }
    Ok((identity_key, commitment))
}
