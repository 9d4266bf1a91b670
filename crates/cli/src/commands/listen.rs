//! `securecall listen`: waits for calls and answers them.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::{CallId, Client, Event, KeyChange, RejectReason};
use tokio::time::{Instant, sleep_until};

use crate::contact::Contact;
use crate::conversation::dial::dial;
use crate::conversation::end::{EndedCall, Side, Stage};
use crate::conversation::fingerprint::ExpectedKeys;
use crate::conversation::input::{self, Line};
use crate::conversation::link::{Arrival, Ringing};
use crate::conversation::options::Options;
use crate::conversation::screen::Screen;
use crate::conversation::session::Session;
use crate::conversation::{Conversation, key_check, on_other_call, reject_as_busy};
use crate::failure::Failure;

pub(crate) const NAME: &str = "listen";
pub(crate) const ABOUT: &str = "Wait for calls: chat and files, sealed end to end, over WebRTC";

/// Text below the help: use in scripts.
pub(crate) const HINTS: &str = "\
You are asked about each call at the terminal, unless --accept-from or
--accept-known accepts it. A key on first contact is never accepted without asking
unless its fingerprint is given: anybody can register a free id. The conversation
is that of securecall call, except that it goes on when the input ends. A service
that receives files from one person:

  securecall listen --accept-from alice=\"67819 27709 …\" --receive-into inbox < /dev/null";

#[derive(Debug, Args)]
struct Listen {
    /// Accept calls of this client without asking, and decline all others; may be repeated. With a
    /// fingerprint, also on first contact
    #[arg(long, value_name = "ID[=DIGITS]")]
    accept_from: Vec<Contact>,
    /// Accept calls of everybody with a known key without asking
    #[arg(long)]
    accept_known: bool,
    /// Stop after the first conversation
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    options: Options,
}

/// The decision of the flags about an incoming call.
enum Admission {
    Accept,
    Ask,
    Decline,
}

/// The result of a ringing call.
enum Decision {
    Accepted,
    Declined,
    /// The call ended or was not answered in time; the user has been told.
    Missed,
}

/// The next thing to do while waiting.
enum Next {
    Answer(Ringing),
    Dial(Contact),
    Stop,
}

/// Adds the flags of the command.
pub(crate) fn with_options(command: Command) -> Command {
    Listen::augment_args(command)
}

/// Answers one call after the other.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let listen = Listen::from_arg_matches(flags)?;
    if listen.asks() && !input::is_terminal() {
        return Err(Failure::NoTerminal);
    }
    let named = listen.accept_from.iter().filter_map(Contact::expected_key);
    let expected = ExpectedKeys::new(listen.options.fingerprint.iter().cloned().chain(named))?;
    Session::run(NAME, &listen.options, async |session| {
        session.screen.note("waiting for calls");
        listen.take_calls(session, &expected).await
    })
}

impl Listen {
    const fn asks(&self) -> bool {
        self.accept_from.is_empty() && !self.accept_known
    }

    async fn take_calls(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
    ) -> Result<(), Failure> {
        loop {
            let outcome = match self.wait(session, expected).await? {
                Next::Answer(ringing) => self.take_call(session, expected, ringing).await,
                Next::Dial(contact) => self.dial(session, expected, &contact).await.map(|()| true),
                Next::Stop => return Ok(()),
            };
            match outcome {
                // Without standard output or the user's consent, another call makes no sense.
                Err(failure) if failure.ends_listening() => return Err(failure),
                Ok(false) => {}
                result if self.once => return result.map(drop),
                Ok(true) => {}
                Err(failure) => session.screen.note(&failure.to_string()),
            }
            session.screen.note("waiting for calls");
        }
    }

    /// Calls somebody, as `securecall call` does.
    async fn dial(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
        contact: &Contact,
    ) -> Result<(), Failure> {
        let expected = contact.expected_beside(expected)?;
        let ready_by = Instant::now() + self.options.connect_timeout;
        let callee = (&contact.client_id, &expected);
        dial(session, &self.options, callee, ready_by).await?.run().await
    }

