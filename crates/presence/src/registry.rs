//! The cells of this node, and the way of mail from one to another.

use std::fmt;
use std::sync::Arc;

use dashmap::{DashMap, Entry};
use securecall_core::{Departure, Instant, Mail, Outcome, Session, delivery};
use securecall_protocol::{CallMessage, ClientId, CloseCode, Opaque, Registration};

use crate::batch::Batch;
use crate::cell::Cell;
use crate::host::Host;
use crate::post::{Item, Letter, Post};

/// All cells of this node.
pub struct Registry<H: Host> {
    cells: DashMap<ClientId, Arc<Cell<H>>>,
}

impl<H: Host> Default for Registry<H> {
    fn default() -> Self {
        Self { cells: DashMap::new() }
    }
}

impl<H: Host> fmt::Debug for Registry<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("sessions", &self.sessions()).finish()
    }
}

impl<H: Host> Registry<H> {
    /// The number of clients that are here or expected back.
    pub fn sessions(&self) -> usize {
        self.cells.len()
    }

    /// All cells at this moment, in no order. For checks.
    pub fn cells(&self) -> Vec<Arc<Cell<H>>> {
        self.cells.iter().map(|entry| entry.value().clone()).collect()
    }

    /// The cell of a client that is here or expected back.
    pub fn find(&self, client_id: &ClientId) -> Option<Arc<Cell<H>>> {
        Some(self.cells.get(client_id)?.clone())
    }

    /// Makes the connection that client's; the one that was, is closed.
    pub fn register<'m>(
        &self,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        registration: &Registration<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> (Arc<Cell<H>>, Post<'m, H>) {
        loop {
            let cell = self.find_or_insert(batch, &registration.client_id);
            let Some(attached) = cell.attach(batch, connection, registration, request_id) else {
                self.remove(&cell);
                continue;
            };
            if let Some(old) = attached.superseded {
                batch.host.close(&old, CloseCode::Superseded);
            }
            return (cell, attached.post);
        }
    }

