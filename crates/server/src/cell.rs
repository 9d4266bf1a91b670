//! The place of one client id.
//!
//! A cell outlives connections: whoever registers the id is attached to it, and a client that is
//! away has its session waiting here. What a session says to its own client goes into the outbox
//! under the cell's lock, so nothing that comes later can overtake it; what it says to others
//! leaves the cell as [`Letters`], because two cells are never locked at once.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use securecall_core::{
    Content, Context, Departure, Instant, Mail, Outcome, Output, Outputs, Session,
};
use securecall_protocol::{CallMessage, ClientId, Opaque, Registration, ServerMessage};
use smallvec::SmallVec;
use tokio::task::AbortHandle;

use crate::batch::Batch;
use crate::connection::Connection;
use crate::server::Server;

/// One client id's place.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) client_id: ClientId,
    /// Where the last letter went. Most letters follow another to the same peer, and need no
    /// search in the registry, whose memory is cold when there are many clients.
    last_peer: Mutex<Option<(ClientId, Weak<Cell>)>>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    session: Session,
    connection: Option<Arc<Connection>>,
    /// The driver looks at the session again no later than this. None: it has not looked yet.
    watched_until: Option<Instant>,
    keeper: Option<AbortHandle>,
    /// Nothing is left to keep it for; whoever finds it must look for another.
    over: bool,
}

/// A mail on its way.
pub(crate) struct Letter<'m> {
    pub(crate) to: ClientId,
    pub(crate) mail: Mail<'m>,
    /// The `id` of the request that caused it.
    pub(crate) request_id: Option<Opaque<'m>>,
}

/// What one input makes a session send: mostly one.
pub(crate) type Letters<'m> = SmallVec<[Letter<'m>; 1]>;

impl Cell {
    pub(crate) fn new(session: Session) -> Self {
        let client_id = session.client_id().clone();
        let state =
            State { session, connection: None, watched_until: None, keeper: None, over: false };
        Self { client_id, last_peer: Mutex::new(None), state: Mutex::new(state) }
    }

    /// The cell of the peer that the last letter went to, if that was the one named by `to`.
    pub(crate) fn last_peer(&self, to: &ClientId) -> Option<Arc<Cell>> {
        let last = self.last_peer.lock();
        let (client_id, cell) = last.as_ref()?;
        if client_id.is_clone_of(to) { cell.upgrade() } else { None }
    }

    /// Remembers where a letter to `to` went, or that the place is no more.
    pub(crate) fn set_last_peer(&self, to: &ClientId, cell: Option<&Arc<Cell>>) {
        *self.last_peer.lock() = cell.map(|cell| (to.clone(), Arc::downgrade(cell)));
    }

    /// Whether it is to be forgotten.
    pub(crate) fn is_over(&self) -> bool {
        self.state.lock().over
    }

    /// Has a keeper look after the session.
    pub(crate) fn keep(self: &Arc<Self>, server: &Arc<Server>) {
        self.state.lock().keeper = Some(server.spawn_keeper(self.clone()));
    }

    /// The connection is the client's from now on. Returns the one that was; None: this cell is
    /// over.
    pub(crate) fn attach<'m>(
        &self,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        registration: &Registration<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Option<(Option<Arc<Connection>>, Letters<'m>)> {
        let mut state = self.state.lock();
        if state.over {
            return None;
        }
        if let Some(keeper) = state.keeper.take() {
            keeper.abort();
        }
        let superseded = state.connection.replace(connection.clone());
        state.watched_until = None;
        let cx = batch.cx;
        let letters = state.run(batch, |session| session.attach(&cx, registration, request_id));
        Some((superseded, letters))
    }

