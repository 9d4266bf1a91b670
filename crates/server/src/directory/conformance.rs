//! What every directory does, whatever keeps its records.
//!
//! It does not test durability, which each backend has to prove with the failures of its own.

use super::Replacement::{Allowed, Refused};
use super::{Directory, RegisterError, Registered};

/// Runs the suite against an empty directory.
pub(super) async fn holds_for(directory: &dyn Directory) {
    an_unknown_id_has_no_key(directory).await;
    a_registered_key_comes_back_byte_for_byte(directory).await;
    the_same_key_again_is_kept(directory).await;
    another_spelling_of_the_key_is_the_same_key(directory).await;
    a_key_is_pinned(directory).await;
    a_claim_replaces_a_key(directory).await;
    ids_differ_in_case(directory).await;
    the_longest_id_and_key_are_kept(directory).await;
    requests_for_one_id_take_effect_in_order(directory).await;
    of_two_first_keys_exactly_one_wins(directory).await;
    an_answer_nobody_waits_for_is_no_cancellation(directory).await;
}

async fn stored(directory: &dyn Directory, id: &str) -> Option<Box<str>> {
    directory.lookup(id).await.unwrap()
}

async fn an_unknown_id_has_no_key(directory: &dyn Directory) {
    assert_eq!(stored(directory, "nobody").await, None);
}

async fn a_registered_key_comes_back_byte_for_byte(directory: &dyn Directory) {
    let key = "\"a\\/b \\u00E9\u{e9} \\ud83d\"";
    assert_eq!(directory.register("exact", key, Refused).await, Ok(Registered::Created));
    assert_eq!(stored(directory, "exact").await.as_deref(), Some(key));
}

async fn the_same_key_again_is_kept(directory: &dyn Directory) {
    assert_eq!(directory.register("same", r#""k""#, Refused).await, Ok(Registered::Created));
    assert_eq!(directory.register("same", r#""k""#, Refused).await, Ok(Registered::Kept));
    assert_eq!(directory.register("same", r#""k""#, Allowed).await, Ok(Registered::Kept));
}

async fn another_spelling_of_the_key_is_the_same_key(directory: &dyn Directory) {
    assert_eq!(directory.register("spelling", r#""a/b""#, Refused).await, Ok(Registered::Created));
    assert_eq!(directory.register("spelling", r#""a\/b""#, Refused).await, Ok(Registered::Kept));
    assert_eq!(stored(directory, "spelling").await.as_deref(), Some(r#""a/b""#));
}

async fn a_key_is_pinned(directory: &dyn Directory) {
    assert_eq!(directory.register("pinned", r#""k""#, Refused).await, Ok(Registered::Created));
    let other = directory.register("pinned", r#""l""#, Refused).await;
    assert_eq!(other, Err(RegisterError::Pinned));
    assert_eq!(stored(directory, "pinned").await.as_deref(), Some(r#""k""#));
}

async fn a_claim_replaces_a_key(directory: &dyn Directory) {
    assert_eq!(directory.register("claim", r#""k""#, Refused).await, Ok(Registered::Created));
    assert_eq!(directory.register("claim", r#""l""#, Allowed).await, Ok(Registered::Replaced));
    assert_eq!(stored(directory, "claim").await.as_deref(), Some(r#""l""#));
}

async fn ids_differ_in_case(directory: &dyn Directory) {
    assert_eq!(directory.register("case", r#""k""#, Refused).await, Ok(Registered::Created));
    assert_eq!(directory.register("CASE", r#""l""#, Refused).await, Ok(Registered::Created));
    assert_eq!(stored(directory, "case").await.as_deref(), Some(r#""k""#));
}

async fn the_longest_id_and_key_are_kept(directory: &dyn Directory) {
    let id = "_".repeat(64);
    let key = format!("\"{}\"", "k".repeat(4096));
    assert_eq!(directory.register(&id, &key, Refused).await, Ok(Registered::Created));
    assert_eq!(stored(directory, &id).await.as_deref(), Some(&*key));
}

async fn requests_for_one_id_take_effect_in_order(directory: &dyn Directory) {
    let first = directory.register("order", r#""k""#, Refused);
    let second = directory.register("order", r#""l""#, Refused);
    let third = directory.register("order", r#""m""#, Allowed);
    let fourth = directory.register("order", r#""m""#, Refused);
    assert_eq!(first.await, Ok(Registered::Created));
    assert_eq!(second.await, Err(RegisterError::Pinned));
    assert_eq!(third.await, Ok(Registered::Replaced));
    assert_eq!(fourth.await, Ok(Registered::Kept));
    assert_eq!(stored(directory, "order").await.as_deref(), Some(r#""m""#));
}

async fn of_two_first_keys_exactly_one_wins(directory: &dyn Directory) {
    for round in 0..20 {
        let id = format!("race-{round}");
        let (one, other) = tokio::join!(
            directory.register(&id, r#""one""#, Refused),
            directory.register(&id, r#""other""#, Refused),
        );
        let winner = match (one, other) {
            (Ok(Registered::Created), Err(RegisterError::Pinned)) => r#""one""#,
            (Err(RegisterError::Pinned), Ok(Registered::Created)) => r#""other""#,
            both => panic!("{both:?}"),
        };
        assert_eq!(stored(directory, &id).await.as_deref(), Some(winner));
    }
}

async fn an_answer_nobody_waits_for_is_no_cancellation(directory: &dyn Directory) {
    drop(directory.register("left", r#""k""#, Refused));
    assert_eq!(directory.register("left", r#""k""#, Refused).await, Ok(Registered::Kept));
}