    /// Takes note that the connection is gone, or as good as. If it still was the client's, the
    /// client is away.
    pub fn release<'m>(
        &self,
        batch: &Batch<'_, H>,
        cell: &'m Arc<Cell<H>>,
        connection: &Arc<H::Connection>,
        departure: Departure,
    ) -> Post<'m, H> {
        let post = cell.detach(batch, connection, departure);
        if cell.is_over() {
            self.remove(cell);
        }
        post
    }

    /// Takes a client's request about a call. Nothing happens if the connection is not the client's
    /// any more.
    pub fn handle_message<'m>(
        &self,
        batch: &Batch<'_, H>,
        cell: &'m Arc<Cell<H>>,
        connection: &Arc<H::Connection>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Post<'m, H> {
        cell.handle_message(batch, connection, message, request_id)
    }

    /// Looks at the session's deadlines for its driver. Returns when the driver has to look again:
    /// `latest`, or before.
    pub fn handle_timeout<'m>(
        &self,
        batch: &Batch<'_, H>,
        cell: &'m Arc<Cell<H>>,
        connection: &Arc<H::Connection>,
        latest: Instant,
    ) -> (Instant, Post<'m, H>) {
        cell.handle_timeout(batch, connection, latest)
    }

    /// Looks at the session's deadlines for its keeper. Returns when the keeper has to look again, or
    /// `None` if it has to end.
    pub fn handle_absence<'m>(
        &self,
        batch: &Batch<'_, H>,
        cell: &'m Arc<Cell<H>>,
    ) -> (Option<Instant>, Post<'m, H>) {
        let absence = cell.handle_absence(batch);
        if cell.is_over() {
            self.remove(cell);
        }
        absence
    }

    /// Deals with one item of a post: delivers a letter, or reports its outcome. Returns what
    /// follows, which comes before the rest of that post.
    pub fn step<'m>(&self, batch: &mut Batch<'_, H>, item: Item<'m, H>) -> Post<'m, H> {
        let mut following = Post::empty();
        self.step_into(batch, item, &mut following);
        following
    }

    /// Deals with a whole post, without a pause.
    pub fn run(&self, batch: &mut Batch<'_, H>, mut post: Post<'_, H>) {
        while let Some(item) = post.pop() {
            self.step_into(batch, item, &mut post);
        }
    }

    fn step_into<'m>(&self, batch: &mut Batch<'_, H>, item: Item<'m, H>, post: &mut Post<'m, H>) {
        let Item { letter, outcome } = item;
        match outcome {
            Some(outcome) => {
                let Letter { from, mail, request_id, .. } = letter;
                from.handle_outcome(batch, mail, outcome, request_id, post);
            }
            None => self.deliver(batch, letter, post),
        }
    }

    fn deliver<'m>(&self, batch: &mut Batch<'_, H>, letter: Letter<'m, H>, post: &mut Post<'m, H>) {
        let others = post.len();
        // Ends of other calls of the receiver (glare), or of what its lost connection costs, come
        // before the report.
        let outcome = self.hand_over(batch, &letter.from, &letter.to, &letter.mail, post);
        batch.host.count_mail(outcome);
        if delivery::needs_report(&letter.mail, outcome) {
            post.insert(others, Item { letter, outcome: Some(outcome) });
        }
    }

    fn hand_over<'m>(
        &self,
        batch: &mut Batch<'_, H>,
        from: &Arc<Cell<H>>,
        to: &ClientId,
        mail: &Mail<'m>,
        post: &mut Post<'m, H>,
    ) -> Outcome {
        loop {
            if let Some(cell) = self.find_for(batch, from, to) {
                if let Some(outcome) = cell.handle_mail(batch, from.client_id(), mail, post) {
                    batch.last_peer.set(to.clone(), cell);
                    return outcome;
                }
                from.set_last_peer(to, None);
                self.remove(&cell);
            } else if let Some(outcome) = self.expect(batch, from.client_id(), to, mail) {
                return outcome;
            }
        }
    }

    /// The cell of `to`: the receiver of the batch's last letter, or of the sender's last letter, if
    /// that is `to`, or the registry's entry. Each is in colder memory than the one before.
    fn find_for(
        &self,
        batch: &mut Batch<'_, H>,
        from: &Arc<Cell<H>>,
        to: &ClientId,
    ) -> Option<Arc<Cell<H>>> {
        if let Some(cell) = batch.last_peer.take(to).or_else(|| from.last_peer(to)) {
            return Some(cell);
        }
        let cell = self.find(to)?;
        from.set_last_peer(to, Some(&cell));
        Some(cell)
    }

    /// Delivers to a client without a cell, as [`delivery::deliver_to_absent`] decides. Returns
    /// `None` if the client has just come back.
    fn expect(
        &self,
        batch: &Batch<'_, H>,
        from: &ClientId,
        to: &ClientId,
        mail: &Mail<'_>,
    ) -> Option<Outcome> {
        let (host, cx) = (batch.host, &batch.cx);
        let (started, drains) = (host.server_started(), host.is_draining());
        let session = match delivery::deliver_to_absent(cx, from, to, mail, started, drains) {
            Ok(session) => session,
            Err(outcome) => return Some(outcome),
        };
        let Entry::Vacant(place) = self.cells.entry(to.clone()) else { return None };
        host.count_calls(0, session.calls());
        let cell = Arc::new(Cell::new(session));
        cell.start_keeper(host);
        place.insert(cell);
        Some(Outcome::Delivered)
    }

    fn find_or_insert(&self, batch: &Batch<'_, H>, client_id: &ClientId) -> Arc<Cell<H>> {
        let started = batch.host.server_started();
        let session = || Session::new(client_id.clone(), started, &batch.cx);
        self.cells
            .entry(client_id.clone())
            .or_insert_with(|| Arc::new(Cell::new(session())))
            .clone()
    }

    fn remove(&self, cell: &Arc<Cell<H>>) {
        self.cells.remove_if(cell.client_id(), |_, registered| Arc::ptr_eq(registered, cell));
    }
}
