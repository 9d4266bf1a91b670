//! Where sessions are: presence, and the post between them.
//!
//! At any time exactly one task looks after a cell's deadlines: the driver of the attached
//! connection, or, when there is none, a keeper that ends with the session.
//!
//! Locks are taken one cell at a time, and inside it a connection's outbox, never the other way.

use std::sync::Arc;

use dashmap::{DashMap, Entry};
use securecall_core::{Content, Context, Departure, Instant, Mail, Outcome, Session, UnixTime};
use securecall_protocol::{CallMessage, ClientId, CloseCode, Opaque, Registration};

use crate::batch::Batch;
use crate::cell::{Cell, Letter, Letters};
use crate::connection::Connection;
use crate::server::Server;

/// All cells of this server.
#[derive(Debug)]
pub(crate) struct Registry {
    cells: DashMap<ClientId, Arc<Cell>>,
    /// Calls born before this can have been forgotten.
    server_started: UnixTime,
}

impl Registry {
    pub(crate) fn new(server_started: UnixTime) -> Self {
        Self { cells: DashMap::new(), server_started }
    }

    /// How many clients are here or expected back.
    pub(crate) fn sessions(&self) -> usize {
        self.cells.len()
    }

    /// The connection is that client from now on; the one that was, is closed.
    pub(crate) fn register<'m>(
        &self,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        registration: &Registration<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Arc<Cell> {
        loop {
            let cell = self.cell_of(&registration.client_id, &batch.cx);
            let attached = cell.attach(batch, connection, registration, request_id);
            let Some((superseded, letters)) = attached else {
                self.remove(&cell);
                continue;
            };
            if let Some(old) = superseded {
                old.close(&batch.server.counters, CloseCode::Superseded);
            }
            self.post(batch, &cell, letters);
            return cell;
        }
    }

    /// The connection is gone, or as good as. If it still was the client's, the client is away.
    pub(crate) fn release(
        &self,
        batch: &mut Batch<'_>,
        cell: &Arc<Cell>,
        connection: &Arc<Connection>,
        departure: Departure,
    ) {
        let letters = cell.detach(batch, connection, departure);
        if cell.is_over() {
            self.remove(cell);
        }
        self.post(batch, cell, letters);
    }

    /// The client asks for something about a call. Nothing happens if the connection is not the
    /// client's any more.
    pub(crate) fn handle_message<'m>(
        &self,
        batch: &mut Batch<'_>,
        cell: &Arc<Cell>,
        connection: &Arc<Connection>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) {
        let letters = cell.handle_message(batch, connection, message, request_id);
        self.post(batch, cell, letters);
    }

    /// The driver looks at its session's deadlines, and will do so again no later than the time
    /// that this returns: `latest`, or before.
    pub(crate) fn handle_timeout(
        &self,
        batch: &mut Batch<'_>,
        cell: &Arc<Cell>,
        connection: &Arc<Connection>,
        latest: Instant,
    ) -> Instant {
        let (next, letters) = cell.handle_timeout(batch, connection, latest);
        self.post(batch, cell, letters);
        next
    }

    /// What a keeper does: looks after a session without a connection until it is over.
    pub(crate) async fn keep(&self, server: Arc<Server>, cell: Arc<Cell>) {
        while let Some(deadline) = self.keep_until(&server, &cell) {
            tokio::time::sleep_until(server.clock.timer(deadline)).await;
        }
    }

    /// None: there is nothing more to keep.
    fn keep_until(&self, server: &Arc<Server>, cell: &Arc<Cell>) -> Option<Instant> {
        let live = server.live.latest();
        let mut batch = Batch::begin(server, &live.config);
        let (next, letters) = cell.handle_absence(&mut batch)?;
        self.post(&mut batch, cell, letters);
        if cell.is_over() {
            self.remove(cell);
            return None;
        }
        next
    }

    /// Hands letters over, and tells the sender's session what became of them if it matters.
    fn post(&self, batch: &mut Batch<'_>, from: &Arc<Cell>, letters: Letters<'_>) {
        for Letter { to, mail, request_id } in letters {
            let outcome = self.deliver(batch, from, to, &mail);
            batch.server.counters.mail(outcome);
            let rings = matches!(mail.content, Content::Ring { .. });
            if outcome != Outcome::Delivered || rings {
                // The end of a call, if anything: nobody is told what becomes of that.
                let letters = from.handle_outcome(batch, mail, outcome, request_id);
                self.post(batch, from, letters);
            }
        }
    }

    fn deliver(
        &self,
        batch: &mut Batch<'_>,
        from: &Arc<Cell>,
        to: ClientId,
        mail: &Mail<'_>,
    ) -> Outcome {
        loop {
            if let Some(cell) = self.find(batch, from, &to) {
                match cell.handle_mail(batch, &from.client_id, mail) {
                    Some((outcome, letters)) => {
                        // Ends of other calls (glare), which cause no further mail.
                        self.post(batch, &cell, letters);
                        batch.last_peer = Some((to, cell));
                        return outcome;
                    }
                    None => {
                        from.set_last_peer(&to, None);
                        self.remove(&cell);
                    }
                }
            } else if let Some(outcome) = self.deliver_ahead(batch, &from.client_id, &to, mail) {
                return outcome;
            }
        }
    }

    /// Where the last letter of the batch went, if it was to the same client; where the sender's
    /// last letter went; or what the registry says. From the first two to the last each is colder.
    fn find(&self, batch: &mut Batch<'_>, from: &Arc<Cell>, to: &ClientId) -> Option<Arc<Cell>> {
        if let Some((client_id, cell)) = batch.last_peer.take()
            && client_id.is_clone_of(to)
        {
            return Some(cell);
        }
        if let Some(cell) = from.last_peer(to) {
            return Some(cell);
        }
        let cell = self.cells.get(to)?.clone();
        from.set_last_peer(to, Some(&cell));
        Some(cell)
    }

    /// Delivers to a client that a restart has cut off and that is not back yet, if the mail proves
    /// that it was in a call. None: it has just come back.
    fn deliver_ahead(
        &self,
        batch: &mut Batch<'_>,
        from: &ClientId,
        to: &ClientId,
        mail: &Mail<'_>,
    ) -> Option<Outcome> {
        if batch.server.is_draining() {
            return Some(Outcome::Unavailable);
        }
        if matches!(mail.content, Content::Ring { .. }) {
            return Some(Outcome::Offline);
        }
        let mut session = Session::expected(to.clone(), self.server_started, &batch.cx);
        if session.handle_mail(&batch.cx, from, mail).outcome != Outcome::Delivered {
            return Some(Outcome::Offline);
        }
        let Entry::Vacant(place) = self.cells.entry(to.clone()) else { return None };
        batch.server.counters.calls_changed(0, session.calls());
        let cell = Arc::new(Cell::new(session));
        cell.keep(batch.server);
        place.insert(cell);
        Some(Outcome::Delivered)
    }

    fn cell_of(&self, client_id: &ClientId, cx: &Context<'_>) -> Arc<Cell> {
        let session = || Session::new(client_id.clone(), self.server_started, cx);
        let new = || Arc::new(Cell::new(session()));
        self.cells.entry(client_id.clone()).or_insert_with(new).clone()
    }

    fn remove(&self, cell: &Arc<Cell>) {
        self.cells.remove_if(&cell.client_id, |_, registered| Arc::ptr_eq(registered, cell));
    }
}
