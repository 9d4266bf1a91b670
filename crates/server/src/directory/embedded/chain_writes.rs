//! Writes links and bundles.

use redb::ReadableTable as _;
use securecall_core::chains::{self, Brought, Existing, Refused};
use securecall_core::directory::Creation;
use securecall_identity::{Bundle, Chain, Head, Id, Link, Outline, Refusal, Rotations};

use super::ledger::{Ledger, StoredHead};
use super::tables::corrupted;
use crate::directory::{ExtendError, Extended, PublishError, Published};

impl Ledger<'_> {
    /// Adds a link to its chain, unless it is there already.
    pub(super) fn extend(
        &mut self,
        link: &Link,
        creation: Creation,
        now: u64,
    ) -> Result<Result<Extended, ExtendError>, redb::Error> {
        let full = self.is_full()?;
        let stored = self.head(link.id())?;
        let existing = match &stored {
            None => None,
            Some(StoredHead { head, rotations }) => Some(Existing {
                head,
                rotations: *rotations,
                in_place: self.hash_in_place_of(link)?,
                reset_pending: self.resets.get(link.id().as_str())?.is_some(),
            }),
        };
        let creation = if full { Creation::Refused } else { creation };
        Ok(match chains::extend(existing, link, creation, now) {
            Ok(chains::Extended::Added { head, rotations }) => {
                let position = head.position();
                self.put_link(link, &StoredHead { head, rotations }, stored.is_none())?;
                Ok(Extended::Added(position))
            }
            Ok(chains::Extended::Kept) => {
                Ok(Extended::Kept(stored.map_or(link.position(), |stored| stored.head.position())))
            }
            Err(Refused::Rule(refusal)) => Err(ExtendError::Refused(refusal)),
            Err(Refused::TooSoon(wait)) => Err(ExtendError::TooSoon(wait)),
            Err(Refused::NotCreated) if full => Err(ExtendError::Full),
            Err(Refused::NotCreated) => Err(ExtendError::NotCreated),
        })
    }

    fn hash_in_place_of(&self, link: &Link) -> Result<Option<[u8; 32]>, redb::Error> {
        let position = link.position();
        let place = (link.id().as_str(), position.epoch, position.sequence);
        let Some(stored) = self.links.get(place)? else { return Ok(None) };
        let outline = Outline::read(stored.value());
        outline.map(|outline| Some(outline.position.hash)).map_err(|_| corrupted("a link"))
    }

    /// Publishes the bundle of an id's present head, unless it is published already.
    pub(super) fn publish(
        &mut self,
        id: &Id,
        bundle: &[u8],
    ) -> Result<Result<Published, PublishError>, redb::Error> {
        let Some(StoredHead { head, .. }) = self.head(id)? else {
            return Ok(Err(PublishError::Unbound));
        };
        let bundle = match Bundle::parse(bundle, &head) {
            Ok(bundle) => bundle,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        match self.check_bundle(&head, &bundle)? {
            Ok(Published::Kept) => Ok(Ok(Published::Kept)),
            Ok(Published::Stored) => {
                self.put_bundle(id, &bundle)?;
                Ok(Ok(Published::Stored))
            }
            Err(refusal) => Ok(Err(refusal.into())),
        }
    }

    /// Compares a bundle of this head with the stored one.
    fn check_bundle(
        &self,
        head: &Head,
        bundle: &Bundle,
    ) -> Result<Result<Published, Refusal>, redb::Error> {
        let Some(stored) = self.bundles.get(head.id().as_str())? else {
            return Ok(Ok(Published::Stored));
        };
        let stored = Bundle::parse(stored.value(), head).map_err(|_| corrupted("a bundle"))?;
        Ok(stored.mark().check_next(&bundle.mark()).map(|()| {
            if stored.mark() == bundle.mark() { Published::Kept } else { Published::Stored }
        }))
    }

    fn put_bundle(&mut self, id: &Id, bundle: &Bundle) -> Result<(), redb::Error> {
        self.bundles.insert(id.as_str(), bundle.as_bytes())?;
        self.changed = true;
        Ok(())
    }

    /// Compares a chain of an import with the stored one. Writes nothing.
    pub(super) fn compare(
        &self,
        chain: &Chain,
        bundle: Option<&Bundle>,
    ) -> Result<Brought, redb::Error> {
        let stored = self.head(chain.head().id())?;
        let brought = chains::compare(stored.map(|stored| stored.head.position()), chain);
        match (brought, bundle) {
            (Brought::Same, Some(bundle)) => Ok(match self.check_bundle(chain.head(), bundle)? {
                Ok(Published::Kept) => Brought::Same,
                Ok(Published::Stored) => Brought::Longer,
                Err(_) => Brought::Contradicts,
            }),
            _ => Ok(brought),
        }
    }

    /// Writes a chain that is new or longer than the stored one, and its bundle.
    pub(super) fn put_chain(
        &mut self,
        chain: &Chain,
        bundle: Option<&Bundle>,
    ) -> Result<(), redb::Error> {
        let head = chain.head();
        let stored = self.head(head.id())?;
        let known = stored.as_ref().map(|stored| stored.head.position());
        let rotations = stored.map_or(Rotations::default(), |stored| stored.rotations);
        let links = known.map_or(chain.links(), |known| chain.since(known.sequence));
        if let Some((newest, before)) = links.split_last() {
            for link in before {
                let position = link.position();
                let place = (link.id().as_str(), position.epoch, position.sequence);
                self.links.insert(place, link.as_bytes())?;
            }
            let stored = StoredHead { head: head.clone(), rotations };
            self.put_link(newest, &stored, known.is_none())?;
        }
        match bundle {
            Some(bundle) => self.put_bundle(head.id(), bundle),
            None => Ok(()),
        }
    }
}
