//! What every directory does with chains.

use std::sync::Arc;

use parking_lot::Mutex;
use securecall_identity::{Id, Kind, Link, Refusal};

use super::{exported, ids, stored};
use crate::directory::Replacement::Refused;
use crate::directory::identities::Owner;
use crate::directory::{
    CHAIN_PAGE_LINKS, ChainPage, ChainQuery, ConflictOf, Conflicts, Creation, Directory, Embedded,
    ExtendError, Extended, HeadChange, Import, Imported, PublishError, Published, Replacement,
    Reset, Standing,
};

/// Runs the suite against a directory without chains.
pub(super) async fn hold_for(directory: &dyn Directory) {
    an_id_without_a_chain_is_unbound(directory).await;
    a_chain_comes_back_link_by_link(directory).await;
    the_same_link_again_is_kept(directory).await;
    another_link_in_a_place_is_refused(directory).await;
    nobody_extends_the_chain_of_another(directory).await;
    a_reset_is_taken_from_nobody(directory).await;
    of_two_inceptions_exactly_one_wins(directory).await;
    an_ended_id_stays_ended(directory).await;
    a_certified_id_has_its_chain(directory).await;
    an_inception_needs_a_place(directory).await;
    rotations_have_a_rate(directory).await;
    a_long_chain_comes_in_parts(directory).await;
    a_bundle_is_published_for_the_present_head(directory).await;
    a_key_and_a_chain_stand_side_by_side(directory).await;
    heads_are_reported_before_the_answer(directory).await;
}

async fn extend(directory: &dyn Directory, link: Link) -> Result<Extended, ExtendError> {
    directory.extend(link, Creation::Allowed).await
}

async fn publish(owner: &Owner, directory: &dyn Directory) {
    for link in owner.chain().links() {
        extend(directory, link.clone()).await.unwrap();
    }
}

async fn chain(directory: &dyn Directory, id: &str, query: ChainQuery) -> Option<ChainPage> {
    directory.chain(id, query).await.unwrap()
}

async fn an_id_without_a_chain_is_unbound(directory: &dyn Directory) {
    assert_eq!(directory.standing("nobody"), Standing::Unbound);
    assert!(chain(directory, "nobody", ChainQuery::default()).await.is_none());
    let owner = Owner::of("nobody");
    let bundle = directory.publish(&owner.id(), owner.bundle(1).as_bytes()).await;
    assert_eq!(bundle, Err(PublishError::Unbound));
}

async fn a_chain_comes_back_link_by_link(directory: &dyn Directory) {
    let mut owner = Owner::of("chained");
    let mut links = vec![owner.link()];
    links.extend([owner.rotate(), owner.recover(), owner.rotate()]);
    for (sequence, link) in links.iter().enumerate() {
        let added = extend(directory, link.clone()).await;
        assert_eq!(added, Ok(Extended::Added(link.position())));
        assert_eq!(directory.standing("chained"), Standing::Bound(link.position().hash));
        let page = chain(directory, "chained", ChainQuery::default()).await.unwrap();
        assert!(page.head == link.position() && page.bundle.is_none());
        assert_eq!(page.links.len(), sequence + 1);
        assert!(page.links.iter().zip(&links).all(|(one, other)| **one == *other.as_bytes()));
    }
    let known = Some(links[3].position().hash);
    let page = chain(directory, "chained", ChainQuery { known, from: 0 }).await.unwrap();
    assert!(page.links.is_empty() && page.head == links[3].position());
    let stale = Some(links[1].position().hash);
    let page = chain(directory, "chained", ChainQuery { known: stale, from: 2 }).await.unwrap();
    assert_eq!(page.links.len(), 2);
}

async fn the_same_link_again_is_kept(directory: &dyn Directory) {
    let mut owner = Owner::of("again");
    let first = owner.link();
    publish(&owner, directory).await;
    assert_eq!(extend(directory, first.clone()).await, Ok(Extended::Kept(first.position())));
    let second = owner.rotate();
    extend(directory, second.clone()).await.unwrap();
    // Also when the chain has gone on, and whoever asks may make no record.
    for link in [first, second.clone()] {
        let kept = directory.extend(link, Creation::Refused).await;
        assert_eq!(kept, Ok(Extended::Kept(second.position())));
    }
}

