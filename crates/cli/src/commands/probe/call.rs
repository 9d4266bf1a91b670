//! A whole call between two temporary clients.

use securecall_client::{
    CallId, Client, ClientId, DirectoryKey, EndReason, Ending, Event, Events, IceServer, Identity,
    LookedUp, Seed, Settings, ShortAuthenticationString, Suite,
};
use securecall_peer::{self as peer, Config, Peer};

use super::report::Report;
use crate::conversation::session::disconnect;
use crate::terminal::explanation::explain;
use crate::throwaway_id::throwaway_id;

/// A temporary client.
struct TestClient {
    client: Client,
    events: Events,
    client_id: ClientId,
    /// The directory key of the other client.
    key: DirectoryKey,
}

/// One leg of the call, with its WebRTC peer.
struct CallLeg {
    call: CallId,
    peer: Peer,
    events: peer::Events,
    digits: Option<ShortAuthenticationString>,
}

/// Makes the call. Returns the TURN servers of the server, or `None` if the call failed before
/// them.
pub(crate) async fn make(report: &mut Report, url: &str) -> Option<Vec<IceServer>> {
    let (caller, callee) = (throwaway().ok()?, throwaway().ok()?);
    let (of_caller, of_callee) = (caller.directory_key().clone(), callee.directory_key().clone());
    let mut alice =
        report.step("register a caller", TestClient::connect(url, caller, of_callee)).await?;
    let mut bob =
        report.step("register a callee", TestClient::connect(url, callee, of_caller)).await?;
    report.step("directory", alice.looks_up_unknown_id()).await?;
    let relays = report.step("TURN credentials", alice.relays()).await?;
    let (alices, call, offer) = report.step("ring", ring(&alice, &mut bob)).await?;
    let (mut alices, mut bobs) =
        report.step("answer", answer(&mut alice, &mut bob, alices, call, &offer)).await?;
    report.step("data channel", connect(&mut alice, &mut alices, &mut bob, &mut bobs)).await;
    report.step("the same digits", same_digits(&alices, &bobs)).await;
    report.step("signal", signal(&alice, &alices, &mut bob)).await;
    report.step("hang up", hang_up(&alice, &alices, &mut bob)).await;
    tokio::join!(disconnect(alice.client), disconnect(bob.client));
    Some(relays)
}

impl TestClient {
    /// Connects a client. Both know each other's keys already, so that nothing is published.
    async fn connect(url: &str, identity: Identity, key: DirectoryKey) -> Result<Self, String> {
        let failed = |error: &dyn std::error::Error| error.to_string();
        let client_id = ClientId::try_from(identity.directory_key().client_id())
            .map_err(|error| failed(&error))?;
        let settings = Settings::new(url, identity).unlisted([key.clone()]);
        let (client, mut events) = Client::connect(settings).map_err(|error| failed(&error))?;
        register(&client, &mut events).await?;
        Ok(Self { client, events, client_id, key })
    }

    /// Checks that the directory has no key for an id that was never published.
    async fn looks_up_unknown_id(&self) -> Result<(), String> {
        match self.client.lookup(&self.client_id).await.map_err(|error| error.to_string())? {
            LookedUp::Nothing => Ok(()),
            _ => Err("the directory has a key for an id that never published one".to_owned()),
        }
    }

    async fn relays(&self) -> Result<Vec<IceServer>, String> {
        let credentials = self.client.turn_credentials().await;
        credentials.map(|turn| turn.ice_servers).map_err(|error| error.to_string())
    }

    /// Waits for the first event for which `wanted` returns `Some`.
    async fn wait_for<T>(&mut self, wanted: impl Fn(Event) -> Option<T>) -> Result<T, String> {
        while let Some(event) = self.events.next().await {
            if let Some(problem) = problem(&event) {
                return Err(problem);
            }
            if let Some(found) = wanted(event) {
                return Ok(found);
            }
        }
        Err("the client stopped".to_owned())
    }
}

/// Generates an identity that exists only for this probe.
fn throwaway() -> Result<Identity, securecall_client::seal::Error> {
    Identity::new(&throwaway_id("probe"), &Seed::generate(&mut rand::rng()), Suite::XWing)
}

async fn register(client: &Client, events: &mut Events) -> Result<(), String> {
    tokio::pin! { let registered = client.registered(); }
    loop {
        tokio::select! {
            done = &mut registered => return done.map_err(|error| error.to_string()),
            Some(event) = events.next() => if let Some(problem) = problem(&event) {
                return Err(problem);
            },
        }
    }
}

/// Returns a description of the event if it must never happen in a probe.
fn problem(event: &Event) -> Option<String> {
    match event {
        Event::Disconnected { cause, .. } => Some(explain(cause)),
        Event::Stopped(why) => Some(why.to_string()),
        Event::OfferRefused { why, .. } => Some(format!("the offer was changed: {why}")),
        Event::MessageRefused { error, .. } => Some(format!("a message was changed: {error}")),
        Event::Ended { reason: Ending::Interference(error), .. } => {
            Some(format!("the answer was changed: {error}"))
        }
        Event::Ended { reason: Ending::Rejected(_) | Ending::NotConnected, .. } => {
            Some("the call did not ring at the callee".to_owned())
        }
        _ => None,
    }
}

