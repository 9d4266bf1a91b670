//! All links of an id's present epoch, verified from the first one on.

use std::fmt;

use crate::{Extension, Head, Link, Refusal};

/// The chain of an id: its links from the beginning of the epoch, each of which follows the one
/// before. There are at most [`LINKS_MAX`](crate::LINKS_MAX), since each has a sequence number of
/// its own.
#[derive(Clone, PartialEq, Eq)]
pub struct Chain {
    links: Vec<Link>,
    head: Head,
}

/// The first link that breaks a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Broken {
    /// Which one, counted from 0.
    pub index: usize,
    /// The rule.
    pub refusal: Refusal,
}

impl Chain {
    /// Verifies a whole chain: an import, or what a directory answered.
    ///
    /// # Errors
    /// The first link that breaks a rule. A link that is there twice does; no link at all is
    /// [`Refusal::NotAFirstLink`].
    pub fn verify(links: impl IntoIterator<Item = Link>) -> Result<Self, Broken> {
        let mut links = links.into_iter();
        let first = links.next().ok_or(Broken { index: 0, refusal: Refusal::NotAFirstLink })?;
        let mut chain = Self::begin(first).map_err(|refusal| Broken { index: 0, refusal })?;
        for (index, link) in links.enumerate() {
            let extended = chain
                .extend(link)
                .and_then(|is_new| if is_new { Ok(()) } else { Err(Refusal::SequenceTaken) });
            extended.map_err(|refusal| Broken { index: index + 1, refusal })?;
        }
        Ok(chain)
    }

    /// A chain of one link.
    ///
    /// # Errors
    /// As [`Head::begin`].
    pub fn begin(first: Link) -> Result<Self, Refusal> {
        let head = Head::begin(&first)?;
        Ok(Self { links: vec![first], head })
    }

    /// Adds a link. Returns `false` if it is the newest one already.
    ///
    /// # Errors
    /// As [`Head::extend`]; the chain stays as it was.
    pub fn extend(&mut self, link: Link) -> Result<bool, Refusal> {
        let Extension::Extended(head) = self.head.extend(&link)? else { return Ok(false) };
        self.head = head;
        self.links.push(link);
        Ok(true)
    }

    /// The newest link, with what the next one is judged by.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// All links; the place of each is its sequence number.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The link with this sequence number.
    pub fn link(&self, sequence: u8) -> Option<&Link> {
        self.links.get(usize::from(sequence))
    }

    /// The links after this sequence number.
    pub fn since(&self, sequence: u8) -> &[Link] {
        self.links.get(usize::from(sequence) + 1..).unwrap_or_default()
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}: {}", self.index, self.refusal)
    }
}

impl std::error::Error for Broken {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.refusal)
    }
}