async fn another_link_in_a_place_is_refused(directory: &dyn Directory) {
    let mut owner = Owner::of("place");
    publish(&owner, directory).await;
    let mut other = owner.clone();
    other.recover();
    extend(directory, owner.rotate()).await.unwrap();
    let refused = extend(directory, other.link()).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::SequenceTaken)));
    other.rotate();
    let refused = extend(directory, other.link()).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::OtherPrevious)));
    assert_eq!(directory.standing("place"), Standing::Bound(owner.link().position().hash));
}

async fn nobody_extends_the_chain_of_another(directory: &dyn Directory) {
    publish(&Owner::of("taken"), directory).await;
    let mut rival = Owner::rival_of("taken");
    let refused = extend(directory, rival.link()).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::SequenceTaken)));
    let refused = extend(directory, rival.rotate()).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::OtherPrevious)));
    // A link of the right place whose signature somebody else made.
    let mut owner = Owner::of("taken");
    let mut bytes = owner.rotate().as_bytes().to_vec();
    if let Some(last) = bytes.last_mut() {
        *last ^= 1;
    }
    let forged = extend(directory, Link::parse(&bytes).unwrap()).await;
    assert!(matches!(forged, Err(ExtendError::Refused(_))), "{forged:?}");
    assert_eq!(chain(directory, "taken", ChainQuery::default()).await.unwrap().links.len(), 1);
}

async fn a_reset_is_taken_from_nobody(directory: &dyn Directory) {
    let owner = Owner::of("unreset");
    let reset = Link::reset(owner.chain().head(), 0).unwrap();
    let refused = extend(directory, reset.clone()).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::NotAFirstLink)));
    publish(&owner, directory).await;
    let refused = extend(directory, reset).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::OtherEpoch)));
}

async fn of_two_inceptions_exactly_one_wins(directory: &dyn Directory) {
    for round in 0..10 {
        let id = format!("inception-{round}");
        let (one, other) = (Owner::of(&id), Owner::rival_of(&id));
        let (first, second) =
            tokio::join!(extend(directory, one.link()), extend(directory, other.link()));
        let lost = Err(ExtendError::Refused(Refusal::SequenceTaken));
        assert!(first.is_ok() != second.is_ok() && (first == lost || second == lost));
        let winner = if first.is_ok() { one } else { other };
        assert_eq!(directory.standing(&id), Standing::Bound(winner.link().position().hash));
    }
}

async fn an_ended_id_stays_ended(directory: &dyn Directory) {
    let mut owner = Owner::of("ended");
    publish(&owner, directory).await;
    let mut late = owner.clone();
    extend(directory, owner.end()).await.unwrap();
    assert_eq!(directory.standing("ended"), Standing::Ended);
    late.rotate();
    late.rotate();
    let refused = extend(directory, late.link()).await;
    assert_eq!(refused, Err(ExtendError::Refused(Refusal::AfterTombstone)));
    let bundle = directory.publish(&late.id(), late.bundle(1).as_bytes()).await;
    assert_eq!(bundle, Err(PublishError::Refused(Refusal::HeadUnbound)));
}

async fn a_certified_id_has_its_chain(directory: &dyn Directory) {
    let mut owner = Owner::certified(1);
    publish(&owner, directory).await;
    let id = owner.id();
    assert!(id.is_certified());
    let head = extend(directory, owner.recover()).await;
    assert_eq!(head, Ok(Extended::Added(owner.link().position())));
    assert_eq!(directory.standing(id.as_str()), Standing::Bound(owner.link().position().hash));
}

async fn an_inception_needs_a_place(directory: &dyn Directory) {
    let mut owner = Owner::of("placeless");
    let before = directory.records().count;
    let refused = directory.extend(owner.link(), Creation::Refused).await;
    assert_eq!(refused, Err(ExtendError::NotCreated));
    assert_eq!(directory.standing("placeless"), Standing::Unbound);
    extend(directory, owner.link()).await.unwrap();
    assert_eq!(directory.records().count, before + 1);
    // What is there goes on.
    let rotated = directory.extend(owner.rotate(), Creation::Refused).await;
    assert!(rotated.is_ok(), "{rotated:?}");
    assert_eq!(directory.records().count, before + 1);
}

