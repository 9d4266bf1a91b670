//! `securecall listen`: waits to be called.

use std::time::Duration;

use clap::{ArgMatches, Args, Command, FromArgMatches as _};
use securecall_client::{
    CallId, Client, ClientId, Event, Events, IceServer, KeyChange, RejectReason,
};
use securecall_peer::Peer;
use tokio::time::timeout;

use crate::conversation::input::Input;
use crate::conversation::options::Options;
use crate::conversation::screen::Screen;
use crate::conversation::{self, Conversation, on_other_call, signaling};
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
    conversation::runtime()?.block_on(async {
        let screen = Screen::new();
        let mut input = Input::start();
        if !input.is_terminal() && listen.accept_from.is_empty() && !listen.accept_all {
            return Err(Failure::NobodyToAsk);
        }
        let (client, mut signals) = signaling::connect(&listen.options, &screen).await?;
        screen.note("waiting for calls");
        let result = listen.take_calls(&client, &mut signals, &screen, &mut input).await;
        conversation::say_goodbye(client).await;
        result
    })
}

impl Listen {
    async fn take_calls(
        &self,
        client: &Client,
        signals: &mut Events,
        screen: &Screen,
        input: &mut Input,
    ) -> Result<(), Failure> {
        loop {
            let event = tokio::select! {
                event = signals.next() => event,
                _ = tokio::signal::ctrl_c() => return Err(Failure::Interrupted),
            };
            let ringing = match event {
                None => return Err(Failure::Talk("the client has stopped".to_owned())),
                Some(Event::Stopped(stop)) => return Err(Failure::Talk(stop.to_string())),
                Some(Event::Incoming {
                    call,
                    caller,
                    offer,
                    ice_servers,
                    fingerprint,
                    first_contact,
                }) => {
                    let fingerprint = fingerprint.to_string();
                    Ringing { call, caller, offer, ice_servers, fingerprint, first_contact }
                }
                Some(Event::KeyChanged { call, change }) => {
                    self.on_changed_key(client, screen, call, &change).await;
                    continue;
                }
                Some(Event::OfferRefused { caller, why }) => {
                    screen.note(&format!("a call of {} is refused: {why}", caller.as_str()));
                    continue;
                }
                Some(event) => {
                    on_other_call(client, screen, event).await;
                    continue;
                }
            };
            let Some(result) = self.take_call(client, signals, screen, input, ringing).await else {
                continue;
            };
            if self.once {
                return result;
            }
            match result {
                Err(Failure::Interrupted) => return Err(Failure::Interrupted),
                Err(failure) => screen.note(&format!("{failure}; waiting for calls")),
                Ok(()) => screen.note("hung up; waiting for calls"),
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
        change: &KeyChange,
    ) {
        let present = change.present.fingerprint().to_string();
        // Errors: the call is over.
        if self.options.fingerprint.as_ref() == Some(&present) {
            let _ = client.trust(&change.present).await;
        } else {
            let _ = signaling::refuse(
                screen,
                &change.client_id,
                "remembered",
                &change.remembered,
                &present,
            );
            let _ = client.reject(call, RejectReason::Declined).await;
        }
    }

    /// `None`: it did not come to a conversation.
    async fn take_call(
        &self,
        client: &Client,
        signals: &mut Events,
        screen: &Screen,
        input: &mut Input,
        ringing: Ringing,
    ) -> Option<Result<(), Failure>> {
        let Ringing { call, caller, offer, ice_servers, fingerprint, first_contact } = ringing;
        let decline = client.reject(call, RejectReason::Declined);
        let given = self.options.fingerprint.as_ref();
        if let Some(given) = given.filter(|given| **given != fingerprint) {
            let failure = signaling::refuse(screen, &caller, "you gave", given, &fingerprint);
            screen.note(&failure.to_string());
            let _ = decline.await;
            return None;
        }
        let is_new = first_contact && given.is_none();
        let new = if is_new { " (not seen before: compare it)" } else { "" };
        screen.note(&format!("{} calls, fingerprint {fingerprint}{new}", caller.as_str()));
        if !self.accepts(&caller, screen, input).await {
            let _ = decline.await;
            screen.note("declined");
            return None;
        }
        let config = self.options.peer_config(&ice_servers);
        let (peer, peer_events, answer) = match Peer::answer(config, &offer).await {
            Ok(answered) => answered,
            Err(error) => {
                let _ = decline.await;
                return Some(Err(Failure::Talk(error.to_string())));
            }
        };
        if let Err(error) = client.accept(call, answer).await {
            return Some(Err(Failure::Talk(error.to_string())));
        }
        let conversation = Conversation {
            client,
            signals,
            call,
            peer,
            peer_events,
            who: caller.as_str().to_owned(),
            options: &self.options,
            screen,
            input,
            ends_with_input: false,
        };
        Some(conversation.run().await)
    }

    async fn accepts(&self, caller: &ClientId, screen: &Screen, input: &mut Input) -> bool {
        if self.accept_all || self.accept_from.contains(caller) {
            return true;
        }
        if !self.accept_from.is_empty() || !input.is_terminal() {
            return false;
        }
        screen.note("accept? [y/N]");
        // A call rings no longer.
        let answer = timeout(RINGING_MAX, input.next()).await.ok().flatten().unwrap_or_default();
        matches!(answer.trim(), "y" | "Y" | "yes")
    }
}
