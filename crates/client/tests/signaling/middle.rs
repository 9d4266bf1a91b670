//! A dishonest server: it stands before an honest one and changes what passes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{accept_async, client_async};

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    ToServer,
    ToClient,
}

/// Takes a message, and returns what is passed on in its place.
type Lie = dyn FnMut(Way, Value) -> Vec<Value> + Send;

pub(crate) struct Middle {
    address: SocketAddr,
}

impl Middle {
    /// One that passes `lie(message)` on. Payloads are JSON.
    pub(crate) async fn before(
        server: SocketAddr,
        lie: impl FnMut(Way, Value) -> Vec<Value> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lie: Arc<Mutex<Lie>> = Arc::new(Mutex::new(lie));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(stand_between(client, server, Arc::clone(&lie)));
            }
        });
        Self { address }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/signal", self.address)
    }
}

async fn stand_between(client: TcpStream, server: SocketAddr, lie: Arc<Mutex<Lie>>) {
    let mut client = accept_async(client).await.unwrap();
    let tcp = TcpStream::connect(server).await.unwrap();
    let (mut server, _) = client_async(format!("ws://{server}/signal"), tcp).await.unwrap();
    loop {
        let (way, message) = tokio::select! {
            Some(Ok(message)) = client.next() => (Way::ToServer, message),
            Some(Ok(message)) = server.next() => (Way::ToClient, message),
            else => return,
        };
        for message in changed(way, message, &lie) {
            let passed = match way {
                Way::ToServer => server.send(message).await,
                Way::ToClient => client.send(message).await,
            };
            if passed.is_err() {
                return;
            }
        }
    }
}

fn changed(way: Way, message: Message, lie: &Mutex<Lie>) -> Vec<Message> {
    let Message::Text(text) = &message else {
        let control = matches!(message, Message::Close(_));
        return if control { vec![message] } else { Vec::new() };
    };
    let value = serde_json::from_str(text).unwrap();
    let values = lie.lock().unwrap()(way, value);
    values.into_iter().map(|value| Message::text(value.to_string())).collect()
}
