//! The conformance suite of directories, for every backend.
//!
//! It does not test durability: each backend has to prove that with its own kinds of failures.

mod chains;

use super::Replacement::{Allowed, Refused};
use super::{
    ConflictOf, Conflicts, Creation, Directory, Embedded, Import, Imported, RegisterError,
    Registered, Replacement, Reset, Terms,
};

/// Runs the suite against an empty directory.
pub(super) async fn holds_for(directory: &dyn Directory) {
    an_unknown_id_has_no_key(directory).await;
    a_registered_key_comes_back_byte_for_byte(directory).await;
    the_same_key_again_changes_nothing(directory).await;
    another_spelling_of_the_key_is_the_same_key(directory).await;
    a_key_is_pinned(directory).await;
    a_claim_replaces_a_key(directory).await;
    ids_differ_in_case(directory).await;
    the_longest_id_and_key_are_stored(directory).await;
    requests_for_one_id_take_effect_in_order(directory).await;
    of_two_first_keys_exactly_one_wins(directory).await;
    dropping_an_answer_does_not_cancel_the_request(directory).await;
    a_client_that_may_create_no_record_still_registers_and_replaces_its_own(directory).await;
    records_are_counted(directory).await;
    chains::hold_for(directory).await;
}

async fn a_client_that_may_create_no_record_still_registers_and_replaces_its_own(
    directory: &dyn Directory,
) {
    let none = |replacement| Terms { replacement, creation: Creation::Refused };
    let refused = directory.register("unmade", r#""k""#, none(Refused)).await;
    assert_eq!(refused, Err(RegisterError::NotCreated));
    assert_eq!(stored(directory, "unmade").await, None);
    let made = directory.register("unmade", r#""k""#, Refused.into()).await;
    assert_eq!(made, Ok(Registered::Created));
    let again = directory.register("unmade", r#""k""#, none(Refused)).await;
    assert_eq!(again, Ok(Registered::Kept));
    let replaced = directory.register("unmade", r#""l""#, none(Allowed)).await;
    assert_eq!(replaced, Ok(Registered::Replaced));
}

async fn records_are_counted(directory: &dyn Directory) {
    let before = directory.records().count;
    for (key, replacement) in [(r#""k""#, Refused), (r#""k""#, Refused), (r#""l""#, Allowed)] {
        directory.register("counted", key, replacement.into()).await.unwrap();
        assert_eq!(directory.records().count, before + 1);
    }
}

async fn stored(directory: &dyn Directory, id: &str) -> Option<Box<str>> {
    directory.lookup(id).await.unwrap()
}

async fn an_unknown_id_has_no_key(directory: &dyn Directory) {
    assert_eq!(stored(directory, "nobody").await, None);
}

async fn a_registered_key_comes_back_byte_for_byte(directory: &dyn Directory) {
    let key = "\"a\\/b \\u00E9\u{e9} \\ud83d\\udd11\"";
    assert_eq!(directory.register("exact", key, Refused.into()).await, Ok(Registered::Created));
    assert_eq!(stored(directory, "exact").await.as_deref(), Some(key));
}

async fn the_same_key_again_changes_nothing(directory: &dyn Directory) {
    assert_eq!(directory.register("same", r#""k""#, Refused.into()).await, Ok(Registered::Created));
    assert_eq!(directory.register("same", r#""k""#, Refused.into()).await, Ok(Registered::Kept));
    assert_eq!(directory.register("same", r#""k""#, Allowed.into()).await, Ok(Registered::Kept));
}

async fn another_spelling_of_the_key_is_the_same_key(directory: &dyn Directory) {
    assert_eq!(
        directory.register("spelling", r#""a/b""#, Refused.into()).await,
        Ok(Registered::Created)
    );
    assert_eq!(
        directory.register("spelling", r#""a\/b""#, Refused.into()).await,
        Ok(Registered::Kept)
    );
    assert_eq!(stored(directory, "spelling").await.as_deref(), Some(r#""a/b""#));
}

async fn a_key_is_pinned(directory: &dyn Directory) {
    assert_eq!(
        directory.register("pinned", r#""k""#, Refused.into()).await,
        Ok(Registered::Created)
    );
    let other = directory.register("pinned", r#""l""#, Refused.into()).await;
    assert_eq!(other, Err(RegisterError::Pinned));
    assert_eq!(stored(directory, "pinned").await.as_deref(), Some(r#""k""#));
}

async fn a_claim_replaces_a_key(directory: &dyn Directory) {
    assert_eq!(
        directory.register("claim", r#""k""#, Refused.into()).await,
        Ok(Registered::Created)
    );
    assert_eq!(
        directory.register("claim", r#""l""#, Allowed.into()).await,
        Ok(Registered::Replaced)
    );
    assert_eq!(stored(directory, "claim").await.as_deref(), Some(r#""l""#));
}

async fn ids_differ_in_case(directory: &dyn Directory) {
    assert_eq!(directory.register("case", r#""k""#, Refused.into()).await, Ok(Registered::Created));
    assert_eq!(directory.register("CASE", r#""l""#, Refused.into()).await, Ok(Registered::Created));
    assert_eq!(stored(directory, "case").await.as_deref(), Some(r#""k""#));
}

async fn the_longest_id_and_key_are_stored(directory: &dyn Directory) {
    let id = "_".repeat(64);
    let key = format!("\"{}\"", "k".repeat(4096));
    assert_eq!(directory.register(&id, &key, Refused.into()).await, Ok(Registered::Created));
    assert_eq!(stored(directory, &id).await.as_deref(), Some(&*key));
}

async fn requests_for_one_id_take_effect_in_order(directory: &dyn Directory) {
    let first = directory.register("order", r#""k""#, Refused.into());
    let second = directory.register("order", r#""l""#, Refused.into());
    let third = directory.register("order", r#""m""#, Allowed.into());
    let fourth = directory.register("order", r#""m""#, Refused.into());
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
            directory.register(&id, r#""one""#, Refused.into()),
            directory.register(&id, r#""other""#, Refused.into()),
        );
        let winner = match (one, other) {
            (Ok(Registered::Created), Err(RegisterError::Pinned)) => r#""one""#,
            (Err(RegisterError::Pinned), Ok(Registered::Created)) => r#""other""#,
            both => panic!("{both:?}"),
        };
        assert_eq!(stored(directory, &id).await.as_deref(), Some(winner));
    }
}

async fn dropping_an_answer_does_not_cancel_the_request(directory: &dyn Directory) {
    drop(directory.register("left", r#""k""#, Refused.into()));
    assert_eq!(directory.register("left", r#""k""#, Refused.into()).await, Ok(Registered::Kept));
}

/// Runs the operations of operators against an empty directory.
pub(super) async fn operations_hold_for(directory: &Embedded) {
    an_empty_directory_exports_nothing(directory);
    an_import_takes_in_new_records_byte_for_byte(directory).await;
    the_same_import_again_changes_nothing(directory);
    a_conflict_prevents_the_whole_import(directory).await;
    an_import_replaces_if_it_may(directory).await;
    an_imported_key_is_pinned(directory).await;
    a_reset_id_takes_another_key(directory).await;
    a_reset_returns_which_ids_had_a_key(directory).await;
    an_export_is_in_the_order_of_ids(directory).await;
    an_export_is_of_one_moment(directory).await;
    chains::operations_hold_for(directory).await;
}

/// Returns all records as lines.
pub(super) fn exported(directory: &Embedded) -> String {
    let mut export = directory.export();
    let mut lines = String::new();
    loop {
        let page = export.next_page().unwrap();
        assert_eq!(page.lines.lines().count(), page.records);
        if page.records == 0 {
            return lines;
        }
        lines.push_str(&page.lines);
    }
}

pub(super) fn import(records: &[(&str, &str)], replacement: Replacement) -> Import {
    let line =
        |(id, key): &(&str, &str)| format!("{{\"clientId\":\"{id}\",\"publicKey\":{key}}}\n");
    let lines: String = records.iter().map(line).collect();
    Import::read(lines.as_bytes(), 4096, replacement).unwrap()
}

fn ids(ids: &[&str]) -> Vec<securecall_protocol::ClientId> {
    ids.iter().map(|id| (*id).try_into().unwrap()).collect()
}

const IMPORTED: [(&str, &str); 2] =
    [("imported-1", "\"a\\/b \\u00E9\u{e9} \\ud83d\\udd11\""), ("imported-2", r#""k""#)];

fn an_empty_directory_exports_nothing(directory: &Embedded) {
    assert_eq!(exported(directory), "");
}

async fn an_import_takes_in_new_records_byte_for_byte(directory: &Embedded) {
    let imported = directory.import(import(&IMPORTED, Refused)).unwrap();
    assert_eq!(imported, Ok(Imported { new: 2, ..Imported::default() }));
    for (id, key) in IMPORTED {
        assert_eq!(stored(directory, id).await.as_deref(), Some(key));
    }
}

fn the_same_import_again_changes_nothing(directory: &Embedded) {
    for replacement in [Refused, Allowed] {
        let imported = directory.import(import(&IMPORTED, replacement)).unwrap();
        assert_eq!(imported, Ok(Imported { same: 2, ..Imported::default() }));
    }
}

async fn a_conflict_prevents_the_whole_import(directory: &Embedded) {
    let records = [("imported-0", r#""k""#), ("imported-2", r#""l""#), ("imported-3", r#""k""#)];
    let refused = directory.import(import(&records, Refused)).unwrap();
    assert_eq!(refused, Err(Conflicts { of: ConflictOf::Keys, lines: vec![2], count: 1 }));
    assert_eq!(stored(directory, "imported-0").await, None);
    assert_eq!(stored(directory, "imported-2").await.as_deref(), Some(r#""k""#));
    assert_eq!(stored(directory, "imported-3").await, None);
}

async fn an_import_replaces_if_it_may(directory: &Embedded) {
    let records = [("imported-2", r#""l""#), ("imported-3", r#""k""#)];
    let imported = directory.import(import(&records, Allowed)).unwrap();
    assert_eq!(imported, Ok(Imported { new: 1, replaced: 1, ..Imported::default() }));
    assert_eq!(stored(directory, "imported-2").await.as_deref(), Some(r#""l""#));
}

async fn an_imported_key_is_pinned(directory: &Embedded) {
    let other = directory.register("imported-2", r#""k""#, Refused.into()).await;
    assert_eq!(other, Err(RegisterError::Pinned));
}

async fn a_reset_id_takes_another_key(directory: &Embedded) {
    assert_eq!(directory.register("lost", r#""k""#, Refused.into()).await, Ok(Registered::Created));
    assert_eq!(directory.reset(ids(&["lost"])), Ok(vec![Reset::Done]));
    assert_eq!(stored(directory, "lost").await, None);
    assert_eq!(directory.register("lost", r#""l""#, Refused.into()).await, Ok(Registered::Created));
}

async fn a_reset_returns_which_ids_had_a_key(directory: &Embedded) {
    directory.register("reset", r#""k""#, Refused.into()).await.unwrap();
    let had_key = directory.reset(ids(&["never-there", "reset", "reset"]));
    assert_eq!(had_key, Ok(vec![Reset::Nothing, Reset::Done, Reset::Nothing]));
}

async fn an_export_is_in_the_order_of_ids(directory: &Embedded) {
    for id in ["order-b", "order-B", "order-a"] {
        directory.register(id, r#""k""#, Refused.into()).await.unwrap();
    }
    let lines = exported(directory);
    let lines: Vec<&str> = lines.lines().filter(|line| line.contains("order-")).collect();
    let line = |id| format!(r#"{{"clientId":"{id}","publicKey":"k"}}"#);
    assert_eq!(lines, ["order-B", "order-a", "order-b"].map(line));
}

async fn an_export_is_of_one_moment(directory: &Embedded) {
    let key = format!("\"{}\"", "k".repeat(1000));
    for n in 0..200 {
        directory.register(&format!("moment-{n}"), &key, Refused.into()).await.unwrap();
    }
    let before = exported(directory);
    let mut export = directory.export();
    let mut lines = export.next_page().unwrap().lines;
    assert!(lines.len() < before.len(), "there is one page alone");
    directory.reset(ids(&["moment-99"])).unwrap();
    directory.register("moment-999", &key, Refused.into()).await.unwrap();
    loop {
        let page = export.next_page().unwrap();
        if page.records == 0 {
            break;
        }
        lines.push_str(&page.lines);
    }
    assert_eq!(lines, before);
    assert_ne!(exported(directory), before);
}
