//! Mail under way between sessions.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use securecall_core::{Content, Mail, Outcome};
use securecall_protocol::{ClientId, Dialect, EndReason, Opaque, RejectReason};

use crate::event::Short;
use crate::network::LinkId;
use crate::random::Random;

/// A mail with texts of its own.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) from: ClientId,
    pub(crate) to: ClientId,
    /// Which of the sessions that `from` has had in its life.
    pub(crate) sender: u64,
    /// The connection whose driver waits until this is dealt with. None: a timer sent it.
    pub(crate) driver: Option<LinkId>,
    call_id: String,
    content: Stored,
    request_id: Option<String>,
}

#[derive(Debug, Clone)]
enum Stored {
    Ring(String, Dialect),
    Ringing,
    Accept(String),
    Reject(RejectReason),
    End(EndReason),
    Candidate(String),
    Signal(String),
    Present(bool),
}

impl Letter {
    pub(crate) fn new(
        (from, sender): (ClientId, u64),
        to: ClientId,
        mail: &Mail<'_>,
        request_id: Option<Opaque<'_>>,
        driver: Option<LinkId>,
    ) -> Self {
        let text = |opaque: Opaque<'_>| opaque.as_json().to_string();
        let content = match mail.content {
            Content::Ring { sdp_offer, dialect } => Stored::Ring(text(sdp_offer), dialect),
            Content::Accept { sdp_answer } => Stored::Accept(text(sdp_answer)),
            Content::Ringing => Stored::Ringing,
            Content::Reject { reason } => Stored::Reject(reason),
            Content::End { reason } => Stored::End(reason),
            Content::Candidate { candidate } => Stored::Candidate(text(candidate)),
            Content::Signal { data } => Stored::Signal(text(data)),
            Content::Present { answered } => Stored::Present(answered),
        };
        let call_id = mail.call_id.to_string();
        Self { from, to, sender, driver, call_id, content, request_id: request_id.map(text) }
    }

    /// The mail again; None never happens: what was opaque still is.
    pub(crate) fn mail(&self) -> Option<Mail<'_>> {
        let content = match &self.content {
            Stored::Ring(offer, dialect) => {
                Content::Ring { sdp_offer: Opaque::from_stored(offer)?, dialect: *dialect }
            }
            Stored::Accept(answer) => Content::Accept { sdp_answer: Opaque::from_stored(answer)? },
            Stored::Ringing => Content::Ringing,
            Stored::Reject(reason) => Content::Reject { reason: *reason },
            Stored::End(reason) => Content::End { reason: *reason },
            Stored::Candidate(candidate) => {
                Content::Candidate { candidate: Opaque::from_stored(candidate)? }
            }
            Stored::Signal(data) => Content::Signal { data: Opaque::from_stored(data)? },
            Stored::Present(answered) => Content::Present { answered: *answered },
        };
        Some(Mail { call_id: self.call_id.as_str().into(), content })
    }

    pub(crate) fn request_id(&self) -> Option<Opaque<'_>> {
        self.request_id.as_deref().and_then(Opaque::from_stored)
    }

    pub(crate) fn call_id(&self) -> &str {
        &self.call_id
    }

    pub(crate) fn is_ring(&self) -> bool {
        matches!(self.content, Stored::Ring(..))
    }

    pub(crate) fn is_end(&self) -> bool {
        matches!(self.content, Stored::End(_))
    }

    /// The same letter to somebody else.
    pub(crate) fn redirected(self, to: ClientId) -> Self {
        Self { to, ..self }
    }

    /// The same letter with another wording of what is opaque.
    pub(crate) fn reworded(mut self) -> Self {
        if let Stored::Candidate(text)
        | Stored::Signal(text)
        | Stored::Accept(text)
        | Stored::Ring(text, _) = &mut self.content
        {
            *text = text.replace(r"\u0041", "A").replace(r"\/", "/");
        }
        self
    }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.content {
            Stored::Ring(..) => "Ring",
            Stored::Accept(_) => "Accept",
            Stored::Ringing => "Ringing",
            Stored::Reject(_) => "Reject",
            Stored::End(_) => "End",
            Stored::Candidate(_) => "Candidate",
            Stored::Signal(_) => "Signal",
            Stored::Present(_) => "Present",
        };
        let (from, to) = (self.from.as_str(), self.to.as_str());
        write!(f, "{from} ⇢ {to} {what} {}", Short(&self.call_id))
    }
}

/// The mail under way, in any order, as between threads. In order is what one thread sends from one
/// session to another: what drivers send, and what one timer or one mail leads to.
#[derive(Debug, Default)]
pub(crate) struct Post {
    routes: BTreeMap<(ClientId, ClientId, u64), VecDeque<Letter>>,
    outcomes: VecDeque<(Letter, Outcome)>,
    threads: u64,
}

impl Post {
    /// A thread that is no driver's begins to send.
    pub(crate) fn begin_thread(&mut self) {
        self.threads += 1;
    }

    pub(crate) fn send(&mut self, letter: Letter) {
        let thread = if letter.driver.is_some() { 0 } else { self.threads };
        let route = (letter.from.clone(), letter.to.clone(), thread);
        self.routes.entry(route).or_default().push_back(letter);
    }

    pub(crate) fn report(&mut self, letter: Letter, outcome: Outcome) {
        self.outcomes.push_back((letter, outcome));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.outcomes.is_empty()
    }

    /// The next letter of some route.
    pub(crate) fn take_letter(&mut self, random: &mut Random) -> Option<Letter> {
        let route = random.below(self.routes.len());
        let route = self.routes.keys().nth(route)?.clone();
        let letters = self.routes.get_mut(&route)?;
        let letter = letters.pop_front();
        if letters.is_empty() {
            self.routes.remove(&route);
        }
        letter
    }

    /// Any outcome that is not told yet.
    pub(crate) fn take_outcome(&mut self, random: &mut Random) -> Option<(Letter, Outcome)> {
        let index = random.below(self.outcomes.len());
        self.outcomes.remove(index)
    }
}
