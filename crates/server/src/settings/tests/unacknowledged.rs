//! The effect on a session of the bounds for unacknowledged messages.

use std::time::Duration;

use securecall_core::{Config, Context, Instant, Output, Session, UnixTime};
use securecall_protocol::{ClientId, Dialect, Registration, ServerMessage};

use super::World;

struct Client {
    config: Config,
    session: Session,
    token: String,
    now: Instant,
}

impl Client {
    /// Registers in dialect 2 at a server with this flag.
    fn with(flag: &str) -> Self {
        let settings = World::new().flag(flag).load().unwrap().settings;
        let config = settings.core_config(&[7; 32]);
        let client_id = ClientId::try_from("alice").unwrap();
        let now = Instant::from_millis(1_000_000);
        let session = Session::new(client_id, UnixTime::from_millis(0), &context(&config, now));
        let mut client = Self { config, session, token: String::new(), now };
        client.register(0);
        client
    }

    /// Registers again after that number. Returns true if the session was resumed.
    fn register(&mut self, last_seq: u64) -> bool {
        let registration = Registration {
            client_id: ClientId::try_from("alice").unwrap(),
            dialect: Dialect::Two,
            resume_token: Some(self.token.clone().into()),
            last_seq,
            calls: Vec::new(),
        };
        let cx = context(&self.config, self.now);
        let outputs = self.session.attach(&cx, &registration, None);
        let Some(Output::Send(reply)) = outputs.first() else { panic!("no answer") };
        let ServerMessage::Registered(registered) = &reply.message else { panic!("no REGISTERED") };
        let resumption = registered.resumption.as_ref().unwrap();
        self.token = resumption.resume_token.to_string();
        resumption.resumed
    }

    fn is_sent_a_message(&mut self) {
        let cx = context(&self.config, self.now);
        self.session.reply(&cx, ServerMessage::HeartbeatAck, None).unwrap();
    }
}

fn context(config: &Config, now: Instant) -> Context<'_> {
    let unix = UnixTime::from_millis(now.as_millis());
    Context { now, unix, config, nonce: &|| [1; 24] }
}

#[test]
fn the_number_of_unacknowledged_messages_is_bounded() {
    let mut client = Client::with("--waiting-count-max=7");
    for _ in 0..10 {
        client.is_sent_a_message();
    }
    assert_eq!(client.session.waiting_count(), 7);
    assert!(client.register(3), "the last seven are there");
    let mut client = Client::with("--waiting-count-max=7");
    for _ in 0..10 {
        client.is_sent_a_message();
    }
    assert!(!client.register(2));
}

#[test]
fn the_age_of_unacknowledged_messages_is_bounded() {
    for (passed, resumes) in [(31_000, true), (31_001, false)] {
        let mut client = Client::with("--waiting-age-max=31s");
        client.is_sent_a_message();
        client.now = client.now + Duration::from_millis(passed);
        client.is_sent_a_message();
        assert_eq!(client.register(0), resumes, "after {passed} ms");
    }
}
