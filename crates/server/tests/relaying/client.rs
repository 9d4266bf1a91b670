//! A client that sends what it is told to, and returns what arrives.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::rig::Server;

/// The time that an answer may take on a busy machine.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    socket: WebSocket<TcpStream>,
}

impl Client {
    /// Connects, and registers nothing.
    pub(crate) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(ANSWER_TIMEOUT)).unwrap();
        let url = format!("ws://{}/signal", server.address);
        let (socket, _response) = tungstenite::client(url, stream).unwrap();
        Self { socket }
    }

    /// Connects and registers, in dialect 1.
    pub(crate) fn register(server: &Server, client_id: &str) -> Self {
        let mut client = Self::connect(server);
        client.send("REGISTER", json!({"clientId": client_id}));
        assert_eq!(client.expect("REGISTERED"), json!({"clientId": client_id}));
        client
    }

    pub(crate) fn send(&mut self, message_type: &str, payload: Value) {
        self.send_text(&json!({"type": message_type, "payload": payload}).to_string());
    }

    pub(crate) fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).unwrap();
    }

    /// Returns the payload of the next message, which must be of this type.
    pub(crate) fn expect(&mut self, message_type: &str) -> Value {
        let mut message: Value = serde_json::from_str(&self.next_text()).unwrap();
        assert_eq!(message["type"], message_type, "{message}");
        message["payload"].take()
    }

    /// Expects an error, and returns its code.
    pub(crate) fn expect_error(&mut self) -> String {
        self.expect("ERROR")["code"].as_str().unwrap().to_owned()
    }

    /// Returns the next message as it arrived.
    pub(crate) fn next_text(&mut self) -> String {
        loop {
            match self.socket.read().unwrap() {
                Message::Text(text) => return text.as_str().to_owned(),
                // tungstenite answers pings by itself, with the next read.
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text: {other:?}"),
            }
        }
    }

    /// Returns the next frame. A ping is returned, and answered with the read after it.
    pub(crate) fn next_frame(&mut self) -> Message {
        self.socket.read().unwrap()
    }

    /// Asserts that nothing has arrived before the answer to a question that is asked now.
    pub(crate) fn expect_nothing(&mut self) {
        self.send("HEARTBEAT", json!({}));
        self.expect("HEARTBEAT_ACK");
    }

    /// Waits for a close frame, and returns its code.
    pub(crate) fn expect_close(&mut self) -> u16 {
        loop {
            match self.socket.read().unwrap() {
                Message::Close(Some(CloseFrame { code, .. })) => return code.into(),
                Message::Ping(_) | Message::Text(_) => {}
                other => panic!("not a close frame: {other:?}"),
            }
        }
    }

    /// Closes with this code, and reads until the server has confirmed it.
    pub(crate) fn close(mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.socket.close(Some(frame)).unwrap();
        while self.socket.read().is_ok() {}
    }

    /// Drops the TCP connection without a close frame.
    pub(crate) fn lose(self) {
        drop(self);
    }
}

/// Rings `callee`, who is told; returns the call's id.
pub(crate) fn ring(caller: &mut Client, callee: &mut Client, callee_id: &str) -> String {
    caller.send("CALL_INITIATE", json!({"targetId": callee_id, "sdpOffer": "offer"}));
    let incoming = callee.expect("INCOMING_CALL");
    assert_eq!(incoming["sdpOffer"], "offer");
    incoming["callId"].as_str().unwrap().to_owned()
}

/// Sets a call up, and returns its id.
pub(crate) fn establish(caller: &mut Client, callee: &mut Client, callee_id: &str) -> String {
    let call_id = ring(caller, callee, callee_id);
    callee.send("CALL_ACCEPT", json!({"callId": call_id, "sdpAnswer": "answer"}));
    let accepted = json!({"callId": call_id, "sdpAnswer": "answer"});
    assert_eq!(caller.expect("CALL_ACCEPTED"), accepted);
    call_id
}
