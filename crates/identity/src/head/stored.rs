//! Heads as a directory stores them: what the next link is judged by, without the links before.
//!
//! ```text
//! stored  = 1 u8 version │ binding u8 │ epoch u32 │ sequence u8 │ link hash (32) │ fields
//! open      (no fields)
//! bound     fingerprint (32) │ identity key (32) │ commitment (32) │ spent commitments (32 each)
//! ended     fingerprint (32) │ spent commitments (32 each)
//! ```
//!
//! A chain of 256 links takes 30 ms to verify. With its head stored, one more link costs the same
//! however long the chain is. Nothing here verifies anything: what was stored was verified before.

use super::{Head, Standing};
use crate::{Commitment, Fingerprint, Id, Position, PublicKey, notation::Cursor};

const VERSION: u8 = 1;

/// The binding of an id to a key, as of the newest link of its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding {
    /// The id is bound to an identity key.
    Bound = 1,
    /// The id was reset, and is bound to no key since.
    Open = 2,
    /// The id has a tombstone.
    Ended = 3,
}

impl Binding {
    const ALL: [Self; 3] = [Self::Bound, Self::Open, Self::Ended];
}

impl Head {
    /// The binding of the id.
    pub const fn binding(&self) -> Binding {
        match self.standing {
            Standing::Bound { .. } => Binding::Bound,
            Standing::Open => Binding::Open,
            Standing::Ended => Binding::Ended,
        }
    }

    /// The head as bytes, for [`Head::from_stored`].
    pub fn to_stored(&self) -> Vec<u8> {
        let Position { epoch, sequence, hash } = self.position;
        let mut bytes = vec![VERSION, self.binding() as u8];
        bytes.extend_from_slice(&epoch.to_be_bytes());
        bytes.push(sequence);
        bytes.extend_from_slice(&hash);
        bytes.extend(self.fingerprint.iter().flat_map(Fingerprint::as_digest));
        if let Standing::Bound { identity_key, commitment } = &self.standing {
            bytes.extend_from_slice(identity_key.as_bytes());
            bytes.extend_from_slice(commitment.as_bytes());
        }
        bytes.extend(self.spent.iter().flat_map(Commitment::as_bytes));
        bytes
    }

    /// Takes the head of `id` back. `None` if [`Head::to_stored`] did not write these bytes.
    pub fn from_stored(id: &Id, bytes: &[u8]) -> Option<Self> {
        let mut fields = Cursor::new(bytes);
        let (position, binding) = take_summary(&mut fields)?;
        let fingerprint = match binding {
            Binding::Open => None,
            Binding::Bound | Binding::Ended => Some(Fingerprint::from_digest(fields.array()?)),
        };
        let standing = match binding {
            Binding::Open => Standing::Open,
            Binding::Ended => Standing::Ended,
            Binding::Bound => Standing::Bound {
                identity_key: PublicKey::parse(fields.array()?).ok()?,
                commitment: Commitment::from_bytes(fields.array()?),
            },
        };
        let (spent, rest) = fields.rest().as_chunks::<32>();
        let is_whole = rest.is_empty() && (spent.is_empty() || binding != Binding::Open);
        let spent = spent.iter().copied().map(Commitment::from_bytes).collect();
        is_whole.then(|| Self { id: id.clone(), position, standing, fingerprint, spent })
    }

    /// The position and the binding of a stored head, without a look at its keys. `None` if
    /// [`Head::to_stored`] did not write these bytes.
    pub fn stored_position(bytes: &[u8]) -> Option<(Position, Binding)> {
        take_summary(&mut Cursor::new(bytes))
    }
}

fn take_summary(fields: &mut Cursor<'_>) -> Option<(Position, Binding)> {
    if fields.u8()? != VERSION {
        return None;
    }
    let number = fields.u8()?;
    let binding = Binding::ALL.into_iter().find(|binding| *binding as u8 == number)?;
    let position = Position { epoch: fields.u32()?, sequence: fields.u8()?, hash: fields.array()? };
    Some((position, binding))
}
