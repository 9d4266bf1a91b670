//! The inbox by itself: what any other end could send.

use std::fs;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::config::Receive;

/// The events and answers that the inbox produced.
struct Outcome {
    events: Vec<Event>,
    replies: Vec<Frame>,
    violation: Option<Violation>,
    folder: TempDir,
}

fn deliver(messages: Vec<RawMessage>) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let (events, mut received) = mpsc::channel(256);
    let (replies, mut replied) = mpsc::channel(4);
    let (verdicts, _receiver) = crate::channel::verdict::verdicts();
    let (sender, receiver) = mpsc::channel(messages.len() + 1);
    let (stopped, mut violation) = oneshot::channel();
    for message in messages {
        sender.try_send(message).unwrap();
    }
    drop(sender);
    let receive =
        Receive { file_bytes_max: 1000, total_bytes_max: 8, ..Receive::into_folder(folder.path()) };
    let inbox = Inbox { allowance: Allowance::new(Some(receive)), events, replies, verdicts };
    thread::spawn(move || inbox.run(receiver, stopped)).join().unwrap();
    Outcome {
        events: std::iter::from_fn(|| received.try_recv().ok()).collect(),
        replies: std::iter::from_fn(|| replied.try_recv().ok()).collect(),
        violation: violation.try_recv().ok(),
        folder,
    }
}

fn frame(frame: Frame) -> RawMessage {
    Message::Frame(frame).write()
}

fn file(name: &str, size: u64) -> RawMessage {
    frame(Frame::File { id: 1, name: name.to_owned(), size })
}

fn chunk(bytes: &[u8]) -> RawMessage {
    (true, bytes.to_vec())
}

fn end(sha256: &str) -> RawMessage {
    frame(Frame::FileEnd { id: 1, sha256: sha256.to_owned() })
}

const SHA256_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[track_caller]
fn assert_violation(messages: Vec<RawMessage>, expected: Violation) {
    let outcome = deliver(messages);
    assert_eq!(outcome.violation, Some(expected));
    assert_eq!(fs::read_dir(outcome.folder.path()).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_file_arrives_in_its_chunks_with_chat_in_between() {
    let text = frame(Frame::Text { text: "still there?".to_owned() });
    let outcome = deliver(vec![file("a", 3), chunk(b"a"), text, chunk(b"bc"), end(SHA256_ABC)]);
    assert_eq!(outcome.replies, [Frame::FileReceived { id: 1, name: None }]);
    assert!(outcome.events.contains(&Event::Text("still there?".to_owned())));
    assert_eq!(fs::read(outcome.folder.path().join("a")).unwrap(), b"abc");
}

#[test]
fn a_file_with_another_hash_is_refused_and_the_next_one_is_taken() {
    let other = "0".repeat(64);
    let outcome = deliver(vec![
        file("a", 3),
        chunk(b"abc"),
        end(&other),
        file("a", 3),
        chunk(b"abc"),
        end(SHA256_ABC),
    ]);
    assert_eq!(
        outcome.replies,
        [
            Frame::FileRefused { id: 1, reason: Refusal::Hash },
            Frame::FileReceived { id: 1, name: None }
        ]
    );
    assert_eq!(outcome.violation, None);
}

#[test]
fn the_bound_of_all_files_counts_those_that_are_stored() {
    let whole = || [file("a", 3), chunk(b"abc"), end(SHA256_ABC)];
    let broken = || [file("a", 3), chunk(b"abd"), end(SHA256_ABC)];
    let given_up = [file("a", 8), chunk(b"abc"), frame(Frame::FileCancel { id: 1 })];
    let files = [given_up, whole(), broken(), whole(), whole()];
    let outcome = deliver(files.into_iter().flatten().collect());
    let refused = |reason| Frame::FileRefused { id: 1, reason };
    let received = || Frame::FileReceived { id: 1, name: None };
    assert_eq!(
        outcome.replies,
        [received(), refused(Refusal::Hash), received(), refused(Refusal::Full)]
    );
    assert_eq!(fs::read_dir(outcome.folder.path()).unwrap().count(), 2);
}

#[test]
fn a_refused_file_is_thrown_away_until_its_end() {
    let outcome = deliver(vec![file("../a", 3), chunk(b"abc"), end(SHA256_ABC)]);
    assert_eq!(outcome.replies, [Frame::FileRefused { id: 1, reason: Refusal::Name }]);
    assert_eq!(outcome.violation, None);
    let error = FileError::Refused(Refusal::Name);
    let direction = Direction::Incoming;
    assert_eq!(outcome.events, [Event::FileFailed { direction, name: String::new(), error }]);
}

#[test]
fn a_name_that_deceives_is_never_shown() {
    let outcome = deliver(vec![file("photo\u{202e}gpj.exe", 1001)]);
    assert_eq!(outcome.replies, [Frame::FileRefused { id: 1, reason: Refusal::TooLarge }]);
    let error = FileError::Refused(Refusal::TooLarge);
    let (direction, name) = (Direction::Incoming, "photo_gpj.exe".to_owned());
    assert_eq!(outcome.events, [Event::FileFailed { direction, name, error }]);
}

#[test]
fn a_name_that_is_not_harmless_is_replaced_and_both_are_shown() {
    let outcome = deliver(vec![file(".bashrc", 3), chunk(b"abc"), end(SHA256_ABC)]);
    let name = Some("_bashrc".to_owned());
    assert_eq!(outcome.replies, [Frame::FileReceived { id: 1, name }]);
    let path = outcome.folder.path().join("_bashrc");
    assert_eq!(fs::read(&path).unwrap(), b"abc");
    assert!(outcome.events.contains(&Event::FileReceived { path }));
}

#[test]
fn the_sender_does_not_learn_that_a_name_was_taken() {
    let twice = [file("a", 3), chunk(b"abc"), end(SHA256_ABC)];
    let outcome = deliver([twice.clone(), twice].concat());
    let received = || Frame::FileReceived { id: 1, name: None };
    assert_eq!(outcome.replies, [received(), received()]);
    assert!(outcome.folder.path().join("a (2)").exists());
}

#[test]
fn a_cancelled_file_leaves_nothing() {
    let outcome = deliver(vec![file("a", 3), chunk(b"a"), frame(Frame::FileCancel { id: 1 })]);
    assert_eq!(outcome.violation, None);
    assert_eq!(fs::read_dir(outcome.folder.path()).unwrap().count(), 0);
}

#[test]
fn a_violation_is_named() {
    assert_violation(vec![(false, b"{".to_vec())], Violation::NotAFrame);
    assert_violation(vec![chunk(b"abc")], Violation::NoFile);
    assert_violation(vec![end(SHA256_ABC)], Violation::NoFile);
    assert_violation(vec![frame(Frame::FileCancel { id: 1 })], Violation::NoFile);
    assert_violation(vec![file("a", 3), file("b", 3)], Violation::FileWithinFile);
    assert_violation(vec![file("a", 2), chunk(b"abc")], Violation::Overflow);
    assert_violation(vec![file("a", 3), frame(Frame::FileCancel { id: 2 })], Violation::NoFile);
    assert_violation(
        vec![frame(Frame::FileReceived { id: 1, name: None })],
        Violation::UnexpectedVerdict,
    );
}

#[test]
fn more_refusals_than_can_be_sent_are_a_flood() {
    let refused = [file("../a", 1), frame(Frame::FileCancel { id: 1 })];
    assert_violation(refused.iter().cycle().take(20).cloned().collect(), Violation::Flood);
}
