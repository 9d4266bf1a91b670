//! Outputs of sessions, and the mail among them.

use securecall_core::{Outcome, Output, Outputs, Session};
use securecall_protocol::ClientId;

use super::{Cell, Server};
use crate::event::Event;
use crate::letter::Letter;
use crate::mutation::Mutation;
use crate::network::LinkId;
use crate::random::Random;

impl Server {
    /// The next letter of some route reaches its session.
    pub(crate) fn deliver(&mut self, random: &mut Random) -> bool {
        let Some(letter) = self.post.take_letter(random) else { return false };
        self.deliver_letter(letter, random);
        true
    }

    /// A session learns what became of a letter.
    pub(crate) fn tell_outcome(&mut self, random: &mut Random) -> bool {
        let Some((letter, outcome)) = self.post.take_outcome(random) else { return false };
        self.done_with(&letter);
        let cell = self.cells.get_mut(&letter.from).filter(|cell| cell.serial == letter.sender);
        if let (Some(cell), Some(mail)) = (cell, letter.mail()) {
            let told = self
                .nature
                .with(|cx| cell.session.handle_outcome(cx, mail, outcome, letter.request_id()));
            self.carry_out(&letter.from, None, told);
        }
        true
    }

    /// Its driver may read on.
    fn done_with(&mut self, letter: &Letter) {
        if let Some(driver) = letter.driver.and_then(|link| self.drivers.get_mut(&link)) {
            driver.under_way = driver.under_way.saturating_sub(1);
        }
    }

    fn deliver_letter(&mut self, letter: Letter, random: &mut Random) {
        let letter = match self.mutation {
            Mutation::RewordOpaque => letter.reworded(),
            Mutation::DeliverTwice if random.percent(20) => {
                self.receive(&letter);
                letter
            }
            Mutation::DeliverOutOfOrder if random.percent(20) => {
                return self.post.send(letter);
            }
            Mutation::DropEnds if letter.is_end() && random.percent(20) => {
                return self.done_with(&letter);
            }
            Mutation::DeliverToSomebodyElse if random.percent(10) => {
                let cells: Vec<&ClientId> = self.cells.keys().collect();
                let to = random.pick(&cells).map_or(letter.to.clone(), |to| (*to).clone());
                letter.redirected(to)
            }
            _ => letter,
        };
        let outcome = self.receive(&letter);
        self.events.push(Event::Delivered { letter: letter.to_string(), outcome });
        match outcome {
            Outcome::Delivered if !letter.is_ring() => self.done_with(&letter),
            _ if self.mutation == Mutation::SwallowOutcomes => self.done_with(&letter),
            Outcome::Glare if self.mutation == Mutation::SwallowGlare => self.done_with(&letter),
            outcome => self.post.report(letter, outcome),
        }
    }

    fn receive(&mut self, letter: &Letter) -> Outcome {
        let Some(mail) = letter.mail() else { return Outcome::NoSuchCall };
        if !self.cells.contains_key(&letter.to) && !self.expect(letter) {
            return Outcome::Offline;
        }
        let Some(cell) = self.cells.get_mut(&letter.to) else { return Outcome::Offline };
        let receipt = self.nature.with(|cx| cell.session.handle_mail(cx, &letter.from, &mail));
        self.carry_out(&letter.to, None, receipt.outputs);
        receipt.outcome
    }

    /// Makes a place for a client that a restart has cut off, if the mail proves that there was a
    /// call.
    fn expect(&mut self, letter: &Letter) -> bool {
        if letter.is_ring() || self.mutation == Mutation::ExpectNobody {
            return false;
        }
        let Some(mail) = letter.mail() else { return false };
        let expected =
            || self.nature.with(|cx| Session::expected(letter.to.clone(), self.started, cx));
        let receipt = self.nature.with(|cx| expected().handle_mail(cx, &letter.from, &mail));
        if receipt.outcome != Outcome::Delivered {
            return false;
        }
        self.sessions_ever += 1;
        let (session, serial) = (expected(), self.sessions_ever);
        let cell = Cell { session, serial, attached: None, token: None };
        self.cells.insert(letter.to.clone(), cell);
        true
    }

    /// Does what a session wants done. `driver` waits for the letters among it.
    pub(super) fn carry_out(
        &mut self,
        client: &ClientId,
        driver: Option<LinkId>,
        outputs: Outputs<'_>,
    ) {
        self.post.begin_thread();
        for output in outputs {
            match output {
                Output::Send(reply) => {
                    let mut text = String::new();
                    reply.encode(&mut text);
                    self.send(client, text);
                }
                Output::SendText(text) => self.send(client, text.into()),
                Output::Mail { to, mail, request_id } => {
                    let sender = self.cells.get(client).map_or(0, |cell| cell.serial);
                    let from = (client.clone(), sender);
                    self.post_letter(Letter::new(from, to, &mail, request_id, driver));
                }
            }
        }
    }

    fn send(&mut self, client: &ClientId, text: String) {
        let attached = self.cells.get(client).and_then(|cell| cell.attached);
        let client = client.as_str().to_string();
        let Some(link) = attached else {
            return self.events.push(Event::SentToNobody { client, text });
        };
        self.sent_ever += 1;
        for text in self.mutation.mutate_sent(text, self.sent_ever) {
            self.events.push(Event::Sent { link, client: client.clone(), text });
        }
    }

    fn post_letter(&mut self, letter: Letter) {
        if letter.is_ring() {
            self.events.push(Event::Rang { call: letter.call_id().to_string() });
        }
        if let Some(driver) = letter.driver.and_then(|link| self.drivers.get_mut(&link)) {
            driver.under_way += 1;
        }
        self.post.send(letter);
    }

    pub(super) fn drop_if_over(&mut self, client: &ClientId) {
        let early = self.mutation == Mutation::DropSessionsEarly;
        let over = self
            .cells
            .get(client)
            .is_some_and(|cell| cell.attached.is_none() && (cell.session.is_over() || early));
        if over && self.mutation != Mutation::KeepSessions {
            self.cells.remove(client);
            self.events.push(Event::Forgotten { client: client.as_str().to_string() });
        }
    }
}
