//! The other end is aiortc, a WebRTC implementation that has nothing in common with ours. It needs
//! Python with aiortc: `SECURECALL_PYTHON=target/venv/bin/python cargo test -p securecall-peer
//! --test connection aiortc -- --ignored`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use securecall_peer::{Closed, Config, Event, Peer};
use serde_json::{Value, json};

use crate::pair::{End, receiving_into, write_file};

struct Aiortc {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Aiortc {
    fn start() -> Self {
        let python = std::env::var("SECURECALL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/connection/aiortc_peer.py");
        let mut process = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python with aiortc");
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    fn read(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    fn write(&mut self, value: &Value) {
        writeln!(self.process.stdin.as_mut().unwrap(), "{value}").unwrap();
    }
}

impl Drop for Aiortc {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Python with aiortc"]
async fn aiortc_exchanges_messages_and_files_with_us() {
    let folder = tempfile::tempdir().unwrap();
    let mut aiortc = Aiortc::start();
    let offer = aiortc.read()["sdp"].as_str().unwrap().to_owned();
    let config = receiving_into(folder.path(), Config::default());
    let (peer, mut events, answer) = Peer::answer(config, &offer).await.unwrap();
    let mut candidates = Vec::new();
    while let Some(event) = events.next().await {
        match event {
            Event::Candidate(json) => candidates.push(json),
            Event::GatheringFinished => break,
            event => panic!("{event:?}"),
        }
    }
    aiortc.write(&json!({"sdp": answer, "candidates": candidates}));

    let mut us = End { peer, events };
    assert_eq!(us.next().await, Event::Connected);
    assert_eq!(us.next().await, Event::Text("hello from aiortc".to_owned()));
    let path = folder.path().join("from-aiortc.bin");
    assert_eq!(us.next().await, Event::FileReceived { path });
    assert_eq!(aiortc.read(), json!({"type": "file-received", "id": 1}));
    us.peer.send_file(write_file(folder.path(), "ours.bin", 1 << 20)).await.unwrap();
    assert_eq!(aiortc.read()["name"], "ours.bin");
    assert_eq!(us.next().await, Event::FileSent { name: "ours.bin".to_owned(), received_as: None });
    assert_eq!(us.next().await, Event::Closed(Closed::Remote));
}
