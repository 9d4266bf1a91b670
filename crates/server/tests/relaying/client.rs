//! A client that waits for each message.

use std::net::TcpStream;
use std::time::Duration;

use securecall_testkit::Server;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::handshake::client::Response;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocket};
use tokio_tungstenite::tungstenite::{HandshakeError, Message, client};

/// Long enough for a loaded machine; a message that is due comes within a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    pub(crate) socket: WebSocket<TcpStream>,
}

impl Client {
    pub(crate) fn connect(server: &Server) -> Self {
        Self::try_connect(server).unwrap()
    }

    /// Connects, or returns the response with which the server refused that.
    pub(crate) fn try_connect(server: &Server) -> Result<Self, Box<Response>> {
        use tokio_tungstenite::tungstenite::Error;

        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        match client(server.url(), stream) {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(HandshakeError::Failure(Error::Http(response))) => Err(response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Connects and registers.
    pub(crate) fn register(server: &Server, id: &str) -> Self {
        Self::register_with(server, json!({"clientId": id})).0
    }

    /// The same with this payload. Returns that of REGISTERED, too.
    pub(crate) fn register_with(server: &Server, payload: Value) -> (Self, Value) {
        let mut client = Self::connect(server);
        client.send("REGISTER", payload);
        let registered = client.expect("REGISTERED");
        (client, registered)
    }

    pub(crate) fn send(&mut self, message_type: &str, payload: Value) {
        self.send_text(&json!({"type": message_type, "payload": payload}).to_string());
    }

    pub(crate) fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Sends a message, and returns the error code that answers it.
    #[track_caller]
    pub(crate) fn refused(&mut self, message_type: &str, payload: Value) -> String {
        self.send(message_type, payload);
        self.expect("ERROR")["code"].as_str().unwrap().to_owned()
    }

    /// Returns the payload of the next message, which must be of this type.
    #[track_caller]
    pub(crate) fn expect(&mut self, message_type: &str) -> Value {
        let mut message = self.receive();
        assert_eq!(message["type"], message_type, "{message}");
        message["payload"].take()
    }

    pub(crate) fn receive(&mut self) -> Value {
        match self.read() {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} came instead of a message"),
        }
    }

    /// Checks that nothing was sent before the answer to a heartbeat.
    #[track_caller]
    pub(crate) fn expect_nothing(&mut self) {
        self.send("HEARTBEAT", json!({}));
        self.expect("HEARTBEAT_ACK");
    }

    /// Returns the code of the close frame, which must come next.
    #[track_caller]
    pub(crate) fn expect_close(&mut self) -> u16 {
        match self.read() {
            Message::Close(Some(CloseFrame { code, .. })) => code.into(),
            other => panic!("{other:?} came instead of a close frame"),
        }
    }

    /// Breaks the connection without a close frame.
    pub(crate) fn vanish(self) {
        drop(self);
    }

    fn read(&mut self) -> Message {
        loop {
            match self.socket.read().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}

/// Rings, and returns the call id that the callee was sent.
pub(crate) fn ring(caller: &mut Client, callee: &mut Client, callee_id: &str) -> Value {
    caller.send("CALL_INITIATE", json!({"targetId": callee_id, "sdpOffer": "an offer"}));
    let mut incoming = callee.expect("INCOMING_CALL");
    assert_eq!(incoming["sdpOffer"], "an offer");
    incoming["callId"].take()
}

/// Rings and answers.
pub(crate) fn call(caller: &mut Client, callee: &mut Client, callee_id: &str) -> Value {
    let call_id = ring(caller, callee, callee_id);
    callee.send("CALL_ACCEPT", json!({"callId": call_id, "sdpAnswer": "an answer"}));
    let accepted = caller.expect("CALL_ACCEPTED");
    assert_eq!(accepted, json!({"callId": call_id, "sdpAnswer": "an answer"}));
    call_id
}

pub(crate) fn candidate(call_id: &Value, candidate: &str) -> Value {
    json!({"callId": call_id, "candidate": candidate})
}
