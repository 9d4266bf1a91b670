//! The second half of a run: the faults are off, every client comes back, and every call has to
//! end.

use std::time::Duration;

use crate::checks;
use crate::client::Behaviour;
use crate::violation::{Violation, ensure};
use crate::world::World;

/// Longer than any ringing or grace.
const LONG: Duration = Duration::from_secs(200);

impl World {
    pub(crate) fn come_to_an_end(&mut self) -> Result<(), Violation> {
        self.notice_everything()?;
        self.come_back()?;
        self.present_calls()?;
        self.let_time_pass(LONG)?;
        self.check_beliefs()?;
        self.hang_up()?;
        self.go_away()?;
        self.let_time_pass(LONG)?;
        checks::check_empty(&self.server)?;
        let unfinished = self.model.unfinished();
        ensure!(unfinished.is_none(), "{unfinished:?} never ended");
        Ok(())
    }

    /// Lets both ends of every dead connection notice it.
    fn notice_everything(&mut self) -> Result<(), Violation> {
        self.exchange()?;
        for link in self.network.links() {
            self.tear_down_if_dead(link);
        }
        for client in 0..self.clients.len() {
            self.lose_if_dead(client);
        }
        self.exchange()
    }

    /// Reconnects every client with its own id; impostors leave. Some of those that can resume lose
    /// their connection instead of closing it.
    fn come_back(&mut self) -> Result<(), Violation> {
        for client in 0..self.clients.len() {
            if self.clients[client].speaks_dialect_two() && self.random.percent(50) {
                self.vanish(client);
            } else {
                self.clients[client].leave();
                self.leave(client);
            }
            if self.clients[client].behaviour != Behaviour::Impostor {
                let register = self.clients[client].come_back();
                self.connect(client, register);
            }
        }
        self.exchange()
    }

    fn present_calls(&mut self) -> Result<(), Violation> {
        for client in 0..self.clients.len() {
            let texts = match self.clients[client].speaks_dialect_two() {
                true => self.clients[client].take_queued(),
                false => self.clients[client].present_calls(),
            };
            for text in texts {
                self.send(client, text);
            }
        }
        self.exchange()
    }

    /// Checks that each call which a client of dialect 2 believes to be in exists, and was
    /// answered.
    fn check_beliefs(&self) -> Result<(), Violation> {
        for client in &self.clients {
            let honest = client.behaviour == Behaviour::Honest && !client.has_overclaimed();
            if !honest || !client.speaks_dialect_two() {
                continue;
            }
            for (call, answered) in client.believed() {
                let known = self.server.has_record(&client.id, call);
                ensure!(known, "{} takes {call} for a call, and the server does not", client.id);
                ensure!(answered, "{} waits for ever for {call} to be answered", client.id);
            }
        }
        Ok(())
    }

    fn hang_up(&mut self) -> Result<(), Violation> {
        for client in 0..self.clients.len() {
            for text in self.clients[client].end_calls() {
                self.send(client, text);
            }
        }
        self.exchange()
    }

    fn go_away(&mut self) -> Result<(), Violation> {
        (0..self.clients.len()).for_each(|client| self.leave(client));
        self.exchange()
    }

    fn let_time_pass(&mut self, time: Duration) -> Result<(), Violation> {
        let start = self.server.environment.now;
        loop {
            self.exchange()?;
            let passed = self.server.environment.now.since(start);
            if passed >= time {
                return Ok(());
            }
            self.pass_until_deadline(time.saturating_sub(passed));
        }
    }

    /// Runs until every frame and all mail have arrived, and closed connections are gone.
    fn exchange(&mut self) -> Result<(), Violation> {
        self.run_to_quiescence()?;
        while self.exchange_frames()? {}
        Ok(())
    }

    fn exchange_frames(&mut self) -> Result<bool, Violation> {
        let mut any = false;
        for link in self.network.links() {
            any |= self.read_at_server(link);
            self.absorb()?;
            self.run_to_quiescence()?;
            self.tear_down_if_dead(link);
            self.absorb()?;
            self.run_to_quiescence()?;
        }
        for client in 0..self.clients.len() {
            any |= self.read_at_client(client);
        }
        Ok(any)
    }
}
