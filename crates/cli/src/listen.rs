//! `securecall listen`: waits to be called.

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::{CallId, Client, Event, KeyChange, RejectReason};
use tokio::time::{Instant, sleep_until};

use crate::conversation::fingerprint::{Contact, ExpectedKeys};
use crate::conversation::input::{self, Line};
use crate::conversation::link::{Arrival, Ringing};
use crate::conversation::options::Options;
use crate::conversation::screen::Screen;
use crate::conversation::session::Session;
use crate::conversation::{Conversation, acquaintance, on_other_call, reject_as_busy};
use crate::failure::Failure;

pub(crate) const NAME: &str = "listen";
pub(crate) const ABOUT: &str = "Wait to be called: chat and files, sealed end to end, over WebRTC";

/// How to use it in a script.
pub(crate) const HINTS: &str = "\
Who calls is asked about on the terminal, unless --accept-from or --accept-known
says who is welcome. Somebody whose key is not remembered yet is never accepted
unasked without a fingerprint: anybody can register a name. The conversation is
that of securecall call, except that it goes on when the input ends. A service
that takes files from one person:

  securecall listen --accept-from alice=\"67819 27709 …\" --receive-into inbox < /dev/null";

#[derive(Debug, Args)]
struct Listen {
    /// Accept calls of this client without asking; also several times. Others are declined. With
    /// the fingerprint also at the first contact
    #[arg(long, value_name = "ID[=DIGITS]")]
    accept_from: Vec<Contact>,
    /// Accept calls of everybody whose key is remembered without asking
    #[arg(long)]
    accept_known: bool,
    /// Stop after the first conversation
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    options: Options,
}

/// What is done with a call.
enum Welcome {
    Accept,
    Ask,
    Decline,
}

/// The command with its options.
pub(crate) fn with_options(command: Command) -> Command {
    Listen::augment_args(command)
}

