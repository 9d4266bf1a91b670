//! The application's handle.

use std::path::PathBuf;
use std::thread;
use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId};
use str0m::{Candidate, Rtc};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use crate::channel::allowance::Allowance;
use crate::channel::frame::{Frame, MESSAGE_BYTES_MAX, Message, TEXT_BYTES_MAX};
use crate::channel::inbox::Inbox;
use crate::channel::outbox::{self, Outbox};
use crate::channel::verdict::verdicts;
use crate::driver::{BUFFERED_BYTES_MAX, Driver, Queues};
use crate::ice::candidate;
use crate::ice::sdp::{REMOTE_CANDIDATES_MAX, Remote, has_data_channel, mid};
use crate::turn::turn_server::TurnServer;
use crate::{Config, Error, Events, Policy};

/// The label of the channel. It names the version of the protocol on it.
pub(crate) const LABEL: &str = "securecall-chat-1";

/// The queue of files to be sent.
const FILES_WAITING_MAX: usize = 64;
/// The queue of messages for the channel: at most 1 MiB.
const MESSAGES_WAITING_MAX: usize = 16;
/// The queues of lines and files for the application, and of messages for the disk.
const EVENTS_WAITING_MAX: usize = 64;
/// The queue of the connection's own events: our candidates, which are at most 48 (`host.rs`), and
/// one each of the others. The driver never waits for the application, so all of them must fit.
const CONNECTION_EVENTS_MAX: usize = 64;

/// One end of a connection. Dropping it closes the connection, as [`Peer::close`] does.
#[derive(Debug)]
pub struct Peer {
    commands: mpsc::Sender<Command>,
    candidates: mpsc::Sender<Candidate>,
    outgoing: mpsc::Sender<Message>,
    files: mpsc::Sender<PathBuf>,
}

/// A command of the application to the driver.
pub(crate) enum Command {
    Answer(Box<SdpAnswer>, Vec<Candidate>, oneshot::Sender<Result<(), Error>>),
    Close,
}

impl Peer {
    /// Creates the end that offers. Returns the SDP for the other end; candidates follow as events.
    /// There is no time limit for the answer.
    ///
    /// # Errors
    /// [`Error::NoRelay`], [`Error::Thread`].
    pub async fn offer(config: Config) -> Result<(Self, Events, String), Error> {
        let mut rtc = new_rtc();
        let mut change = rtc.sdp_api();
        let label = LABEL.to_owned();
        let channel = change.add_channel_with_config(ChannelConfig { label, ..Default::default() });
        let (offer, pending) = change.apply().ok_or(Error::Closed)?;
        let offer = offer.to_sdp_string();
        let mid = mid(&offer).unwrap_or_default().to_owned();
        let known = Known { mid, offered: Some(Offered { channel, pending }), candidates: vec![] };
        let (peer, events) = Self::start(rtc, known, config)?;
        Ok((peer, events, offer))
    }

    /// The end that answers. Gives the SDP for the other end.
    ///
    /// # Errors
    /// [`Error::Offer`], [`Error::NoRelay`], [`Error::Thread`].
    pub async fn answer(config: Config, offer: &str) -> Result<(Self, Events, String), Error> {
        let mut rtc = new_rtc();
        let remote = Remote::new(offer);
        let answer = SdpOffer::from_sdp_string(&remote.description)
            .map_err(|error| Error::Offer(error.to_string()))
            .and_then(|offer| {
                let accepted = rtc.sdp_api().accept_offer(offer);
                accepted.map_err(|error| Error::Offer(error.to_string()))
            })?;
        if !has_data_channel(offer) {
            return Err(Error::Offer("it has no data channel".to_owned()));
        }
        let mid = mid(offer).unwrap_or_default().to_owned();
        let known = Known { mid, offered: None, candidates: remote.candidates };
        let (peer, events) = Self::start(rtc, known, config)?;
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
        let Remote { description, candidates } = Remote::new(answer);
        let answer = SdpAnswer::from_sdp_string(&description);
        let answer = answer.map_err(|error| Error::Answer(error.to_string()))?;
        let (done, accepted) = oneshot::channel();
        self.command(Command::Answer(Box::new(answer), candidates, done)).await?;
        accepted.await.map_err(|_| Error::Closed)?
    }

