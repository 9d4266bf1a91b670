//! The place of one client id.
//!
//! A cell outlives connections: each connection that registers the id is attached to it, and the
//! session of a client that is away stays here. Messages for the session's own client are sent under
//! the cell's lock, so that nothing later can overtake them; mail for others leaves the cell as a
//! [`Post`], because two cells are never locked at once.
//!
//! Each call from a driver names its connection; a cell ignores connections that are not attached
//! (any more). So the late end of an old connection cannot tear down its successor.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use securecall_core::delivery::{self, Receiver};
use securecall_core::{Departure, Instant, Mail, Outcome, Output, Outputs, Session};
use securecall_protocol::{CallMessage, ClientId, Opaque, Registration, ServerMessage};

use crate::batch::Batch;
use crate::host::Host;
use crate::post::{Item, Letter, Post};

/// One client id's place.
pub struct Cell<H: Host> {
    client_id: ClientId,
    /// The receiver of the last letter. Most letters follow another to the same peer, and need no
    /// search in the registry, whose memory is cold when there are many clients.
    last_peer: Mutex<Option<(ClientId, Weak<Cell<H>>)>>,
    state: Mutex<State<H>>,
}

struct State<H: Host> {
    session: Session,
    connection: Option<Arc<H::Connection>>,
    /// The driver looks at the session again no later than this. `None`: it has not looked yet.
    watched_until: Option<Instant>,
    keeper: Option<H::Keeper>,
    /// Nothing is left to keep the cell for; a thread that finds it must look for another.
    over: bool,
}

/// The result of attaching a connection.
pub(crate) struct Attached<'m, H: Host> {
    /// The connection that was the client's before.
    pub(crate) superseded: Option<Arc<H::Connection>>,
    pub(crate) post: Post<'m, H>,
}

impl<H: Host> fmt::Debug for Cell<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cell").finish_non_exhaustive()
    }
}

impl<H: Host> Cell<H> {
    /// A cell for a client that registers now.
    pub(crate) fn new(session: Session) -> Self {
        let client_id = session.client_id().clone();
        let state =
            State { session, connection: None, watched_until: None, keeper: None, over: false };
        Self { client_id, last_peer: Mutex::new(None), state: Mutex::new(state) }
    }

    /// The client id.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Looks at the session. For checks only: it may change before anybody acts on it.
    pub fn inspect<R>(&self, look: impl FnOnce(&Session) -> R) -> R {
        look(&self.state.lock().session)
    }

    /// The client's connection. For checks, as [`Cell::inspect`] is.
    pub fn connection(&self) -> Option<Arc<H::Connection>> {
        self.state.lock().connection.clone()
    }

    /// The cell of the peer that the last letter went to, if that was the one named by `to`.
    pub(crate) fn last_peer(&self, to: &ClientId) -> Option<Arc<Self>> {
        let last = self.last_peer.lock();
        let (client_id, cell) = last.as_ref()?;
        if client_id.is_clone_of(to) { cell.upgrade() } else { None }
    }

    /// Remembers where a letter to `to` went, or that the place is no more.
    pub(crate) fn set_last_peer(&self, to: &ClientId, cell: Option<&Arc<Self>>) {
        *self.last_peer.lock() = cell.map(|cell| (to.clone(), Arc::downgrade(cell)));
    }

    /// Returns true if it is to be forgotten.
    pub(crate) fn is_over(&self) -> bool {
        self.state.lock().over
    }

    /// Starts a keeper, which minds the session's deadlines.
    pub(crate) fn start_keeper(self: &Arc<Self>, host: &Arc<H>) {
        self.state.lock().keeper = Some(host.start_keeper(self));
    }

