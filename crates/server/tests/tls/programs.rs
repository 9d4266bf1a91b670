//! Clients of other projects. Each test needs its program, so they run on request: `cargo test -p
//! securecall-server --test tls -- --ignored`.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use crate::authority::Authority;
use securecall_testkit::Server;

fn start(authority: &Authority) -> Server {
    crate::serve_with(authority.issue("server").flags())
}

/// Runs a program with this standard input.
fn run(command: &mut Command, input: &str) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    running.wait_with_output().unwrap()
}

#[track_caller]
fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{shown}");
    shown
}

#[test]
#[ignore = "needs curl"]
fn curl_gets_the_health_of_the_server() {
    let authority = Authority::new();
    let server = start(&authority);
    let url = format!("https://localhost:{}/health", server.address().port());
    for version in [&["--tlsv1.3"][..], &["--tlsv1.2", "--tls-max", "1.2"]] {
        let mut curl = Command::new("curl");
        curl.arg("-sS").arg("--cacert").arg(authority.file()).args(version);
        assert_eq!(shown(&run(curl.arg(&url), "")), r#"{"status":"ok"}"#);
    }
}

#[test]
#[ignore = "needs openssl"]
fn openssl_shakes_hands_in_every_way_that_is_safe() {
    let authority = Authority::new();
    let server = start(&authority);
    let connect = |options: &[&str]| {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-verify_return_error", "-quiet", "-CAfile"]);
        client.arg(authority.file()).args(["-connect", &server.address().to_string()]);
        run(client.args(options), "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
    };
    for options in [
        &["-tls1_3"][..],
        &["-tls1_3", "-groups", "P-256"],
        &["-tls1_3", "-groups", "P-384"],
        &["-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"],
        &["-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"],
        // The first key share is of a group that we do not support, so we request another.
        &["-tls1_3", "-groups", "P-521:P-256"],
        &["-tls1_3", "-alpn", "http/1.1"],
        &["-tls1_2"],
        &["-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    ] {
        let output = connect(options);
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(shown.ends_with(r#"{"status":"ok"}"#), "{options:?}: {output:?}");
    }
    for options in
        [&["-tls1_1"][..], &["-tls1_2", "-cipher", "AES128-SHA"], &["-tls1_3", "-alpn", "h2"]]
    {
        let output = connect(options);
        assert!(!output.status.success(), "{options:?}: {output:?}");
    }
}

/// A call between two clients of Python's `websockets`, with an offer of 60 KB.
const CALL: &str = r#"
import asyncio, json, ssl, sys
from websockets.asyncio.client import connect

async def main(url, ca):
    context = ssl.create_default_context(cafile=ca)
    async with connect(url, ssl=context) as alice, connect(url, ssl=context) as bob:
        async def send(client, kind, **payload):
            await client.send(json.dumps({"type": kind, "payload": payload}))
        async def expect(client, kind):
            message = json.loads(await asyncio.wait_for(client.recv(), 5))
            assert message["type"] == kind, message
            return message["payload"]
        for client, name in (alice, "alice"), (bob, "bob"):
            await send(client, "REGISTER", clientId=name)
            await expect(client, "REGISTERED")
        offer = "o" * 60000
        await send(alice, "CALL_INITIATE", targetId="bob", sdpOffer=offer)
        incoming = await expect(bob, "INCOMING_CALL")
        assert incoming["sdpOffer"] == offer
        call = incoming["callId"]
        await send(bob, "CALL_ACCEPT", callId=call, sdpAnswer="answer")
        assert (await expect(alice, "CALL_ACCEPTED"))["sdpAnswer"] == "answer"
        for number in range(100):
            await send(alice, "ICE_CANDIDATE", callId=call, candidate=str(number))
        for number in range(100):
            assert (await expect(bob, "ICE_CANDIDATE"))["candidate"] == str(number)
        pong = await alice.ping()
        await asyncio.wait_for(pong, 5)
        await send(alice, "CALL_END", callId=call)
        await expect(bob, "CALL_ENDED")
    print("done")

asyncio.run(main(*sys.argv[1:]))
"#;

#[test]
#[ignore = "needs python3 with websockets"]
fn a_call_goes_through_between_clients_in_python() {
    let authority = Authority::new();
    let server = start(&authority);
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let url = format!("wss://localhost:{}/signal", server.address().port());
    let mut client = Command::new(python);
    client.args(["-", &url]).arg(authority.file());
    assert_eq!(shown(&run(&mut client, CALL)), "done\n");
}
