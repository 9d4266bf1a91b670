//! Mail in flight between sessions, delivered one step at a time.

use std::fmt;
use std::sync::Arc;

use securecall_core::{Content, Mail, Outcome, OwnedMail};
use securecall_presence::{OwnedItem, OwnedLetter, OwnedPost};
use securecall_protocol::Opaque;

use super::{Batch, Server, SimHost, Thread};
use crate::event::{Event, Short};
use crate::mutation::Mutation;
use crate::random::Random;

/// A post that a thread is delivering.
pub(super) struct UnderWay {
    pub(super) thread: Thread,
    /// Ascends: later posts have higher ones.
    serial: u64,
    post: OwnedPost<SimHost>,
    /// The next item.
    next: OwnedItem<SimHost>,
}

impl UnderWay {
    fn is_of_driver(&self) -> bool {
        matches!(self.thread, Thread::Driver(_)) && self.next.outcome.is_none()
    }
}

impl Server {
    pub(super) fn put_under_way(&mut self, thread: Thread, mut post: OwnedPost<SimHost>) {
        for OwnedItem { letter, .. } in &post.items {
            if letter.mail.as_mail().is_ring() {
                self.host.push(Event::Rang { call: letter.mail.call_id().to_string() });
            }
        }
        if let Some(next) = post.items.pop() {
            self.posts_ever += 1;
            self.posts.push(UnderWay { thread, serial: self.posts_ever, post, next });
        }
    }

    /// Some thread hands over its next letter.
    pub(crate) fn deliver(&mut self, random: &mut Random) -> bool {
        self.step_some(random, |outcome| outcome.is_none())
    }

    /// Some thread gives a session the delivery result of its letter.
    pub(crate) fn deliver_outcome(&mut self, random: &mut Random) -> bool {
        self.step_some(random, |outcome| outcome.is_some())
    }

    fn step_some(&mut self, random: &mut Random, which: fn(Option<Outcome>) -> bool) -> bool {
        let candidates: Vec<usize> = (0..self.posts.len())
            .filter(|at| which(self.posts[*at].next.outcome) && self.may_step(&self.posts[*at]))
            .collect();
        let Some(at) = random.pick(&candidates).copied() else { return false };
        let under_way = self.posts.swap_remove(at);
        self.step(under_way, random);
        true
    }

    /// Returns true if the thread of this post may go on. A client that supersedes its own
    /// connection needs a round trip for that, the old connection's thread microseconds for a
    /// letter: so connections of one client do not overtake each other.
    fn may_step(&self, post: &UnderWay) -> bool {
        let is_overtaken = |older: &UnderWay| {
            let (old, new) = (&older.next.letter, &post.next.letter);
            let same_way = Arc::ptr_eq(&old.from, &new.from) && old.to == new.to;
            older.serial < post.serial && older.is_of_driver() && same_way
        };
        !post.is_of_driver() || !self.posts.iter().any(is_overtaken)
    }

    fn step(&mut self, under_way: UnderWay, random: &mut Random) {
        let UnderWay { thread, serial, mut post, next } = under_way;
        if let Some(item) = self.mutate_item(next, random) {
            let following = self.step_item(&item);
            post.items.extend(self.mutate_following(following, &item).items);
        }
        if let Some(next) = post.items.pop() {
            self.posts.push(UnderWay { thread, serial, post, next });
        }
        self.note_cells();
    }

    fn step_item(&mut self, item: &OwnedItem<SimHost>) -> OwnedPost<SimHost> {
        let (registry, host) = (&self.registry, &self.host);
        host.note_time(self.environment.unix());
        self.environment
            .with(|cx| registry.step(&mut Batch::begin(host, *cx), item.as_item()).into_owned())
    }

    /// Changes an item before it is delivered, as the fault demands. `None`: it is lost.
    fn mutate_item(
        &mut self,
        mut item: OwnedItem<SimHost>,
        random: &mut Random,
    ) -> Option<OwnedItem<SimHost>> {
        if item.outcome.is_some() {
            return Some(item);
        }
        let ends = matches!(item.letter.mail.as_mail().content, Content::End { .. });
        match self.mutation {
            Mutation::ReencodeOpaque => item.letter.mail = reencoded(&item.letter.mail),
            Mutation::DeliverTwice if random.percent(20) => {
                // The copy's results are dropped; only its effect counts.
                drop(self.step_item(&item));
            }
            Mutation::DeliverOutOfOrder if random.percent(20) => {
                self.posts.push(UnderWay {
                    thread: Thread::Ended,
                    serial: 0,
                    post: OwnedPost::default(),
                    next: item,
                });
                return None;
            }
            Mutation::DropEnds if ends && random.percent(20) => return None,
            Mutation::Misdeliver if random.percent(10) => {
                let clients: Vec<_> = self.cells.keys().cloned().collect();
                item.letter.to = random.pick(&clients).cloned().unwrap_or(item.letter.to);
            }
            Mutation::SkipRecovery if self.registry.find(&item.letter.to).is_none() => {
                item.outcome = Some(Outcome::Offline);
            }
            _ => {}
        }
        Some(item)
    }

    /// Changes the delivery result of a letter, as the fault demands.
    fn mutate_following(
        &self,
        mut following: OwnedPost<SimHost>,
        item: &OwnedItem<SimHost>,
    ) -> OwnedPost<SimHost> {
        if item.outcome.is_some() {
            return following;
        }
        let letter = Letter(&item.letter).to_string();
        let outcome =
            following.items.iter().find_map(|item| item.outcome).unwrap_or(Outcome::Delivered);
        self.host.push(Event::Delivered { letter, outcome });
        let swallowed = match self.mutation {
            Mutation::SwallowOutcomes => true,
            Mutation::SwallowGlare => outcome == Outcome::Glare,
            _ => false,
        };
        if swallowed {
            following.items.retain(|item| item.outcome.is_none());
        }
        following
    }
}

/// The same mail with its opaque field encoded in another way.
fn reencoded(owned: &OwnedMail) -> OwnedMail {
    let mut text = String::new();
    let Mail { call_id, mut content } = owned.as_mail();
    if let Content::Candidate { candidate: opaque }
    | Content::Signal { data: opaque }
    | Content::Accept { sdp_answer: opaque }
    | Content::Ring { sdp_offer: opaque, .. } = &mut content
    {
        text.push_str(&opaque.as_json().replace(r"\u0041", "A").replace(r"\/", "/"));
        *opaque = Opaque::from_stored(&text).unwrap_or(*opaque);
    }
    Mail { call_id, content }.into_owned()
}

/// A letter as the trace prints it.
struct Letter<'a>(&'a OwnedLetter<SimHost>);

impl fmt::Display for Letter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let OwnedLetter { from, to, mail, .. } = self.0;
        let what = match mail.as_mail().content {
            Content::Ring { .. } => "Ring",
            Content::Accept { .. } => "Accept",
            Content::Ringing => "Ringing",
            Content::Reject { .. } => "Reject",
            Content::End { .. } => "End",
            Content::Candidate { .. } => "Candidate",
            Content::Signal { .. } => "Signal",
            Content::Present { .. } => "Present",
        };
        let (from, to) = (from.client_id().as_str(), to.as_str());
        write!(f, "{from} ⇢ {to} {what} {}", Short(mail.call_id()))
    }
}
