//! One WebSocket: its liveness, its registration, and the rates of its requests.
//!
//! A connection decides what is done with a text; the session behind it decides about calls.

use std::borrow::Cow;
use std::time::Duration;

use securecall_protocol::{
    CallMessage, ClientId, ClientMessage, CloseCode, DecodeError, Dialect, ErrorCode, MessageClass,
    Opaque, Registration, Reply, Request, ServerMessage, decode, decode_unnamed, request_id_of,
};

use crate::context::{ConnectionLimits, Context};
use crate::directory::Replacement;
use crate::time::Instant;
use securecall_protocol::Bucket;

/// Our state for a WebSocket connection.
#[derive(Debug)]
pub struct Connection {
    client_id: Option<ClientId>,
    dialect: Dialect,
    opened: Instant,
    heard: Instant,
    /// The time of the last ping or answer to the client. Messages of its peers may be later; they
    /// are not noted, since they are written by the peers' threads.
    sent: Instant,
    /// Pings since the client's last frame.
    unanswered_pings: u8,
    set_own_key: bool,
    buckets: Buckets,
}

/// The next step for a text.
#[derive(Debug, PartialEq)]
pub enum Step<'a> {
    /// Answer at once.
    Reply(Reply<'a>),
    /// Claim the id for this connection, then [`Connection::registered`].
    Register {
        /// The client id, the dialect, and what it resumes.
        registration: Box<Registration<'a>>,
        /// The request's `id`.
        request_id: Option<Opaque<'a>>,
    },
    /// Give the session the client's acknowledgement.
    Ack {
        /// The number of the last message that has arrived.
        seq: u64,
    },
    /// Give the session the client's message.
    Call {
        /// The message.
        message: CallMessage<'a>,
        /// The request's `id`.
        request_id: Option<Opaque<'a>>,
    },
    /// Ask the directory to take the client's key, with the [`Connection::replacement`] of that
    /// moment, then answer, and call [`Connection::key_registered`].
    PkdRegister {
        /// The registered client itself.
        client_id: ClientId,
        /// The key.
        public_key: Opaque<'a>,
        /// The request's `id`.
        request_id: Option<Opaque<'a>>,
    },
    /// Ask the directory for a key, then answer.
    PkdLookup {
        /// The client whose key it is.
        client_id: ClientId,
        /// The request's `id`.
        request_id: Option<Opaque<'a>>,
    },
}

/// The result of a look at the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing yet.
    Nothing,
    /// Send a WebSocket ping.
    Ping,
    /// Close.
    Close(CloseCode),
}

/// A bucket for each class of message.
#[derive(Debug, Default)]
struct Buckets {
    calls: Bucket,
    hangups: Bucket,
    candidates: Bucket,
    directory: Bucket,
    acks: Bucket,
    other: Bucket,
}

impl Connection {
    /// A connection that was opened now.
    pub fn new(now: Instant) -> Self {
        Self {
            client_id: None,
            dialect: Dialect::One,
            opened: now,
            heard: now,
            sent: now,
            unanswered_pings: 0,
            set_own_key: false,
            buckets: Buckets::default(),
        }
    }