    /// Waits for a call, or for a command of the user.
    async fn wait(&self, session: &mut Session, expected: &ExpectedKeys) -> Result<Next, Failure> {
        loop {
            // A user's text has no receiver yet; a script's lines stay queued for the next
            // conversation.
            let reads = session.input.is_terminal() && !session.input.has_ended();
            if self.asks() && session.input.has_ended() {
                // No user is left who could be asked.
                return Ok(Next::Stop);
            }
            let event = tokio::select! {
                event = session.signals.next_of_running() => event?,
                cause = session.interrupt.raised() => return Err(Failure::Stopped(cause)),
                line = session.input.next(), if reads => match line {
                    Some(Ok(Line::Quit)) => return Ok(Next::Stop),
                    Some(Err(error)) => return Err(Failure::Input(error)),
                    Some(Ok(Line::Nothing)) | None => continue,
                    Some(Ok(Line::Call(who))) => match who.parse() {
                        Ok(contact) => return Ok(Next::Dial(contact)),
                        Err(error) => {
                            session.screen.note(&format!("/call {who}: {error}"));
                            continue;
                        }
                    },
                    Some(Ok(_)) => {
                        session.screen.note("you are not in a call: /call CLIENT_ID, /quit");
                        continue;
                    }
                },
            };
            let Session { client, screen, .. } = session;
            match Arrival::from(event) {
                Arrival::Call(ringing) => return Ok(Next::Answer(ringing)),
                Arrival::Other(Event::KeyChanged { call, change }) => {
                    on_changed_key(client, screen, expected, call, &change).await;
                }
                Arrival::Other(event) => on_other_call(client, screen, event).await,
            }
        }
    }

    /// Answers or rejects a call. Returns true if there was a conversation.
    async fn take_call(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
        mut ringing: Ringing,
    ) -> Result<bool, Failure> {
        match self.decide(session, expected, &mut ringing).await? {
            Decision::Accepted => {}
            Decision::Declined => {
                // An error means that the call has ended, so there is nothing left to reject.
                let _ = session.client.reject(ringing.call, RejectReason::Declined).await;
                return Ok(false);
            }
            Decision::Missed => return Ok(false),
        }
        let partner = ringing.partner.clone();
        let config = |servers: &_| self.options.peer_config(servers, session.receive.clone());
        let link = ringing.answer(&session.client, config).await?;
        Conversation::new(session, &self.options, partner, link).run().await?;
        Ok(true)
    }

    /// Shows the caller, and decides whether to accept the call.
    async fn decide(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
        ringing: &mut Ringing,
    ) -> Result<Decision, Failure> {
        let Ringing { partner, first_contact, .. } = &*ringing;
        let (caller, fingerprint) = (&partner.client_id, &partner.fingerprint);
        let screen = &session.screen;
        let given = expected.of(caller);
        if let Some(given) = given.filter(|given| given != fingerprint) {
            let failure = key_check::refuse(screen, caller, "you gave", given, fingerprint);
            screen.note(&failure.to_string());
            return Ok(Decision::Declined);
        }
        let is_new = *first_contact && given.is_none();
        let new = if is_new { " (first contact: compare it)" } else { "" };
        screen.note(&format!("{} calls, fingerprint {fingerprint}{new}", partner.name()));
        let decision = match self.admission(session, ringing, is_new) {
            Admission::Accept => Decision::Accepted,
            Admission::Ask => self.ask(session, ringing).await?,
            Admission::Decline => Decision::Declined,
        };
        if let Decision::Declined = decision {
            session.screen.note(&format!("declined the call of {}", ringing.partner.name()));
        }
        Ok(decision)
    }