    /// Adds a candidate of the other end, the JSON of an `RTCIceCandidateInit`. Candidates may come
    /// before the answer, and more than once. Beyond the first 64, those in the description
    /// included, they are ignored. It never blocks, so the task that reads events may call it.
    ///
    /// # Errors
    /// [`Error::Candidate`], [`Error::Closed`].
    #[expect(clippy::unused_async, reason = "an application awaits all that it asks of a peer")]
    pub async fn add_candidate(&self, json: &str) -> Result<(), Error> {
        let Some(candidate) = candidate::from_json(json)? else { return Ok(()) };
        match self.candidates.try_send(candidate) {
            Err(TrySendError::Closed(_)) => Err(Error::Closed),
            // Full: there are more candidates than are tried.
            Ok(()) | Err(TrySendError::Full(_)) => Ok(()),
        }
    }

    /// Sends a chat line, once the channel is open and has room, which the other end makes by
    /// reading. **Read events meanwhile**: two ends that both await room, and read nothing, wait
    /// for ever.
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

    /// Sends a file, after those queued before. Its result is the event
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

    fn start(rtc: Rtc, known: Known, config: Config) -> Result<(Self, Events), Error> {
        let relays = TurnServer::all(&config.ice_servers);
        if config.policy == Policy::Relay && relays.is_empty() {
            return Err(Error::NoRelay);
        }
        let (commands, command_queue) = mpsc::channel(MESSAGES_WAITING_MAX);
        let (candidates, candidate_queue) = mpsc::channel(REMOTE_CANDIDATES_MAX);
        let (connection_events, connection_event_queue) = mpsc::channel(CONNECTION_EVENTS_MAX);
        let (outgoing, outgoing_queue) = mpsc::channel(MESSAGES_WAITING_MAX);
        let (files, file_queue) = mpsc::channel(FILES_WAITING_MAX);
        let (events, event_queue) = mpsc::channel(EVENTS_WAITING_MAX);
        let (replies, reply_queue) = mpsc::channel(EVENTS_WAITING_MAX);
        let (verdicts, answers) = verdicts();
        let (messages, message_queue) = mpsc::channel(EVENTS_WAITING_MAX);
        let (stopped, violation) = oneshot::channel();

        let allowance = Allowance::new(config.receive.clone());
        let inbox = Inbox { allowance, events: events.clone(), replies, verdicts };
        spawn("inbox", move || inbox.run(message_queue, stopped))?;
        let (outbox_outgoing, outbox_events) = (outgoing.clone(), events.clone());
        let outbox = Outbox {
            outgoing: outbox_outgoing,
            verdicts: answers,
            events: outbox_events,
            timeout: outbox::ANSWER_TIMEOUT,
        };
        spawn("outbox", move || outbox.run(file_queue))?;

        let queues = Queues {
            commands: command_queue,
            candidates: candidate_queue,
            outgoing: outgoing_queue,
            replies: reply_queue,
            inbox: messages,
            violation,
            connection_events,
            events,
        };
        tokio::spawn(Driver::new(rtc, known, &config, queues).run(config, relays));
        let events = Events::new(connection_event_queue, event_queue);
        Ok((Self { commands, candidates, outgoing, files }, events))
    }
}

/// The descriptions of a connection when its driver starts.
pub(crate) struct Known {
    /// The name of the data channel's medium in the descriptions.
    pub(crate) mid: String,
    /// `None` at the end that answers.
    pub(crate) offered: Option<Offered>,
    /// Those of the other end.
    pub(crate) candidates: Vec<Candidate>,
}

/// An offer without an answer yet.
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
    async fn a_violation_ends_the_connection_at_both_ends() {
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