    /// Takes note of a frame, of any kind: the client is there.
    pub fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.unanswered_pings = 0;
    }

    /// Takes note of an answer, which the client, and every proxy before it, sees.
    pub fn answered(&mut self, now: Instant) {
        self.sent = now;
    }

    /// Takes a text message.
    pub fn handle_text<'m>(&mut self, cx: &Context<'_>, text: &'m str) -> Step<'m> {
        self.step(cx, text).unwrap_or_else(|(refusal, reply_to)| {
            let Refusal { code, message, retry_after_ms } = refusal;
            let message = ServerMessage::Error { code, message, retry_after_ms };
            Step::Reply(Reply { reply_to, ..message.into() })
        })
    }

    /// Takes note that the id is this connection's now.
    pub fn registered(&mut self, client_id: ClientId, dialect: Dialect) {
        self.client_id = Some(client_id);
        self.dialect = dialect;
    }

    /// The dialect of the registered client.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The claim of this client to put its key in the place of another one. It is asked for once
    /// earlier requests of the client are answered: they may have made the connection the key's
    /// owner.
    pub fn replacement(&self, cx: &Context<'_>) -> Replacement {
        cx.config.replace_key.replacement(self.set_own_key)
    }

    /// Takes note that this connection has set the client's key, which was not in the directory
    /// before.
    pub fn key_registered(&mut self) {
        self.set_own_key = true;
    }

    /// The time for [`Connection::handle_timeout`]. Only that call makes it earlier: frames that come
    /// and go move it away.
    pub fn deadline(&self, limits: &ConnectionLimits) -> Instant {
        let next = (self.heard + limits.silence_timeout).min(self.next_ping(limits));
        match self.client_id {
            Some(_) => next,
            None => next.min(self.opened + limits.register_timeout),
        }
    }

    /// Looks at what is due. Harmless when nothing is.
    pub fn handle_timeout(&mut self, cx: &Context<'_>) -> Due {
        let limits = &cx.config.connection;
        if cx.now.since(self.heard) >= limits.silence_timeout {
            return Due::Close(CloseCode::Silent);
        }
        if self.client_id.is_none() && cx.now.since(self.opened) >= limits.register_timeout {
            return Due::Close(CloseCode::RegisterTimeout);
        }
        if cx.now >= self.next_ping(limits) {
            self.sent = cx.now;
            self.unanswered_pings = self.unanswered_pings.saturating_add(1);
            return Due::Ping;
        }
        Due::Nothing
    }

    /// Proxies cut a connection on which *we* are silent, so a pong does not put the next ping off.
    fn next_ping(&self, limits: &ConnectionLimits) -> Instant {
        let wait = match self.unanswered_pings {
            // Some clients (libcurl) send a pong only when the next frame comes: half of the time
            // that is left is for that frame, and half for the pong.
            1 => limits
                .ping_after
                .min((limits.silence_timeout.saturating_sub(limits.ping_after)) / 2),
            _ => limits.ping_after,
        };
        self.sent + wait
    }

    fn step<'m>(
        &mut self,
        cx: &Context<'_>,
        text: &'m str,
    ) -> Result<Step<'m>, (Refusal, Option<Opaque<'m>>)> {
        let limits = &cx.config.connection;
        let Request { id: request_id, message } = match self.decode(text) {
            Ok(request) => request,
            Err(error) => {
                let malformed = Refusal::new(ErrorCode::InvalidMessage, error.message());
                let refusal = match self.buckets.take(limits, MessageClass::Other, cx.now) {
                    Ok(()) => malformed,
                    Err(wait) => Refusal::rate_limited(wait),
                };
                return Err((refusal, request_id_of(text)));
            }
        };
        self.buckets
            .take(limits, MessageClass::of(message.message_type()), cx.now)
            .map_err(|wait| (Refusal::rate_limited(wait), request_id))?;
        self.permitted(cx, message, request_id).map_err(|refusal| (refusal, request_id))
    }

    /// In dialect 1 an `id` may be anything; one that is no request id is an unknown field.
    fn decode<'m>(&self, text: &'m str) -> Result<Request<'m>, DecodeError> {
        match decode(text) {
            Err(DecodeError::RequestId) if self.dialect == Dialect::One => decode_unnamed(text),
            decoded => decoded,
        }
    }

    fn permitted<'m>(
        &self,
        cx: &Context<'_>,
        message: ClientMessage<'m>,
        request_id: Option<Opaque<'m>>,
    ) -> Result<Step<'m>, Refusal> {
        let message = match message {
            ClientMessage::Register(registration) => {
                return self.permitted_registration(registration, request_id);
            }
            other => other,
        };
        let registered = self.client_id.as_ref().ok_or(NOT_REGISTERED)?;
        let reply = |message: ServerMessage<'m>| {
            Step::Reply(Reply { reply_to: request_id, ..message.into() })
        };
        match message {
            ClientMessage::Ack { .. }
            | ClientMessage::Call(
                CallMessage::CallRinging { .. } | CallMessage::CallSignal { .. },
            ) if self.dialect == Dialect::One => Err(OTHER_DIALECT),
            ClientMessage::Ack { seq } => Ok(Step::Ack { seq }),
            ClientMessage::Register(registration) => {
                self.permitted_registration(registration, request_id)
            }
            ClientMessage::Call(message) => {
                check_length(cx, &message)?;
                Ok(Step::Call { message, request_id })
            }
            ClientMessage::PkdRegister { client_id, .. } if client_id != *registered => {
                Err(NOT_OWN_KEY)
            }
            ClientMessage::PkdRegister { client_id, public_key } => {
                check_bytes("publicKey", public_key, cx.config.key_bytes_max)?;
                Ok(Step::PkdRegister { client_id, public_key, request_id })
            }
            ClientMessage::PkdLookup { client_id } => Ok(Step::PkdLookup { client_id, request_id }),
            ClientMessage::TurnCredentials => Ok(reply(turn_credentials(cx, registered))),
            ClientMessage::Heartbeat => Ok(reply(ServerMessage::HeartbeatAck)),
        }
    }
}

