//! The world around presence.

use std::fmt;
use std::sync::Arc;

use securecall_core::{Outcome, UnixTime};
use securecall_protocol::{CloseCode, Reply};

use crate::cell::Cell;

/// Connections, keepers and counters, as presence needs them.
///
/// Every method may be called while a cell is locked. So no method may block, or call into the
/// registry or a cell.
pub trait Host: Sized + 'static {
    /// The side of a client's connection that is written to.
    type Connection: fmt::Debug;
    /// A task that minds the deadlines of a session without a connection.
    type Keeper: fmt::Debug;

    /// Appends a message to those for the client.
    fn send(&self, connection: &Arc<Self::Connection>, reply: &Reply<'_>);

    /// The same with a message that is text already.
    fn send_text(&self, connection: &Arc<Self::Connection>, text: &str);

    /// Begins to close a connection, after the messages that it was sent before.
    fn close(&self, connection: &Self::Connection, code: CloseCode);

    /// Returns true if nothing more can be sent to the client, even if its driver does not know yet.
    fn is_closed(&self, connection: &Self::Connection) -> bool;

    /// Returns true if the client does not keep up with its messages.
    fn is_behind(&self, connection: &Self::Connection) -> bool;

    /// Has the connection's driver call [`Registry::handle_timeout`](crate::Registry::handle_timeout)
    /// soon: the session has a deadline before the one that the driver knows.
    fn deadline_moved(&self, connection: &Self::Connection);

    /// Starts a keeper, which calls [`Registry::handle_absence`](crate::Registry::handle_absence)
    /// soon, and again at each deadline that this returns.
    fn start_keeper(self: &Arc<Self>, cell: &Arc<Cell<Self>>) -> Self::Keeper;

    /// Stops a keeper. One that is in a call already finds the client attached.
    fn stop_keeper(&self, keeper: Self::Keeper);

    /// Returns true from the moment on that this node sends its clients away.
    fn is_draining(&self) -> bool;

    /// The time before which calls can have been forgotten.
    fn server_started(&self) -> UnixTime;

    /// Counts calls: a session takes part in `after` now.
    fn count_calls(&self, before: usize, after: usize);

    /// Counts mail by its outcome.
    fn count_mail(&self, outcome: Outcome);
}