async fn rotations_have_a_rate(directory: &dyn Directory) {
    let mut owner = Owner::of("hasty");
    publish(&owner, directory).await;
    for _ in 0..4 {
        extend(directory, owner.rotate()).await.unwrap();
    }
    let mut recovered = owner.clone();
    let too_soon = extend(directory, owner.rotate()).await;
    assert!(matches!(too_soon, Err(ExtendError::TooSoon(_))), "{too_soon:?}");
    extend(directory, recovered.recover()).await.unwrap();
}

async fn a_long_chain_comes_in_parts(directory: &dyn Directory) {
    let mut owner = Owner::of("long");
    publish(&owner, directory).await;
    for _ in 0..100 {
        extend(directory, owner.recover()).await.unwrap();
    }
    let mut links = Vec::new();
    let mut parts = 0;
    while links.len() < 101 {
        let query = ChainQuery { known: None, from: links.len() as u8 };
        let page = chain(directory, "long", query).await.unwrap();
        assert!(!page.links.is_empty() && page.links.len() <= CHAIN_PAGE_LINKS);
        assert!(page.head == owner.link().position());
        links.extend(page.links);
        parts += 1;
    }
    assert_eq!(parts, 2);
    assert!(
        owner.chain().links().iter().zip(&links).all(|(one, other)| *one.as_bytes() == **other)
    );
    let beyond = ChainQuery { known: None, from: 101 };
    assert!(chain(directory, "long", beyond).await.unwrap().links.is_empty());
}

async fn a_bundle_is_published_for_the_present_head(directory: &dyn Directory) {
    let mut owner = Owner::of("bundled");
    publish(&owner, directory).await;
    let id = owner.id();
    let publish = async |number: u32, owner: &Owner| {
        directory.publish(&id, owner.bundle(number).as_bytes()).await
    };
    let bundle = async || chain(directory, "bundled", ChainQuery::default()).await.unwrap().bundle;
    assert_eq!(publish(3, &owner).await, Ok(Published::Stored));
    assert_eq!(publish(3, &owner).await, Ok(Published::Kept));
    assert_eq!(publish(4, &owner).await, Ok(Published::Stored));
    let old = publish(3, &owner).await;
    assert_eq!(old, Err(PublishError::Refused(Refusal::BundleRolledBack)));
    assert!(*bundle().await.unwrap() == *owner.bundle(4).as_bytes());

    let before = owner.clone();
    extend(directory, owner.rotate()).await.unwrap();
    assert!(bundle().await.is_none(), "it was for the head before");
    let old = publish(5, &before).await;
    assert_eq!(old, Err(PublishError::Refused(Refusal::OtherHead)));
    assert_eq!(publish(1, &owner).await, Ok(Published::Stored));
    let nonsense = directory.publish(&id, b"nonsense").await;
    assert!(matches!(nonsense, Err(PublishError::Refused(_))), "{nonsense:?}");
    assert!(*bundle().await.unwrap() == *owner.bundle(1).as_bytes());
}

