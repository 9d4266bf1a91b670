//! The application's handle.

use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId};
use str0m::{Candidate, Rtc};
use tokio::sync::{mpsc, oneshot};

use crate::allowance::Allowance;
use crate::driver::{BUFFERED_BYTES_MAX, Driver, Queues};
use crate::frame::{Frame, MESSAGE_BYTES_MAX, Message, TEXT_BYTES_MAX};
use crate::inbox::Inbox;
use crate::outbox::{self, Outbox};
use crate::turn_server::TurnServer;
use crate::verdict::verdicts;
use crate::{Config, Error, Events, Policy, candidate};

/// The label of the channel. It names the version of the protocol on it.
pub(crate) const LABEL: &str = "securecall-chat-1";

/// Files that wait to be sent.
const FILES_WAITING_MAX: usize = 64;
/// Messages that wait for room in the channel: at most 1 MiB.
const MESSAGES_WAITING_MAX: usize = 16;
/// Events that wait for the application, and messages that wait for the disk.
const EVENTS_WAITING_MAX: usize = 64;

/// One end of a connection. Dropping it closes the connection, as [`Peer::close`] does.
#[derive(Debug)]
pub struct Peer {
    commands: mpsc::Sender<Command>,
    outgoing: mpsc::Sender<Message>,
    files: mpsc::Sender<PathBuf>,
}

/// What the application asks of the driver.
pub(crate) enum Command {
    Answer(SdpAnswer, oneshot::Sender<Result<(), Error>>),
    Candidate(Box<Candidate>),
    Close,
}

impl Peer {
    /// The end that offers. Gives the SDP for the other end; candidates follow as events. It waits
    /// for the answer without a limit of its own.
    ///
    /// # Errors
    /// [`Error::NoRelay`], [`Error::Thread`].
    pub async fn offer(config: Config) -> Result<(Self, Events, String), Error> {
        let mut rtc = new_rtc();
        let mut change = rtc.sdp_api();
        let label = LABEL.to_owned();
        let channel = change.add_channel_with_config(ChannelConfig { label, ..Default::default() });
        let (offer, pending) = change.apply().ok_or(Error::Closed)?;
        let offered = Offered { channel, pending };
        let (peer, events) = Self::start(rtc, Some(offered), config)?;
        Ok((peer, events, offer.to_sdp_string()))
    }

    /// The end that answers. Gives the SDP for the other end.
    ///
    /// # Errors
    /// [`Error::Offer`], [`Error::NoRelay`], [`Error::Thread`].
    pub async fn answer(config: Config, offer: &str) -> Result<(Self, Events, String), Error> {
        let mut rtc = new_rtc();
        let answer = SdpOffer::from_sdp_string(offer)
            .map_err(|error| Error::Offer(error.to_string()))
            .and_then(|offer| {
                let accepted = rtc.sdp_api().accept_offer(offer);
                accepted.map_err(|error| Error::Offer(error.to_string()))
            })?;
        if !has_data_channel(offer) {
            return Err(Error::Offer("it has no data channel".to_owned()));
        }
        let (peer, events) = Self::start(rtc, None, config)?;
        Ok((peer, events, answer.to_sdp_string()))
    }

    /// Takes the other end's answer to our offer.
    ///
    /// # Errors
    /// [`Error::Answer`], [`Error::NothingOffered`], [`Error::Closed`].
    pub async fn accept_answer(&self, answer: &str) -> Result<(), Error> {
        if !has_data_channel(answer) {
            return Err(Error::Answer("it has no data channel".to_owned()));
        }
        let answer = SdpAnswer::from_sdp_string(answer);
        let answer = answer.map_err(|error| Error::Answer(error.to_string()))?;
        let (done, accepted) = oneshot::channel();
        self.command(Command::Answer(answer, done)).await?;
        accepted.await.map_err(|_| Error::Closed)?
    }

    /// Takes a candidate of the other end, the JSON of an `RTCIceCandidateInit`. Candidates may
    /// come before the answer, and more than once. Beyond the first 64 they are ignored.
    ///
    /// # Errors
    /// [`Error::Candidate`], [`Error::Closed`].
    pub async fn add_candidate(&self, json: &str) -> Result<(), Error> {
        match candidate::from_json(json)? {
            Some(candidate) => self.command(Command::Candidate(Box::new(candidate))).await,
            None => Ok(()),
        }
    }

