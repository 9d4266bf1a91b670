//! Connections: two ordered streams of frames each, which can be cut at any moment.
//!
//! A cut loses what is in flight, and neither end knows of it until it notices. Until then the
//! connection is half-open: whatever is sent into it is lost, too.

use std::collections::{BTreeMap, VecDeque};

/// A connection's number; never used twice.
pub(crate) type LinkId = u64;

/// A frame in flight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Frame {
    Text(String),
    Close(u16),
}

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Link {
    to_server: VecDeque<Frame>,
    to_client: VecDeque<Frame>,
    bytes_to_client: usize,
    cut: bool,
    client_gone: bool,
    server_gone: bool,
}

/// All connections that at least one end holds.
#[derive(Debug, Default)]
pub(crate) struct Network {
    links: BTreeMap<LinkId, Link>,
    opened: LinkId,
}

impl Network {
    pub(crate) fn open(&mut self) -> LinkId {
        self.opened += 1;
        self.links.insert(self.opened, Link::default());
        self.opened
    }

    pub(crate) fn links(&self) -> Vec<LinkId> {
        self.links.keys().copied().collect()
    }

    pub(crate) fn send_to_server(&mut self, link: LinkId, frame: Frame) {
        if let Some(link) = self.links.get_mut(&link).filter(|link| !link.cut && !link.server_gone)
        {
            link.to_server.push_back(frame);
        }
    }

    /// Returns the bytes that the client has not read yet.
    pub(crate) fn send_to_client(&mut self, link: LinkId, frame: Frame) -> usize {
        let Some(link) = self.links.get_mut(&link).filter(|link| !link.cut && !link.client_gone)
        else {
            return 0;
        };
        link.bytes_to_client += frame.bytes();
        link.to_client.push_back(frame);
        link.bytes_to_client
    }

    pub(crate) fn receive_at_server(&mut self, link: LinkId) -> Option<Frame> {
        self.links.get_mut(&link)?.to_server.pop_front()
    }

    pub(crate) fn receive_at_client(&mut self, link: LinkId) -> Option<Frame> {
        let link = self.links.get_mut(&link)?;
        let frame = link.to_client.pop_front()?;
        link.bytes_to_client -= frame.bytes();
        Some(frame)
    }

    pub(crate) fn cut(&mut self, link: LinkId) {
        if let Some(link) = self.links.get_mut(&link) {
            link.cut = true;
            link.to_server.clear();
            link.to_client.clear();
            link.bytes_to_client = 0;
        }
    }

    /// Returns true if a ping would be answered.
    pub(crate) fn is_alive(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|link| !link.cut && !link.client_gone)
    }

    /// Returns true if the server can notice that the client is gone: everything is read.
    pub(crate) fn is_dead_to_server(&self, link: LinkId) -> bool {
        self.links.get(&link).is_some_and(|link| {
            !link.server_gone && (link.cut || link.client_gone) && link.to_server.is_empty()
        })
    }

    /// Returns true if the client can notice that the server is gone.
    pub(crate) fn is_dead_to_client(&self, link: LinkId) -> bool {
        self.links
            .get(&link)
            .is_none_or(|link| (link.cut || link.server_gone) && link.to_client.is_empty())
    }

    pub(crate) fn close_at_client(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.client_gone = true;
            link.to_client.clear();
            self.forget_if_closed(id);
        }
    }

    pub(crate) fn close_at_server(&mut self, id: LinkId) {
        if let Some(link) = self.links.get_mut(&id) {
            link.server_gone = true;
            link.to_server.clear();
            self.forget_if_closed(id);
        }
    }

    fn forget_if_closed(&mut self, id: LinkId) {
        if self.links.get(&id).is_some_and(|link| link.client_gone && link.server_gone) {
            self.links.remove(&id);
        }
    }
}

impl Frame {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Close(_) => 4,
        }
    }
}
