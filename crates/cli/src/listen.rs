//! `securecall listen`: waits to be called.

use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::{CallId, Client, ClientId, Event, IceServer, KeyChange, RejectReason};
use securecall_peer::Peer;
use tokio::time::{Instant, sleep_until};

use crate::conversation::input::{self, Line};
use crate::conversation::options::Options;
use crate::conversation::screen::Screen;
use crate::conversation::session::Session;
use crate::conversation::{Conversation, acquaintance, on_other_call};
use crate::failure::Failure;

pub(crate) const NAME: &str = "listen";
pub(crate) const ABOUT: &str = "Wait to be called: chat and files, sealed end to end, over WebRTC";

/// How to use it in a script.
pub(crate) const HINTS: &str = "\
Who calls is asked about on the terminal, unless --accept-from names them. The
conversation is that of securecall call, except that it goes on when the input
ends. A service that takes files from one person:

  securecall listen --accept-from alice --receive-into inbox < /dev/null";

#[derive(Debug, Args)]
struct Listen {
    /// Accept calls of this client without asking; also several times. Others are declined
    #[arg(long, value_name = "CLIENT_ID", value_parser = |text: &str| ClientId::try_from(text))]
    accept_from: Vec<ClientId>,
    /// Accept every call without asking
    #[arg(long, conflicts_with = "accept_from")]
    accept_all: bool,
    /// Stop after the first conversation
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    options: Options,
}

/// How long the person may think.
const RINGING_MAX: Duration = Duration::from_secs(60);

/// A call that rings.
struct Ringing {
    call: CallId,
    caller: ClientId,
    offer: String,
    ice_servers: Vec<IceServer>,
    /// Of the key that the offer was opened with.
    fingerprint: String,
    first_contact: bool,
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
    Session::run(&listen.options, async |session| {
        session.screen.note("waiting for calls");
        listen.take_calls(session).await
    })
}

impl Listen {
    const fn asks(&self) -> bool {
        self.accept_from.is_empty() && !self.accept_all
    }

    async fn take_calls(&self, session: &mut Session) -> Result<(), Failure> {
        while let Some(ringing) = self.wait(session).await? {
            let outcome = match self.take_call(session, ringing).await {
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
    async fn wait(&self, session: &mut Session) -> Result<Option<Ringing>, Failure> {
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
            match event {
                Event::Incoming {
                    call,
                    caller,
                    offer,
                    ice_servers,
                    fingerprint,
                    first_contact,
                    ..
                } => {
                    let fingerprint = fingerprint.to_string();
                    let ringing =
                        Ringing { call, caller, offer, ice_servers, fingerprint, first_contact };
                    return Ok(Some(ringing));
                }
                Event::KeyChanged { call, change } => {
                    self.on_changed_key(client, screen, call, &change).await;
                }
                Event::OfferRefused { caller, why } => {
                    screen.note(&format!("a call of {} is refused: {why}", caller.as_str()));
                }
                event => on_other_call(client, screen, event).await,
            }
        }
    }

    /// A call whose maker's key is not the one remembered rings only if the person gave the
    /// present fingerprint.
    async fn on_changed_key(
        &self,
        client: &Client,
        screen: &Screen,
        call: CallId,
        KeyChange { client_id, remembered, present, .. }: &KeyChange,
    ) {
        let shown = present.fingerprint().to_string();
        // Errors: the call is over.
        if self.options.fingerprint.as_ref() == Some(&shown) {
            let _ = client.trust(present).await;
        } else {
            let _ = acquaintance::refuse(screen, client_id, "remembered", remembered, &shown);
            let _ = client.reject(call, RejectReason::Declined).await;
        }
    }

    /// Returns whether there was a conversation.
    async fn take_call(&self, session: &mut Session, ringing: Ringing) -> Result<bool, Failure> {
        if !self.accepts(session, &ringing).await? {
            // An error: it rings no longer.
            let _ = session.client.reject(ringing.call, RejectReason::Declined).await;
            return Ok(false);
        }
        let Ringing { call, caller, offer, ice_servers, .. } = ringing;
        let config = self.options.peer_config(&ice_servers);
        let (peer, peer_events, answer) = match Peer::answer(config, &offer).await {
            Ok(answered) => answered,
            Err(error) => {
                let _ = session.client.reject(call, RejectReason::Declined).await;
                return Err(Failure::Talk(error.to_string()));
            }
        };
        let accepted = session.client.accept(call, answer).await;
        accepted.map_err(|error| Failure::Talk(error.to_string()))?;
        let peer = (peer, peer_events);
        Conversation::new(session, &self.options, caller.as_str(), call, peer).run().await?;
        Ok(true)
    }

    /// Shows who calls, and finds out whether that is welcome.
    async fn accepts(&self, session: &mut Session, ringing: &Ringing) -> Result<bool, Failure> {
        let Ringing { caller, fingerprint, first_contact, .. } = ringing;
        let screen = &session.screen;
        let given = self.options.fingerprint.as_ref();
        if let Some(given) = given.filter(|given| *given != fingerprint) {
            let failure = acquaintance::refuse(screen, caller, "you gave", given, fingerprint);
            screen.note(&failure.to_string());
            return Ok(false);
        }
        let is_new = *first_contact && given.is_none();
        let new = if is_new { " (not seen before: compare it)" } else { "" };
        screen.note(&format!("{} calls, fingerprint {fingerprint}{new}", caller.as_str()));
        let accepts = match self.asks() {
            true => ask(session, ringing.call).await?,
            false => self.accept_all || self.accept_from.contains(caller),
        };
        if !accepts {
            session.screen.note("declined");
        }
        Ok(accepts)
    }
}

/// Asks the person, for as long as it rings.
async fn ask(session: &mut Session, call: CallId) -> Result<bool, Failure> {
    // A "y" that was typed before the question is no answer to it.
    session.input.forget_what_waits();
    session.screen.note("accept? [y/N]");
    let Session { client, signals, screen, input, interrupt } = session;
    let deadline = Instant::now() + RINGING_MAX;
    loop {
        let event = tokio::select! {
            () = interrupt.raised() => return Err(Failure::Interrupted),
            () = sleep_until(deadline) => return Ok(false),
            line = input.next() => return is_yes(line),
            event = signals.next_of_running() => event?,
        };
        match event {
            Event::Ended { call: ended, .. } if ended == call => {
                screen.note("they do not wait any longer");
                return Ok(false);
            }
            event => on_other_call(client, screen, event).await,
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