    /// Sends a chat line. Before the channel is open it waits for it; it returns when there is
    /// room.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::Closed`].
    pub async fn send_text(&self, text: &str) -> Result<(), Error> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(Error::TextTooLong(text.len()));
        }
        let message = Message::Frame(Frame::Text { text: text.to_owned() });
        self.outgoing.send(message).await.map_err(|_| Error::Closed)
    }

    /// Sends a file, after those that were asked for before. What becomes of it is told by
    /// [`FileSent`](crate::Event::FileSent) or [`FileFailed`](crate::Event::FileFailed).
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub async fn send_file(&self, path: impl Into<PathBuf>) -> Result<(), Error> {
        self.files.send(path.into()).await.map_err(|_| Error::Closed)
    }

    /// Closes the connection once what was written is with the other end, but within five seconds.
    /// A file that is under way is given up. [`Closed`](crate::Event::Closed) follows.
    pub async fn close(&self) {
        // An error: it is closed already.
        let _ = self.command(Command::Close).await;
    }

    async fn command(&self, command: Command) -> Result<(), Error> {
        self.commands.send(command).await.map_err(|_| Error::Closed)
    }

    fn start(rtc: Rtc, offered: Option<Offered>, config: Config) -> Result<(Self, Events), Error> {
        let relays = TurnServer::all(&config.ice_servers);
        if config.policy == Policy::Relay && relays.is_empty() {
            return Err(Error::NoRelay);
        }
        let (commands, command_queue) = mpsc::channel(MESSAGES_WAITING_MAX);
        let (outgoing, outgoing_queue) = mpsc::channel(MESSAGES_WAITING_MAX);
        let (files, file_queue) = mpsc::channel(FILES_WAITING_MAX);
        let (events, event_queue) = mpsc::channel(EVENTS_WAITING_MAX);
        let (replies, reply_queue) = mpsc::channel(EVENTS_WAITING_MAX);
        let (verdicts, to_await) = verdicts();
        let (messages, message_queue) = mpsc::channel(EVENTS_WAITING_MAX);
        let (stopped, violation) = oneshot::channel();

        let allowance = Allowance::new(config.receive.clone());
        let inbox = Inbox { allowance, events: events.clone(), replies, verdicts };
        spawn("inbox", move || inbox.run(message_queue, stopped))?;
        let (outbox_outgoing, outbox_events) = (outgoing.clone(), events.clone());
        let outbox = Outbox {
            outgoing: outbox_outgoing,
            verdicts: to_await,
            events: outbox_events,
            patience: outbox::PATIENCE,
        };
        spawn("outbox", move || outbox.run(file_queue))?;

        let queues = Queues {
            commands: command_queue,
            outgoing: outgoing_queue,
            replies: reply_queue,
            inbox: messages,
            violation,
            events,
        };
        tokio::spawn(Driver::new(rtc, offered, &config, queues).run(config, relays));
        Ok((Self { commands, outgoing, files }, Events::new(event_queue)))
    }
}

/// An offer that waits for its answer.
pub(crate) struct Offered {
    pub(crate) channel: ChannelId,
    pub(crate) pending: SdpPendingOffer,
}

fn new_rtc() -> Rtc {
    Rtc::builder()
        .clear_codecs()
        .set_sctp_max_buffered_amount(BUFFERED_BYTES_MAX)
        .set_sctp_max_message_size(MESSAGE_BYTES_MAX as u32)
        .build(Instant::now())
}

/// Whether SDP has a data channel (RFC 8841).
fn has_data_channel(sdp: &str) -> bool {
    sdp.lines()
        .any(|line| line.starts_with("m=application ") && !line.starts_with("m=application 0 "))
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), Error> {
    let thread = thread::Builder::new().name(format!("peer-{name}"));
    thread.spawn(run).map(drop).map_err(|_| Error::Thread)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::{Closed, Event, HostAddresses, Violation};

    /// A misbehaving end can only be made from inside: `Peer` sends nothing wrong.
    #[tokio::test]
    async fn what_the_protocol_does_not_allow_ends_the_connection_at_both_ends() {
        let loopback = Config {
            host_addresses: HostAddresses::These(vec![Ipv4Addr::LOCALHOST.into()]),
            ..Config::default()
        };
        let (bad, mut bads_events, offer) = Peer::offer(loopback.clone()).await.unwrap();
        let (good, mut goods_events, answer) = Peer::answer(loopback, &offer).await.unwrap();
        bad.accept_answer(&answer).await.unwrap();
        bad.outgoing.send(Message::Chunk(vec![1])).await.unwrap();
        let (mut bads_end, mut goods_end) = (None, None);
        while bads_end.is_none() || goods_end.is_none() {
            let (event, other, end) = tokio::select! {
                Some(event) = bads_events.next() => (event, &good, &mut bads_end),
                Some(event) = goods_events.next() => (event, &bad, &mut goods_end),
            };
            match event {
                Event::Candidate(json) => other.add_candidate(&json).await.unwrap(),
                Event::Closed(closed) => *end = Some(closed),
                _ => {}
            }
        }
        assert_eq!(goods_end, Some(Closed::Violation(Violation::NoFile)));
        assert_eq!(bads_end, Some(Closed::Remote));
    }
}