async fn a_key_and_a_chain_stand_side_by_side(directory: &dyn Directory) {
    directory.register("both", r#""k""#, Refused.into()).await.unwrap();
    publish(&Owner::of("both"), directory).await;
    assert_eq!(stored(directory, "both").await.as_deref(), Some(r#""k""#));
    let other = directory.register("both", r#""l""#, Refused.into()).await;
    assert!(other.is_err(), "it is pinned as before");
}

async fn heads_are_reported_before_the_answer(directory: &dyn Directory) {
    type Seen = (String, Kind, Standing);
    let seen = Arc::<Mutex<Vec<Seen>>>::default();
    let watcher = {
        let seen = seen.clone();
        move |change: &HeadChange<'_>| {
            seen.lock().push((change.id.to_owned(), change.kind, change.standing));
        }
    };
    directory.watch(Box::new(watcher));
    let mut owner = Owner::of("watched");
    let mut expected = Vec::new();
    for link in [owner.link(), owner.rotate(), owner.recover(), owner.end()] {
        let standing = match link.kind() {
            Kind::Tombstone => Standing::Ended,
            _ => Standing::Bound(link.position().hash),
        };
        expected.push(("watched".to_owned(), link.kind(), standing));
        extend(directory, link.clone()).await.unwrap();
        assert_eq!(*seen.lock(), expected);
        // The same again changes nothing, so nothing is reported.
        extend(directory, link).await.unwrap();
        assert_eq!(seen.lock().len(), expected.len());
    }
    assert!(extend(directory, Owner::rival_of("watched").link()).await.is_err());
    assert_eq!(*seen.lock(), expected);
}

/// Runs what operators do with chains.
pub(super) async fn operations_hold_for(directory: &Embedded) {
    chains_come_out_as_they_went_in(directory).await;
    an_import_goes_on_and_never_back(directory).await;
    some_ids_cannot_be_reset(directory).await;
}

fn import(lines: &str, replacement: Replacement) -> Import {
    Import::read(lines.as_bytes(), 4096, replacement).unwrap()
}

fn line(owner: &Owner, bundle: Option<u32>) -> String {
    let (id, links) = (owner.id(), owner.texts().join("\",\""));
    let bundle = bundle.map(|number| owner.bundle(number).to_text());
    let bundle = bundle.map_or(String::new(), |text| format!(",\"bundle\":\"{text}\""));
    format!("{{\"clientId\":\"{}\",\"links\":[\"{links}\"]{bundle}}}\n", id.as_str())
}

fn exported_line(directory: &Embedded, id: &Id) -> Option<String> {
    let beginning = format!("{{\"clientId\":\"{}\"", id.as_str());
    let lines = exported(directory);
    lines.lines().find(|line| line.starts_with(&beginning)).map(|line| format!("{line}\n"))
}

async fn chains_come_out_as_they_went_in(directory: &Embedded) {
    let mut owner = Owner::of("moved");
    owner.rotate();
    owner.recover();
    for (bundle, expected) in [
        (None, Imported { new: 1, ..Imported::default() }),
        (None, Imported { same: 1, ..Imported::default() }),
        (Some(2), Imported { longer: 1, ..Imported::default() }),
        (Some(2), Imported { same: 1, ..Imported::default() }),
    ] {
        let line = line(&owner, bundle);
        assert_eq!(directory.import(import(&line, Refused)).unwrap(), Ok(expected));
        assert_eq!(exported_line(directory, &owner.id()), Some(line));
    }
    let head = owner.link().position();
    assert_eq!(directory.standing("moved"), Standing::Bound(head.hash));
    // It goes on where it was brought.
    let next = owner.rotate();
    let added = directory.extend(next.clone(), Creation::Refused).await;
    assert_eq!(added, Ok(Extended::Added(next.position())));
}

async fn an_import_goes_on_and_never_back(directory: &Embedded) {
    let mut owner = Owner::of("merged");
    let first = owner.clone();
    publish(&owner, directory).await;
    owner.rotate();
    let middle = owner.clone();
    owner.rotate();
    let key = "{\"clientId\":\"merged-2\",\"publicKey\":\"k\"}\n";
    let taken = directory.import(import(&line(&owner, Some(7)), Refused)).unwrap();
    assert_eq!(taken, Ok(Imported { longer: 1, ..Imported::default() }));
    let mut fork = middle.clone();
    fork.recover();
    for (other, bundle) in [(&first, None), (&middle, None), (&fork, None), (&owner, Some(6))] {
        let lines = format!("{key}{}", line(other, bundle));
        let refused = directory.import(import(&lines, Replacement::Allowed)).unwrap();
        assert_eq!(refused, Err(Conflicts { of: ConflictOf::Chains, lines: vec![2], count: 1 }));
        assert_eq!(exported_line(directory, &owner.id()), Some(line(&owner, Some(7))));
        assert_eq!(stored(directory, "merged-2").await, None, "it is all or nothing");
    }
}

async fn some_ids_cannot_be_reset(directory: &Embedded) {
    let certified = Owner::certified(2);
    let mut ended = Owner::of("finished");
    publish(&certified, directory).await;
    publish(&ended, directory).await;
    directory.extend(ended.end(), Creation::Refused).await.unwrap();
    let resets = directory.reset(ids(&[certified.id().as_str(), "finished"]));
    assert_eq!(resets, Ok(vec![Reset::Certified, Reset::Ended]));
    assert_eq!(directory.pending_resets(), Ok(Vec::new()));
    let head = certified.link().position();
    let standing = directory.standing(certified.id().as_str());
    assert_eq!(standing, Standing::Bound(head.hash));
}