async fn ring(
    alice: &TestClient,
    bob: &mut TestClient,
) -> Result<(CallLeg, CallId, String), String> {
    let (peer, events, offer) =
        Peer::offer(Config::default()).await.map_err(|error| error.to_string())?;
    let call = alice
        .client
        .call_with(&alice.key, offer.as_str())
        .await
        .map_err(|error| error.to_string())?;
    let (ringing, received) = bob
        .wait_for(|event| match event {
            Event::Incoming { call, offer, .. } => Some((call, offer)),
            _ => None,
        })
        .await?;
    if received != offer {
        return Err("the offer arrived changed".to_owned());
    }
    Ok((CallLeg { call, peer, events, digits: None }, ringing, received))
}

async fn answer(
    alice: &mut TestClient,
    bob: &mut TestClient,
    mut alices: CallLeg,
    call: CallId,
    offer: &str,
) -> Result<(CallLeg, CallLeg), String> {
    let (peer, events, answer) =
        Peer::answer(Config::default(), offer).await.map_err(|error| error.to_string())?;
    bob.client.accept(call, answer.as_str()).await.map_err(|error| error.to_string())?;
    let (received, digits) = alice
        .wait_for(|event| match event {
            Event::Accepted { answer, digits, .. } => Some((answer, digits)),
            _ => None,
        })
        .await?;
    alices.digits = digits;
    alices.peer.accept_answer(&received).await.map_err(|error| error.to_string())?;
    Ok((alices, CallLeg { call, peer, events, digits: None }))
}

/// Exchanges candidates through the server, sealed, until both peers are connected.
async fn connect(
    alice: &mut TestClient,
    alices: &mut CallLeg,
    bob: &mut TestClient,
    bobs: &mut CallLeg,
) -> Result<(), String> {
    let (mut alice_is, mut bob_is) = (false, false);
    while !(alice_is && bob_is) {
        tokio::select! {
            Some(event) = alices.events.next() => alice_is |= local(alice, alices.call, event).await?,
            Some(event) = bobs.events.next() => bob_is |= local(bob, bobs.call, event).await?,
            Some(event) = alice.events.next() => remote(alices, event).await?,
            Some(event) = bob.events.next() => remote(bobs, event).await?,
            else => return Err("the call is over".to_owned()),
        }
    }
    Ok(())
}

/// Handles an event of a client's own peer. Returns true once the peer is connected.
async fn local(end: &TestClient, call: CallId, event: peer::Event) -> Result<bool, String> {
    match event {
        peer::Event::Candidate(candidate) => {
            let sent = end.client.candidate(call, candidate).await;
            sent.map(|()| false).map_err(|error| error.to_string())
        }
        peer::Event::Connected => Ok(true),
        peer::Event::Closed(why) => Err(why.to_string()),
        _ => Ok(false),
    }
}

/// Handles an event from the server.
async fn remote(leg: &mut CallLeg, event: Event) -> Result<(), String> {
    if let Some(problem) = problem(&event) {
        return Err(problem);
    }
    match event {
        Event::Candidate { candidate, .. } => {
            leg.peer.add_candidate(&candidate).await.map_err(|error| error.to_string())
        }
        Event::Digits { digits, .. } => {
            leg.digits = Some(digits);
            Ok(())
        }
        Event::Ended { .. } => Err("the call ended".to_owned()),
        _ => Ok(()),
    }
}

async fn same_digits(alices: &CallLeg, bobs: &CallLeg) -> Result<(), String> {
    let shown = |leg: &CallLeg| leg.digits.as_ref().map(ToString::to_string);
    match (shown(alices), shown(bobs)) {
        (Some(one), Some(other)) if one == other => Ok(()),
        (Some(_), Some(_)) => Err("they differ: somebody intercepts the call".to_owned()),
        _ => Err("a client has none".to_owned()),
    }
}

async fn signal(alice: &TestClient, alices: &CallLeg, bob: &mut TestClient) -> Result<(), String> {
    const SIGNAL: &str = "probe";
    alice.client.signal(alices.call, SIGNAL).await.map_err(|error| error.to_string())?;
    let received = bob
        .wait_for(|event| match event {
            Event::Signal { signal, .. } => Some(signal),
            _ => None,
        })
        .await?;
    if received == SIGNAL { Ok(()) } else { Err("it arrived changed".to_owned()) }
}

async fn hang_up(alice: &TestClient, alices: &CallLeg, bob: &mut TestClient) -> Result<(), String> {
    alice.client.end(alices.call).await.map_err(|error| error.to_string())?;
    let reason = bob
        .wait_for(|event| match event {
            Event::Ended { reason, .. } => Some(reason),
            _ => None,
        })
        .await?;
    match reason {
        Ending::Ended(EndReason::Hangup) | Ending::Unexplained => Ok(()),
        _ => Err("the callee was told another reason".to_owned()),
    }
}