    /// Makes the connection the client's. Returns `None` if this cell is over.
    pub(crate) fn attach<'m>(
        self: &Arc<Self>,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        registration: &Registration<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Option<Attached<'m, H>> {
        let mut state = self.state.lock();
        if state.over {
            return None;
        }
        if let Some(keeper) = state.keeper.take() {
            batch.host.stop_keeper(keeper);
        }
        let superseded = state.connection.replace(connection.clone());
        state.watched_until = None;
        let input = |session: &mut Session| session.attach(&batch.cx, registration, request_id);
        let mut post = Post::empty();
        state.run(batch, || Cow::Owned(self.clone()), input, &mut post);
        Some(Attached { superseded, post })
    }

    /// Takes note that the connection is gone, if it still was the client's.
    pub(crate) fn detach<'m>(
        self: &'m Arc<Self>,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        departure: Departure,
    ) -> Post<'m, H> {
        let mut post = Post::empty();
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            let input = |session: &mut Session| session.detach(&batch.cx, departure);
            state.run_last(batch, || Cow::Borrowed(self), input, &mut post);
            self.begin_absence(&mut state, batch);
        }
        post
    }

    /// From here on the client is away, and a keeper minds its session.
    fn begin_absence(self: &Arc<Self>, state: &mut State<H>, batch: &Batch<'_, H>) {
        state.over = state.session.is_over();
        if !state.over {
            state.keeper = Some(batch.host.start_keeper(self));
        }
    }

    /// Takes a request about a call.
    pub(crate) fn handle_message<'m>(
        self: &'m Arc<Self>,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        message: CallMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Post<'m, H> {
        let mut post = Post::empty();
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            let input =
                |session: &mut Session| session.handle_message(&batch.cx, message, request_id);
            state.run(batch, || Cow::Borrowed(self), input, &mut post);
            state.report_earlier_deadline(batch.host);
        }
        post
    }

    /// Takes mail, and puts what follows into `post`. Returns its outcome, or `None` if this cell is
    /// over, and there may be another.
    pub(crate) fn handle_mail<'m>(
        self: &Arc<Self>,
        batch: &Batch<'_, H>,
        from: &ClientId,
        mail: &Mail<'m>,
        post: &mut Post<'m, H>,
    ) -> Option<Outcome> {
        let sender = || Cow::Owned(self.clone());
        let mut state = self.state.lock();
        self.note_closed(&mut state, batch, post);
        if state.over {
            return None;
        }
        let receiver = match &state.connection {
            Some(connection) => Receiver::Connected(|| batch.host.is_behind(connection)),
            None => Receiver::Away,
        };
        if let Some(refusal) = delivery::refusal(mail, receiver, || batch.host.is_draining()) {
            return Some(refusal);
        }
        let mut outcome = Outcome::Delivered;
        let input = |session: &mut Session| {
            let receipt = session.handle_mail(&batch.cx, from, mail);
            outcome = receipt.outcome;
            receipt.outputs
        };
        state.run(batch, sender, input, post);
        state.report_earlier_deadline(batch.host);
        Some(outcome)
    }

    /// Detaches a connection that is closed. Its driver will find that out in a moment; mail must
    /// not fall into the gap.
    fn note_closed<'m>(
        self: &Arc<Self>,
        state: &mut State<H>,
        batch: &Batch<'_, H>,
        post: &mut Post<'m, H>,
    ) {
        if !state.connection.as_ref().is_some_and(|connection| batch.host.is_closed(connection)) {
            return;
        }
        let input = |session: &mut Session| session.detach(&batch.cx, Departure::Lost);
        state.run_last(batch, || Cow::Owned(self.clone()), input, post);
        self.begin_absence(state, batch);
    }

    /// Answers a REGISTER of the connection that is attached already.
    pub fn reaffirm(
        &self,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        reply_to: Option<Opaque<'_>>,
    ) {
        let state = self.state.lock();
        if state.is_attached(connection) {
            state.send(batch.host, state.session.reaffirm(&batch.cx, reply_to));
        }
    }

    /// Answers a request that does not concern calls, numbered as the client's dialect wants it.
    pub fn reply(
        &self,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        message: ServerMessage<'_>,
        reply_to: Option<Opaque<'_>>,
    ) {
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            let output = state.session.reply(&batch.cx, message, reply_to);
            state.send(batch.host, output);
        }
    }

    /// Takes note that everything up to this number has arrived.
    pub fn acknowledge(&self, connection: &Arc<H::Connection>, seq: u64) {
        let mut state = self.state.lock();
        if state.is_attached(connection) {
            state.session.acknowledge(seq);
        }
    }

    /// Takes the outcome of a letter that this session sent, and puts what follows into `post`.
    pub(crate) fn handle_outcome<'m>(
        self: &Arc<Self>,
        batch: &Batch<'_, H>,
        mail: Mail<'m>,
        outcome: Outcome,
        request_id: Option<Opaque<'m>>,
        post: &mut Post<'m, H>,
    ) {
        let input =
            |session: &mut Session| session.handle_outcome(&batch.cx, mail, outcome, request_id);
        let mut state = self.state.lock();
        state.run(batch, || Cow::Owned(self.clone()), input, post);
        state.report_earlier_deadline(batch.host);
    }

    /// Looks at the session's deadlines for the driver of its connection. Returns when the driver
    /// has to look again: `latest`, or before.
    pub(crate) fn handle_timeout<'m>(
        self: &'m Arc<Self>,
        batch: &Batch<'_, H>,
        connection: &Arc<H::Connection>,
        latest: Instant,
    ) -> (Instant, Post<'m, H>) {
        let mut state = self.state.lock();
        if !state.is_attached(connection) {
            return (latest, Post::empty());
        }
        let post = state.handle_due(batch, self);
        let next = state.session.deadline().map_or(latest, |deadline| deadline.min(latest));
        state.watched_until = Some(next);
        (next, post)
    }

    /// Looks at the session's deadlines for its keeper. Returns when the keeper has to look again;
    /// `None`: a client is attached, or nothing is left to keep the session for.
    pub(crate) fn handle_absence<'m>(
        self: &'m Arc<Self>,
        batch: &Batch<'_, H>,
    ) -> (Option<Instant>, Post<'m, H>) {
        let mut state = self.state.lock();
        if state.connection.is_some() {
            return (None, Post::empty());
        }
        let post = state.handle_due(batch, self);
        state.over = state.session.is_over();
        let next = if state.over { None } else { state.session.deadline() };
        (next, post)
    }
}

