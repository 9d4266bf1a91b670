//! Small servers that are not ours.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Accepts one connection after the other.
pub(crate) struct Fake(TcpListener);

/// One of them, as a WebSocket.
pub(crate) struct Line(WebSocketStream<TcpStream>);

impl Fake {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/signal", self.0.local_addr().unwrap())
    }

    pub(crate) async fn accept(&self) -> Line {
        Line(accept_async(self.0.accept().await.unwrap().0).await.unwrap())
    }

    /// Answers one connection with an HTTP response.
    pub(crate) async fn refuse(&self, response: &str) {
        let (mut tcp, _) = self.0.accept().await.unwrap();
        let mut head = [0; 2048];
        let _ = tcp.read(&mut head).await.unwrap();
        tcp.write_all(response.as_bytes()).await.unwrap();
    }
}

impl Line {
    /// The next message; pings are passed over.
    pub(crate) async fn hears(&mut self) -> Value {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The next frame.
    pub(crate) async fn hears_frame(&mut self) -> Message {
        self.0.next().await.unwrap().unwrap()
    }

    pub(crate) async fn says(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.unwrap();
    }

    pub(crate) async fn closes(&mut self, code: u16) {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.0.close(Some(frame)).await.unwrap();
    }

    /// Answers REGISTER in dialect 1.
    pub(crate) async fn registers(&mut self) -> Value {
        let register = self.hears().await;
        let client_id = &register["payload"]["clientId"];
        let registered = json!({"type": "REGISTERED", "payload": {"clientId": client_id}});
        self.says(registered).await;
        register
    }
}

/// A server of dialect 1 that knows neither `id` nor dialect 2, with as much as a call takes. Tells
/// what it was sent.
pub(crate) async fn dialect_one() -> (String, mpsc::UnboundedReceiver<Value>) {
    let fake = Fake::new().await;
    let url = fake.url();
    let (log, seen) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let (mut bob, mut alice) = (fake.accept().await, fake.accept().await);
        // Each is who it says; the first to connect is bob.
        bob.registers().await;
        alice.registers().await;
        let mut keys = serde_json::Map::new();
        loop {
            let (from_alice, message) = tokio::select! {
                message = alice.hears() => (true, message),
                message = bob.hears() => (false, message),
            };
            let _ = log.send(message.clone());
            let payload = &message["payload"];
            let (own, other) =
                if from_alice { (&mut alice, &mut bob) } else { (&mut bob, &mut alice) };
            match message["type"].as_str().unwrap() {
                "PKD_REGISTER" | "PKD_LOOKUP" => {
                    let client_id = payload["clientId"].as_str().unwrap();
                    if let Some(key) = payload.get("publicKey") {
                        keys.insert(client_id.into(), key.clone());
                    }
                    let payload = json!({"clientId": client_id, "publicKey": keys.get(client_id)});
                    own.says(json!({"type": "PKD_RESULT", "payload": payload})).await;
                }
                "CALL_INITIATE" => {
                    let offer = &payload["sdpOffer"];
                    let payload = json!({"callId": "c1", "callerId": "alice", "sdpOffer": offer});
                    other.says(json!({"type": "INCOMING_CALL", "payload": payload})).await;
                }
                "CALL_ACCEPT" => {
                    other.says(json!({"type": "CALL_ACCEPTED", "payload": payload})).await;
                }
                "ICE_CANDIDATE" => {
                    other.says(json!({"type": "ICE_CANDIDATE", "payload": payload})).await;
                }
                "CALL_END" => {
                    other.says(json!({"type": "CALL_ENDED", "payload": payload})).await;
                }
                _ => {
                    let payload = json!({"code": "INVALID_MESSAGE", "message": "unknown type"});
                    own.says(json!({"type": "ERROR", "payload": payload})).await;
                }
            }
        }
    });
    (url, seen)
}