/// Takes one call after the other.
pub(crate) fn run(flags: &ArgMatches) -> Result<(), Failure> {
    let listen = Listen::from_arg_matches(flags)?;
    if listen.asks() && !input::is_terminal() {
        return Err(Failure::NobodyToAsk);
    }
    let named = listen.accept_from.iter().filter_map(Contact::expected_key);
    let expected = ExpectedKeys::new(listen.options.fingerprint.iter().cloned().chain(named))?;
    Session::run(&listen.options, async |session| {
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
        while let Some(ringing) = self.wait(session, expected).await? {
            let outcome = match self.take_call(session, expected, ringing).await {
                Ok(false) => continue,
                // What comes later would be heard by nobody either.
                Err(failure @ (Failure::Interrupted | Failure::Output(_))) => return Err(failure),
                result if self.once => return result.map(drop),
                Ok(true) => "hung up".to_owned(),
                Err(failure) => failure.to_string(),
            };
            session.screen.note(&format!("{outcome}; waiting for calls"));
        }
        Ok(())
    }

    /// Waits for a call. `None`: the person does not want to wait any longer.
    async fn wait(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
    ) -> Result<Option<Ringing>, Failure> {
        loop {
            // What a person types now is for nobody; a script's lines wait for somebody.
            let reads = session.input.is_terminal() && !session.input.has_ended();
            if self.asks() && session.input.has_ended() {
                // Nobody can be asked any more.
                return Ok(None);
            }
            let event = tokio::select! {
                event = session.signals.next_of_running() => event?,
                () = session.interrupt.raised() => return Err(Failure::Interrupted),
                line = session.input.next(), if reads => match line {
                    Some(Ok(Line::Quit)) => return Ok(None),
                    Some(Err(error)) => return Err(Failure::Input(error)),
                    Some(Ok(Line::Nothing)) | None => continue,
                    Some(Ok(_)) => {
                        session.screen.note("nobody hears that: /quit stops waiting");
                        continue;
                    }
                },
            };
            let Session { client, screen, .. } = session;
            match Arrival::from(event) {
                Arrival::Call(ringing) => return Ok(Some(ringing)),
                Arrival::Other(Event::KeyChanged { call, change }) => {
                    on_changed_key(client, screen, expected, call, &change).await;
                }
                Arrival::Other(event) => on_other_call(client, screen, event).await,
            }
        }
    }

    /// Returns whether there was a conversation.
    async fn take_call(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
        mut ringing: Ringing,
    ) -> Result<bool, Failure> {
        if !self.accepts(session, expected, &mut ringing).await? {
            // An error: it rings no longer.
            let _ = session.client.reject(ringing.call, RejectReason::Declined).await;
            return Ok(false);
        }
        let partner = ringing.partner.clone();
        let config = |servers: &_| self.options.peer_config(servers, session.receive.clone());
        let link = ringing.answer(&session.client, config).await?;
        Conversation::new(session, &self.options, partner, link).run().await?;
        Ok(true)
    }

    /// Shows who calls, and finds out whether that is welcome.
    async fn accepts(
        &self,
        session: &mut Session,
        expected: &ExpectedKeys,
        ringing: &mut Ringing,
    ) -> Result<bool, Failure> {
        let Ringing { partner, first_contact, .. } = &*ringing;
        let (caller, fingerprint) = (&partner.client_id, &partner.fingerprint);
        let screen = &session.screen;
        let given = expected.of(caller);
        if let Some(given) = given.filter(|given| given != fingerprint) {
            let failure = acquaintance::refuse(screen, caller, "you gave", given, fingerprint);
            screen.note(&failure.to_string());
            return Ok(false);
        }
        let is_new = *first_contact && given.is_none();
        let new = if is_new { " (not seen before: compare it)" } else { "" };
        screen.note(&format!("{} calls, fingerprint {fingerprint}{new}", partner.name()));
        let accepts = match self.welcome(session, ringing, is_new) {
            Welcome::Accept => true,
            Welcome::Ask => self.ask(session, ringing).await?,
            Welcome::Decline => false,
        };
        if !accepts {
            session.screen.note("declined");
        }
        Ok(accepts)
    }

    /// A key that nobody has compared is accepted by a person alone: whoever came first with that
    /// name has it.
    fn welcome(&self, session: &Session, ringing: &Ringing, is_new: bool) -> Welcome {
        let caller = &ringing.partner.client_id;
        let named = self.accept_from.iter().any(|contact| contact.client_id == *caller);
        let can_ask = session.input.is_terminal() && !session.input.has_ended();
        match (self.asks(), named || self.accept_known, is_new) {
            (true, _, _) => Welcome::Ask,
            (false, false, _) => Welcome::Decline,
            (false, true, false) => Welcome::Accept,
            (false, true, true) if can_ask => Welcome::Ask,
            (false, true, true) => {
                session.screen.note(&format!(
                    "no key of {who} is remembered, and nobody is here to compare it. If it is \
                     theirs: --accept-from \"{who}={fingerprint}\"",
                    who = caller.as_str(),
                    fingerprint = ringing.partner.fingerprint
                ));
                Welcome::Decline
            }
        }
    }

    /// Asks the person, for as long as it rings. A caller who fell out and calls again meanwhile
    /// takes the place of the call before.
    async fn ask(&self, session: &mut Session, ringing: &mut Ringing) -> Result<bool, Failure> {
        // A "y" that was typed before the question is no answer to it.
        session.input.forget_what_waits();
        session.screen.note("accept? [y/N]");
        let Session { client, signals, screen, input, interrupt, .. } = session;
        let deadline = Instant::now() + self.options.ring_timeout;
        loop {
            let event = tokio::select! {
                () = interrupt.raised() => return Err(Failure::Interrupted),
                () = sleep_until(deadline) => return Ok(false),
                line = input.next() => return is_yes(line),
                event = signals.next_of_running() => event?,
            };
            match Arrival::from(event) {
                Arrival::Call(again) if again.is_of(&ringing.partner) => {
                    let before = std::mem::replace(ringing, again);
                    let _ = client.reject(before.call, RejectReason::Declined).await;
                }
                Arrival::Call(other) => reject_as_busy(client, screen, &other).await,
                Arrival::Other(Event::Ended { call, .. }) if call == ringing.call => {
                    screen.note("they do not wait any longer");
                    return Ok(false);
                }
                Arrival::Other(event) => on_other_call(client, screen, event).await,
            }
        }
    }
}

/// A call whose maker's key is not the one remembered rings only if the person gave the present
/// fingerprint for that caller.
async fn on_changed_key(
    client: &Client,
    screen: &Screen,
    expected: &ExpectedKeys,
    call: CallId,
    KeyChange { client_id, remembered, present, .. }: &KeyChange,
) {
    let shown = present.fingerprint().to_string();
    // Errors: the call is over.
    match expected.of(client_id) {
        Some(given) if given == shown => {
            acquaintance::replace(screen, client_id, remembered, &shown);
            let _ = client.trust(present).await;
        }
        Some(given) => {
            let _ = acquaintance::refuse(screen, client_id, "you gave", given, &shown);
            let _ = client.reject(call, RejectReason::Declined).await;
        }
        None => {
            let _ = acquaintance::refuse(screen, client_id, "remembered", remembered, &shown);
            let _ = client.reject(call, RejectReason::Declined).await;
        }
    }
}

fn is_yes(line: Option<std::io::Result<Line>>) -> Result<bool, Failure> {
    match line.transpose().map_err(Failure::Input)? {
        Some(Line::Say(text)) => {
            Ok(["y", "yes"].iter().any(|yes| text.trim().eq_ignore_ascii_case(yes)))
        }
        _ => Ok(false),
    }
}