    /// The connection is gone. Nothing happens if it was not the client's any more.
    pub(crate) fn detach(
        self: &Arc<Self>,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        departure: Departure,
    ) -> Letters<'static> {
        let mut state = self.state.lock();
        if !state.is_attached(connection) {
            return Letters::new();
        }
        self.leave(&mut state, batch, departure)
    }

    /// From here on the client is away, and a keeper looks after its session.
    fn leave(
        self: &Arc<Self>,
        state: &mut State,
        batch: &mut Batch<'_>,
        departure: Departure,
    ) -> Letters<'static> {
        state.connection = None;
        let cx = batch.cx;
        let letters = state.run(batch, |session| session.detach(&cx, departure));
        state.over = state.session.is_over();
        if !state.over {
            state.keeper = Some(batch.server.spawn_keeper(self.clone()));
        }
        letters
    }

    pub(crate) fn handle_message<'m>(
        &self,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Letters<'m> {
        let mut state = self.state.lock();
        if !state.is_attached(connection) {
            return Letters::new();
        }
        let cx = batch.cx;
        let letters = state.run(batch, |session| session.handle_message(&cx, message, request_id));
        state.report_earlier_deadline();
        letters
    }

    /// Mail has come. None: this cell is over.
    pub(crate) fn handle_mail<'m>(
        self: &Arc<Self>,
        batch: &mut Batch<'_>,
        from: &ClientId,
        mail: &Mail<'m>,
    ) -> Option<(Outcome, Letters<'m>)> {
        let mut state = self.state.lock();
        if state.connection.as_ref().is_some_and(|connection| connection.is_closed()) {
            // Its driver will find that out in a moment; mail must not fall into the gap.
            self.leave(&mut state, batch, Departure::Lost);
        }
        if state.over {
            return None;
        }
        if let Some(refusal) = state.refusal(batch.server, mail) {
            return Some((refusal, Letters::new()));
        }
        let cx = batch.cx;
        let mut outcome = Outcome::Delivered;
        let letters = state.run(batch, |session| {
            let receipt = session.handle_mail(&cx, from, mail);
            outcome = receipt.outcome;
            receipt.outputs
        });
        state.report_earlier_deadline();
        Some((outcome, letters))
    }

    /// The attached connection says REGISTER once more.
    pub(crate) fn reaffirm(
        &self,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        reply_to: Option<Opaque<'_>>,
    ) {
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            let cx = batch.cx;
            state.run(batch, |session| session.reaffirm(&cx, reply_to).into_iter().collect());
        }
    }

    /// Answers a request that does not concern calls, numbered as the client's dialect wants it.
    pub(crate) fn reply(
        &self,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        message: ServerMessage<'_>,
        reply_to: Option<Opaque<'_>>,
    ) {
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            let cx = batch.cx;
            state.run(batch, |session| session.reply(&cx, message, reply_to).into_iter().collect());
        }
    }

    /// Everything up to this number has arrived.
    pub(crate) fn acknowledge(&self, connection: &Arc<Connection>, seq: u64) {
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            state.session.acknowledge(seq);
        }
    }

    /// What became of a letter that this session sent.
    pub(crate) fn handle_outcome<'m>(
        &self,
        batch: &mut Batch<'_>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
    ) -> Letters<'m> {
        let cx = batch.cx;
        self.state
            .lock()
            .run(batch, |session| session.handle_outcome(&cx, mail, outcome, request_id))
    }

    /// The driver looks at the session's deadlines, and will again when this returns, which is
    /// `latest` or before.
    pub(crate) fn handle_timeout(
        &self,
        batch: &mut Batch<'_>,
        connection: &Arc<Connection>,
        latest: Instant,
    ) -> (Instant, Letters<'static>) {
        let mut state = self.state.lock();
        if !state.is_attached(connection) {
            return (latest, Letters::new());
        }
        let letters = state.handle_due(batch);
        let next = state.session.deadline().map_or(latest, |deadline| deadline.min(latest));
        state.watched_until = Some(next);
        (next, letters)
    }

    /// A keeper looks at the session's deadlines. None: a client is attached again.
    pub(crate) fn handle_absence(
        &self,
        batch: &mut Batch<'_>,
    ) -> Option<(Option<Instant>, Letters<'static>)> {
        let mut state = self.state.lock();
        if state.connection.is_some() {
            return None;
        }
        let letters = state.handle_due(batch);
        state.over = state.session.is_over();
        Some((state.session.deadline(), letters))
    }
}

impl State {
    fn is_attached(&self, connection: &Arc<Connection>) -> bool {
        self.connection.as_ref().is_some_and(|attached| Arc::ptr_eq(attached, connection))
    }

    /// Why mail is not even given to the session.
    fn refusal(&self, server: &Server, mail: &Mail<'_>) -> Option<Outcome> {
        match &self.connection {
            // What would wait here would end with the process.
            None => server.is_draining().then_some(Outcome::Unavailable),
            // A stranger's offers must not be what a slow reader is closed for.
            Some(connection) => {
                let rings = matches!(mail.content, Content::Ring { .. });
                (rings && connection.is_behind()).then_some(Outcome::Busy)
            }
        }
    }

    fn handle_due(&mut self, batch: &mut Batch<'_>) -> Letters<'static> {
        let cx: Context<'_> = batch.cx;
        if self.session.deadline().is_none_or(|deadline| deadline > cx.now) {
            return Letters::new();
        }
        self.run(batch, |session| session.handle_timeout(&cx))
    }

    /// Gives the session one input and carries out what follows.
    fn run<'m>(
        &mut self,
        batch: &mut Batch<'_>,
        input: impl FnOnce(&mut Session) -> Outputs<'m>,
    ) -> Letters<'m> {
        let calls_before = self.session.calls();
        let outputs = input(&mut self.session);
        batch.server.counters.calls_changed(calls_before, self.session.calls());
        let mut letters = Letters::new();
        for output in outputs {
            match (output, &self.connection) {
                (Output::Send(reply), Some(connection)) => batch.send(connection, &reply),
                (Output::SendText(text), Some(connection)) => batch.send_text(connection, &text),
                (Output::Mail { to, mail, request_id }, _) => {
                    letters.push(Letter { to, mail, request_id });
                }
                // A session has nothing to say to a client that is away.
                (Output::Send(_) | Output::SendText(_), None) => {}
            }
        }
        letters
    }

    fn report_earlier_deadline(&mut self) {
        if let (Some(connection), Some(watched_until)) = (&self.connection, self.watched_until)
            && self.session.deadline().is_some_and(|deadline| deadline < watched_until)
        {
            self.watched_until = None;
            connection.deadline_moved();
        }
    }
}