impl<H: Host> State<H> {
    fn is_attached(&self, connection: &Arc<H::Connection>) -> bool {
        self.connection.as_ref().is_some_and(|attached| Arc::ptr_eq(attached, connection))
    }

    fn handle_due<'m>(&mut self, batch: &Batch<'_, H>, cell: &'m Arc<Cell<H>>) -> Post<'m, H> {
        if self.session.deadline().is_none_or(|deadline| deadline > batch.cx.now) {
            return Post::empty();
        }
        let mut post = Post::empty();
        let input = |session: &mut Session| session.handle_timeout(&batch.cx);
        self.run(batch, || Cow::Borrowed(cell), input, &mut post);
        post
    }

    /// Gives the session the input that its client is gone: messages for it are dropped.
    fn run_last<'m, 'o: 'm>(
        &mut self,
        batch: &Batch<'_, H>,
        from: impl Fn() -> Cow<'m, Arc<Cell<H>>>,
        input: impl FnOnce(&mut Session) -> Outputs<'o>,
        post: &mut Post<'m, H>,
    ) {
        self.connection = None;
        self.run(batch, from, input, post);
    }

    /// Gives the session one input and carries out what follows: messages are sent, and mail comes
    /// before all others in `post`, from the cell that `from` names. It is written in its place, not
    /// returned: a letter is long, and each relayed message is one.
    fn run<'m, 'o: 'm>(
        &mut self,
        batch: &Batch<'_, H>,
        from: impl Fn() -> Cow<'m, Arc<Cell<H>>>,
        input: impl FnOnce(&mut Session) -> Outputs<'o>,
        post: &mut Post<'m, H>,
    ) {
        let calls_before = self.session.calls();
        let outputs = input(&mut self.session);
        batch.host.count_calls(calls_before, self.session.calls());
        let others = post.len();
        for output in outputs {
            match output {
                Output::Mail { to, mail, request_id } => {
                    let letter = Letter { from: from(), to, mail, request_id };
                    post.push(Item { letter, outcome: None });
                }
                message => self.send(batch.host, Some(message)),
            }
        }
        post.reverse_from(others);
    }

    /// Sends a message to the client. A session has no message for a client that is away.
    fn send(&self, host: &H, message: Option<Output<'_>>) {
        let Some(connection) = &self.connection else { return };
        match message {
            Some(Output::Send(reply)) => host.send(connection, &reply),
            Some(Output::SendText(text)) => host.send_text(connection, &text),
            Some(Output::Mail { .. }) | None => {}
        }
    }

    fn report_earlier_deadline(&mut self, host: &H) {
        if let (Some(connection), Some(watched_until)) = (&self.connection, self.watched_until)
            && self.session.deadline().is_some_and(|deadline| deadline < watched_until)
        {
            self.watched_until = None;
            host.deadline_moved(connection);
        }
    }
}
