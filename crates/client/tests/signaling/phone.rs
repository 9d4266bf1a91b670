//! A client with its events, as a test holds it.

use std::time::Duration;

use securecall_client::{
    CallId, Client, ClientId, Event, Events, Identity, KnownKeys, Seed, Settings, Suite,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Phone {
    pub(crate) client: Client,
    pub(crate) events: Events,
}

pub(crate) fn id(text: &str) -> ClientId {
    text.try_into().unwrap()
}

pub(crate) fn identity(name: &str) -> Identity {
    Identity::new(name, &Seed::generate(&mut rand::rng()), Suite::XWing).unwrap()
}

impl Phone {
    pub(crate) fn connecting(url: &str, identity: Identity) -> Self {
        Self::with(Settings::new(url, identity))
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let (client, events) = Client::connect(settings).unwrap();
        Self { client, events }
    }

    pub(crate) fn knowing(url: &str, identity: Identity, known_keys: KnownKeys) -> Self {
        Self::with(Settings::new(url, identity).known_keys(known_keys))
    }

    /// One that is registered, and has published its key.
    pub(crate) async fn on(url: &str, name: &str) -> Self {
        let mut phone = Self::connecting(url, identity(name));
        phone.client.registered().await.unwrap();
        phone.is_registered().await;
        phone
    }

    /// The next event that is so; others are passed over.
    pub(crate) async fn hears<T>(
        &mut self,
        what: &str,
        mut is_it: impl FnMut(&Event) -> Option<T>,
    ) -> T {
        let mut passed = Vec::new();
        let search = async {
            loop {
                let event = self.events.next().await.expect("the client should run");
                match is_it(&event) {
                    Some(found) => return found,
                    None => passed.push(format!("{event:?}")),
                }
            }
        };
        match tokio::time::timeout(PATIENCE, search).await {
            Ok(found) => found,
            Err(_) => panic!("{what} did not come; these did: {passed:#?}"),
        }
    }

    /// Waits until it is called; the call and the offer.
    pub(crate) async fn is_called(&mut self) -> (CallId, String) {
        self.hears("a call", |event| match event {
            Event::Incoming { call, offer, .. } => Some((*call, offer.clone())),
            _ => None,
        })
        .await
    }

    pub(crate) async fn is_answered(&mut self) -> String {
        self.hears("an answer", |event| match event {
            Event::Accepted { answer, .. } => Some(answer.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn hears_candidate(&mut self) -> String {
        self.hears("a candidate", |event| match event {
            Event::Candidate { candidate, .. } => Some(candidate.clone()),
            Event::MessagesMissed { .. } => panic!("messages were lost"),
            _ => None,
        })
        .await
    }

    pub(crate) async fn hears_signal(&mut self) -> String {
        self.hears("a signal", |event| match event {
            Event::Signal { signal, .. } => Some(signal.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until it is registered, once more. Whether it was resumed.
    pub(crate) async fn is_registered(&mut self) -> bool {
        self.hears("a registration", |event| match event {
            Event::Registered { resumed, .. } => Some(*resumed),
            _ => None,
        })
        .await
    }
}

/// Two phones in an answered call.
pub(crate) struct Pair {
    pub(crate) alice: Phone,
    pub(crate) bob: Phone,
    pub(crate) alices: CallId,
    pub(crate) bobs: CallId,
}

impl Pair {
    /// The call is made through these addresses.
    pub(crate) async fn calling(url_alice: &str, url_bob: &str) -> Self {
        let mut bob = Phone::on(url_bob, "bob").await;
        let mut alice = Phone::on(url_alice, "alice").await;
        let alices = alice.client.call(&id("bob"), "v=0 offer").await.unwrap();
        let (bobs, offer) = bob.is_called().await;
        assert_eq!(offer, "v=0 offer");
        bob.client.accept(bobs, "v=0 answer").await.unwrap();
        assert_eq!(alice.is_answered().await, "v=0 answer");
        Self { alice, bob, alices, bobs }
    }

    /// Each still gets what the other one sends.
    pub(crate) async fn talk(&mut self, text: &str) {
        self.alice.client.signal(self.alices, text).await.unwrap();
        assert_eq!(self.bob.hears_signal().await, text);
        self.bob.client.signal(self.bobs, text).await.unwrap();
        assert_eq!(self.alice.hears_signal().await, text);
    }
}