impl Connection {
    fn permitted_registration<'m>(
        &self,
        registration: Box<Registration<'m>>,
        request_id: Option<Opaque<'m>>,
    ) -> Result<Step<'m>, Refusal> {
        match &self.client_id {
            Some(registered) if *registered != registration.client_id => Err(OTHER_ID),
            _ => Ok(Step::Register { registration, request_id }),
        }
    }
}

impl Buckets {
    fn take(
        &mut self,
        limits: &ConnectionLimits,
        class: MessageClass,
        now: Instant,
    ) -> Result<(), Duration> {
        let bucket = match class {
            MessageClass::Calls => &mut self.calls,
            MessageClass::Hangups => &mut self.hangups,
            MessageClass::Candidates => &mut self.candidates,
            MessageClass::Directory => &mut self.directory,
            MessageClass::Acks => &mut self.acks,
            MessageClass::Other => &mut self.other,
        };
        bucket.take(limits.rate(class), now.as_micros())
    }
}

/// Refuses a message whose opaque field is too long to be passed on.
fn check_length(cx: &Context<'_>, message: &CallMessage<'_>) -> Result<(), Refusal> {
    let Some((name, opaque)) = message.opaque_field() else { return Ok(()) };
    check_bytes(name, opaque, cx.config.opaque_bytes_max())
}

fn check_bytes(name: &str, opaque: Opaque<'_>, bytes_max: usize) -> Result<(), Refusal> {
    if opaque.len() <= bytes_max + QUOTES {
        return Ok(());
    }
    let message = format!("{name} is too long: at most {bytes_max} bytes of JSON in its quotes");
    Err(Refusal { message: message.into(), ..TOO_LONG })
}

const QUOTES: usize = 2;

fn turn_credentials(cx: &Context<'_>, client_id: &ClientId) -> ServerMessage<'static> {
    match &cx.config.turn {
        Some(turn) => ServerMessage::TurnCredentials {
            ice_servers: turn.ice_servers(client_id, cx.unix).into(),
            ttl_seconds: turn.ttl_seconds(cx.unix),
        },
        None => ServerMessage::TurnCredentials { ice_servers: "[]".into(), ttl_seconds: 0 },
    }
}

/// Why a message goes no further.
#[derive(Debug)]
struct Refusal {
    code: ErrorCode,
    message: Cow<'static, str>,
    retry_after_ms: Option<u64>,
}

impl Refusal {
    const fn new(code: ErrorCode, message: &'static str) -> Self {
        Self { code, message: Cow::Borrowed(message), retry_after_ms: None }
    }

    fn rate_limited(wait: Duration) -> Self {
        let millis = u64::try_from(wait.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
        Self { retry_after_ms: Some(millis), ..RATE_LIMITED }
    }
}

const RATE_LIMITED: Refusal =
    Refusal::new(ErrorCode::RateLimited, "too many requests from this connection");
const NOT_REGISTERED: Refusal = Refusal::new(ErrorCode::NotRegistered, "REGISTER first");
const OTHER_DIALECT: Refusal =
    Refusal::new(ErrorCode::InvalidMessage, "unknown message type in dialect 1");
const OTHER_ID: Refusal =
    Refusal::new(ErrorCode::InvalidState, "this connection is registered under another id");
const NOT_OWN_KEY: Refusal =
    Refusal::new(ErrorCode::Unauthorized, "a client registers the key of its own id only");
const TOO_LONG: Refusal = Refusal::new(ErrorCode::InvalidMessage, "a field is too long");
