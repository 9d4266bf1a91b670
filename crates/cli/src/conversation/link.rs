//! An incoming call that rings, and the connection that follows when it is answered.

use std::sync::Arc;

use securecall_client::{CallId, Client, ClientId, Event, IceServer, RejectReason};
use securecall_peer::{self as peer, Config, Peer};
use tokio::sync::mpsc;

use crate::failure::Failure;

/// The bound of each queue of candidates. A peer ignores more than these.
const PENDING_CANDIDATES_MAX: usize = 64;

/// The client at the other end: its client id, and the fingerprint of its verified key.
#[derive(Clone)]
pub(crate) struct Partner {
    pub(crate) client_id: ClientId,
    pub(crate) fingerprint: String,
}

impl Partner {
    pub(crate) fn name(&self) -> &str {
        self.client_id.as_str()
    }
}

/// An incoming call whose offer was verified.
pub(crate) struct Ringing {
    pub(crate) call: CallId,
    pub(crate) partner: Partner,
    offer: String,
    ice_servers: Vec<IceServer>,
    /// True if no key of the caller was known before.
    pub(crate) first_contact: bool,
}

/// An event of the client: an incoming call, or anything else.
pub(crate) enum Arrival {
    Call(Ringing),
    Other(Event),
}

impl From<Event> for Arrival {
    fn from(event: Event) -> Self {
        match event {
            Event::Incoming {
                call,
                caller,
                offer,
                ice_servers,
                fingerprint,
                first_contact,
                ..
            } => {
                let fingerprint = fingerprint.to_string();
                let partner = Partner { client_id: caller, fingerprint };
                Self::Call(Ringing { call, partner, offer, ice_servers, first_contact })
            }
            event => Self::Other(event),
        }
    }
}

impl Ringing {
    /// Returns true if the call comes from this client with this key.
    pub(crate) fn is_of(&self, partner: &Partner) -> bool {
        self.partner.client_id == partner.client_id
            && self.partner.fingerprint == partner.fingerprint
    }

    /// Answers the call, or rejects it if its offer is invalid.
    ///
    /// # Errors
    /// The offer is invalid, or the call has ended.
    pub(crate) async fn answer(
        self,
        client: &Client,
        config: impl FnOnce(&[IceServer]) -> Config,
    ) -> Result<Link, Failure> {
        let talk = |error: String| Failure::Conversation(error);
        let (peer, events, answer) =
            match Peer::answer(config(&self.ice_servers), &self.offer).await {
                Ok(answered) => answered,
                Err(error) => {
                    let _ = client.reject(self.call, RejectReason::Declined).await;
                    return Err(talk(error.to_string()));
                }
            };
        client.accept(self.call, answer).await.map_err(|error| talk(error.to_string()))?;
        Ok(Link::new(client, self.call, (peer, events)))
    }
}

/// The two paths to the other end: the call at the server, and the peer connection that it sets up.
///
/// Separate tasks carry the candidates from one to the other. The reader of both event streams must
/// not wait for either of them, because that one may be waiting for its events to be read.
pub(crate) struct Link {
    pub(crate) call: CallId,
    pub(crate) peer: Arc<Peer>,
    pub(crate) events: peer::Events,
    to_peer: mpsc::Sender<String>,
    to_server: mpsc::Sender<String>,
}

impl Link {
    pub(crate) fn new(client: &Client, call: CallId, (peer, events): (Peer, peer::Events)) -> Self {
        let peer = Arc::new(peer);
        let (to_peer, mut theirs) = mpsc::channel::<String>(PENDING_CANDIDATES_MAX);
        let (to_server, mut ours) = mpsc::channel::<String>(PENDING_CANDIDATES_MAX);
        let taker = peer.clone();
        tokio::spawn(async move {
            while let Some(candidate) = theirs.recv().await {
                // An invalid candidate is ignored: others may work.
                let _ = taker.add_candidate(&candidate).await;
            }
        });
        let client = client.clone();
        tokio::spawn(async move {
            while let Some(candidate) = ours.recv().await {
                // An error means that the call has ended, which is reported by an event of its own.
                let _ = client.candidate(call, candidate).await;
            }
        });
        Self { call, peer, events, to_peer, to_server }
    }

    /// Queues a candidate of the other end.
    pub(crate) fn take_candidate(&self, candidate: String) {
        let _ = self.to_peer.try_send(candidate);
    }

    /// Queues a candidate of this end.
    pub(crate) fn send_candidate(&self, candidate: String) {
        let _ = self.to_server.try_send(candidate);
    }

    /// Closes the peer connection. Its last event is `Closed`.
    pub(crate) fn close(&self) {
        let peer = self.peer.clone();
        tokio::spawn(async move { peer.close().await });
    }
}