    /// Decides by the flags. A key on first contact is never accepted without a person or a
    /// fingerprint: anybody can register a free id.
    fn admission(&self, session: &Session, ringing: &Ringing, is_new: bool) -> Admission {
        let caller = &ringing.partner.client_id;
        let named = self.accept_from.iter().any(|contact| contact.client_id == *caller);
        let can_ask = session.input.is_terminal() && !session.input.has_ended();
        match (self.asks(), named || self.accept_known, is_new) {
            (true, _, _) => Admission::Ask,
            (false, false, _) => Admission::Decline,
            (false, true, false) => Admission::Accept,
            (false, true, true) if can_ask => Admission::Ask,
            (false, true, true) => {
                session.screen.note(&format!(
                    "{who} has no known key, and nobody can be asked to compare it. If this is \
                     their key: --accept-from \"{who}={fingerprint}\"",
                    who = caller.as_str(),
                    fingerprint = ringing.partner.fingerprint
                ));
                Admission::Decline
            }
        }
    }

    /// Asks the user while the call rings. A new call of the same caller, after a lost connection,
    /// replaces the ringing one.
    async fn ask(&self, session: &mut Session, ringing: &mut Ringing) -> Result<Decision, Failure> {
        // A "y" that was typed before the question must not answer it.
        session.input.discard_pending();
        session.screen.note("accept? [y/n]");
        let Session { client, signals, screen, input, interrupt, .. } = session;
        let began = Instant::now();
        let deadline = began + self.options.ring_timeout;
        loop {
            let event = tokio::select! {
                cause = interrupt.raised() => return Err(Failure::Stopped(cause)),
                () = sleep_until(deadline) => {
                    // No reject is sent, so that the caller gets a timeout and not "declined".
                    screen.note(&missed(ringing, began).unanswered());
                    return Ok(Decision::Missed);
                }
                answer = input.answer() => match answer.map_err(Failure::Input)? {
                    Some(true) => return Ok(Decision::Accepted),
                    Some(false) => return Ok(Decision::Declined),
                    None => {
                        screen.note("accept? [y/n]");
                        continue;
                    }
                },
                event = signals.next_of_running() => event?,
            };
            match Arrival::from(event) {
                Arrival::Call(again) if again.is_of(&ringing.partner) => {
                    let before = std::mem::replace(ringing, again);
                    let _ = client.reject(before.call, RejectReason::Declined).await;
                }
                Arrival::Call(other) => reject_as_busy(client, screen, &other).await,
                Arrival::Other(Event::Ended { call, reason }) if call == ringing.call => {
                    screen.note(&missed(ringing, began).sentence(&reason));
                    return Ok(Decision::Missed);
                }
                Arrival::Other(event) => on_other_call(client, screen, event).await,
            }
        }
    }
}

/// Handles a call from a client with a changed key. It rings only if the user gave the new
/// fingerprint for that client.
async fn on_changed_key(
    client: &Client,
    screen: &Screen,
    expected: &ExpectedKeys,
    call: CallId,
    KeyChange { client_id, remembered, present, .. }: &KeyChange,
) {
    let shown = present.fingerprint().to_string();
    // An error of `trust` or `reject` means that the call has ended.
    match expected.of(client_id) {
        Some(given) if given == shown => {
            key_check::warn_of_replacement(screen, client_id, remembered, &shown);
            let _ = client.trust(present).await;
        }
        Some(given) => {
            let _ = key_check::refuse(screen, client_id, "you gave", given, &shown);
            let _ = client.reject(call, RejectReason::Declined).await;
        }
        None => {
            let _ = key_check::refuse(screen, client_id, "remembered", remembered, &shown);
            let _ = client.reject(call, RejectReason::Declined).await;
        }
    }
}

/// Describes a call that was not answered here.
fn missed(ringing: &Ringing, began: Instant) -> EndedCall<'_> {
    let who = ringing.partner.name();
    EndedCall { who, side: Side::Callee, stage: Stage::Ringing, rang: began.elapsed() }
}
