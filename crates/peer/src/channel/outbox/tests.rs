//! The outbox by itself: what any other end could answer.

use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use super::*;
use crate::Refusal;
use crate::channel::verdict::{Verdict, VerdictSender, verdicts};

/// An outbox in its thread, and both ends of what it is connected with.
struct Sending {
    folder: TempDir,
    files: mpsc::Sender<PathBuf>,
    outgoing: mpsc::Receiver<Message>,
    events: mpsc::Receiver<Event>,
    verdicts: VerdictSender,
    thread: JoinHandle<()>,
}

impl Sending {
    fn new(timeout: Duration) -> Self {
        let (outgoing, sent) = mpsc::channel(64);
        let (events, received) = mpsc::channel(64);
        let (files, to_send) = mpsc::channel(4);
        let (verdicts, answers) = verdicts();
        let outbox = Outbox { outgoing, verdicts: answers, events, timeout };
        let thread = thread::spawn(move || outbox.run(to_send));
        let folder = tempfile::tempdir().unwrap();
        Self { folder, files, outgoing: sent, events: received, verdicts, thread }
    }

    fn send(&self, name: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, "abc").unwrap();
        self.files.blocking_send(path).unwrap();
    }

    /// Waits until a file is sent to its end. Gives its number.
    fn sent(&mut self) -> u64 {
        loop {
            if let Message::Frame(Frame::FileEnd { id, .. }) =
                self.outgoing.blocking_recv().unwrap()
            {
                return id;
            }
        }
    }

    fn answer(&self, id: u64, received: Result<Option<&str>, Refusal>) {
        let received = received.map(|name| name.map(str::to_owned));
        self.verdicts.pass_on(Verdict { id, received }).unwrap();
    }

    /// The next event that is no progress.
    fn next_event(&mut self) -> Event {
        loop {
            match self.events.blocking_recv().unwrap() {
                Event::FileProgress(_) => {}
                event => return event,
            }
        }
    }

    /// Ends the outbox and returns the remaining events.
    fn finish(mut self) -> Vec<Event> {
        drop(self.files);
        self.thread.join().unwrap();
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }
}

fn failed(name: &str, error: FileError) -> Event {
    Event::FileFailed { direction: Direction::Outgoing, name: name.to_owned(), error }
}

fn sent(name: &str, received_as: Option<&str>) -> Event {
    Event::FileSent { name: name.to_owned(), received_as: received_as.map(str::to_owned) }
}

#[test]
fn the_name_that_the_other_end_gave_a_file_is_shown_and_harmless() {
    let mut sending = Sending::new(Duration::from_secs(60));
    sending.send(".one");
    let first = sending.sent();
    sending.answer(first, Ok(Some("_one")));
    assert_eq!(sending.next_event(), sent(".one", Some("_one")));
    sending.send("two");
    let second = sending.sent();
    sending.answer(second, Ok(Some("\u{1b}[2J")));
    assert_eq!(sending.next_event(), sent("two", Some("_[2J")));
    assert_eq!(sending.finish(), []);
}

#[test]
fn a_file_without_a_verdict_is_given_up_and_a_late_one_is_not_that_of_the_next() {
    let mut sending = Sending::new(Duration::from_millis(50));
    sending.send("one");
    let first = sending.sent();
    assert_eq!(sending.next_event(), failed("one", FileError::Unanswered));
    sending.answer(first, Ok(None));
    sending.send("two");
    let second = sending.sent();
    sending.answer(first, Ok(None));
    sending.answer(second, Err(Refusal::Hash));
    assert_eq!(sending.next_event(), failed("two", FileError::Refused(Refusal::Hash)));
    assert_eq!(sending.finish(), []);
}

#[test]
fn a_file_is_reported_once_even_if_it_is_acknowledged_again() {
    let mut sending = Sending::new(Duration::from_secs(60));
    sending.send("one");
    let first = sending.sent();
    sending.answer(first, Ok(None));
    assert_eq!(sending.next_event(), sent("one", None));
    sending.answer(first, Ok(None));
    sending.send("two");
    let second = sending.sent();
    sending.answer(first, Ok(None));
    sending.answer(second, Ok(None));
    assert_eq!(sending.next_event(), sent("two", None));
    assert_eq!(sending.finish(), []);
}

#[test]
fn large_files_have_more_time_than_small_ones() {
    let time = |bytes| answer_timeout(Duration::from_secs(120), bytes);
    assert_eq!(time(0), Duration::from_secs(120));
    assert_eq!(time(1 << 30), Duration::from_secs(120 + 1024));
    assert!(time(u64::MAX) > time(1 << 40));
}
