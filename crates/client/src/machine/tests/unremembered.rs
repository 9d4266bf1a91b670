//! More people than can be remembered.

use securecall_seal::DirectoryKey;

use super::stage::{Stage, id};
use crate::command::Command;
use crate::{Error, Event, KnownKeys};

#[test]
fn a_call_with_somebody_who_cannot_be_remembered_says_so_and_a_trusted_key_is_an_error() {
    let mut stage = Stage::registered_knowing(KnownKeys::full());
    let call = stage.bob_calls();
    stage.accept(call);
    let told = stage.events.iter().find_map(|event| match event {
        Event::KeyNotRemembered { client_id } => Some(client_id.clone()),
        _ => None,
    });
    assert_eq!(told, Some(id("bob")));
    let key: Box<DirectoryKey> = Box::new(stage.bob.directory_key().clone());
    let trusted = stage.ask(|reply| Command::Trust { key, reply }).try_recv().unwrap();
    assert!(matches!(trusted, Err(Error::TooManyKeys)), "{trusted:?}");
}
