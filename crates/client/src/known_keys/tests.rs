//! Known keys in a file, which other programs write to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::thread;

use securecall_seal::{Identity, Seed, Suite};
use tempfile::TempDir;

use super::*;

const SERVER: &str = "wss://example.net/signal";

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known");
    (folder, path)
}

fn open(path: &Path) -> KnownKeys {
    KnownKeys::open(path, SERVER).unwrap()
}

/// A key of its own each time.
fn key_of(name: &str) -> DirectoryKey {
    let identity = Identity::new(name, &Seed::generate(&mut rand::rng()), Suite::X25519).unwrap();
    DirectoryKey::parse(identity.directory_key().as_str(), name).unwrap()
}

fn id(name: &str) -> ClientId {
    name.try_into().unwrap()
}

/// The clients in the file, for this server.
fn names(path: &Path) -> Vec<String> {
    open(path).iter().map(|(name, _)| name.to_owned()).collect()
}

fn remember(keys: &mut KnownKeys, name: &str) -> DirectoryKey {
    let key = key_of(name);
    assert!(keys.remember(&key).unwrap());
    key
}

#[test]
fn what_is_saved_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a").join("known");
    let mut keys = open(&path);
    remember(&mut keys, "alice");
    remember(&mut keys, "bob");
    keys.save().unwrap();
    assert_eq!(open(&path).iter().collect::<Vec<_>>(), keys.iter().collect::<Vec<_>>());
    let files: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(files.len(), 2, "the keys and the lock, and no draft");
}

#[test]
fn programs_that_share_a_file_keep_each_others_keys_and_learn_of_them() {
    let (_folder, path) = place();
    let (mut one, mut other) = (open(&path), open(&path));
    let alice = remember(&mut one, "alice");
    one.save().unwrap();
    remember(&mut other, "bob");
    other.save().unwrap();
    assert_eq!(names(&path), ["alice", "bob"]);
    assert_eq!(other.recognise(&alice), Recognition::Known);
    assert!(matches!(other.recognise(&key_of("alice")), Recognition::Changed { .. }));
}

#[test]
fn what_one_program_forgets_no_other_brings_back() {
    let (_folder, path) = place();
    let mut one = open(&path);
    remember(&mut one, "alice");
    one.save().unwrap();
    let mut other = open(&path);
    assert!(one.forget(&id("alice")));
    one.save().unwrap();
    remember(&mut other, "bob");
    other.save().unwrap();
    assert_eq!(names(&path), ["bob"]);
    assert!(!other.knows("alice"));
}

#[test]
fn programs_that_save_at_the_same_time_wait_for_each_other() {
    let (_folder, path) = place();
    let savers: Vec<_> = (0..8)
        .map(|n| {
            let mut keys = open(&path);
            remember(&mut keys, &format!("client{n}"));
            thread::spawn(move || keys.save())
        })
        .collect();
    for saver in savers {
        saver.join().unwrap().unwrap();
    }
    assert_eq!(names(&path).len(), 8);
}

#[test]
fn a_key_that_was_only_met_does_not_replace_the_one_that_another_program_met_first() {
    let (_folder, path) = place();
    let (mut first, mut second) = (open(&path), open(&path));
    let (theirs, ours) = (key_of("alice"), key_of("alice"));
    assert!(first.meet(&theirs));
    first.save().unwrap();
    assert!(second.meet(&ours));
    let overruled = {
        let saved = second.unsaved().unwrap().save().unwrap();
        second.saved(saved).overruled
    };
    assert_eq!(overruled, ["alice".into()]);
    assert_eq!(second.recognise(&theirs), Recognition::Known);
    assert_eq!(open(&path).recognise(&theirs), Recognition::Known);
}

#[test]
fn a_key_that_somebody_compared_replaces_any_other() {
    let (_folder, path) = place();
    let (mut first, mut second) = (open(&path), open(&path));
    assert!(first.meet(&key_of("alice")));
    first.save().unwrap();
    let compared = key_of("alice");
    assert!(second.meet(&compared));
    assert!(
        second.remember(&compared).unwrap(),
        "met and not yet saved, it can still be overruled"
    );
    second.save().unwrap();
    assert!(!second.remember(&compared).unwrap());
    assert_eq!(open(&path).recognise(&compared), Recognition::Known);
}

#[test]
fn a_client_that_is_forgotten_and_met_again_has_the_new_key() {
    let (_folder, path) = place();
    let mut keys = open(&path);
    remember(&mut keys, "alice");
    keys.save().unwrap();
    assert!(keys.forget(&id("alice")));
    let new = key_of("alice");
    assert!(keys.meet(&new));
    keys.save().unwrap();
    assert_eq!(open(&path).recognise(&new), Recognition::Known);
}

#[test]
fn what_changes_during_a_save_is_saved_by_the_next() {
    let (_folder, path) = place();
    let mut keys = open(&path);
    remember(&mut keys, "alice");
    let saved = keys.unsaved().unwrap().save().unwrap();
    remember(&mut keys, "bob");
    assert!(keys.saved(saved).overruled.is_empty());
    assert!(keys.knows("bob"));
    keys.save().unwrap();
    assert_eq!(names(&path), ["alice", "bob"]);
}

#[test]
fn the_same_id_at_another_server_is_somebody_else() {
    let (_folder, path) = place();
    let mut here = open(&path);
    let alice = remember(&mut here, "alice");
    here.save().unwrap();
    let mut there = KnownKeys::open(&path, "wss://example.org/signal").unwrap();
    let other_alice = key_of("alice");
    assert_eq!(there.recognise(&other_alice), Recognition::New);
    assert!(there.remember(&other_alice).unwrap());
    there.save().unwrap();
    assert_eq!(open(&path).recognise(&alice), Recognition::Known);
}

#[test]
fn a_server_is_its_host_and_port_however_its_address_is_written() {
    let (_folder, path) = place();
    let mut keys = open(&path);
    let alice = remember(&mut keys, "alice");
    keys.save().unwrap();
    assert!(fs::read_to_string(&path).unwrap().starts_with("example.net:443 alice "));
    for same in ["wss://EXAMPLE.net:443/other", "ws://example.net:443"] {
        let keys = KnownKeys::open(&path, same).unwrap();
        assert_eq!(keys.recognise(&alice), Recognition::Known, "{same}");
    }
    let other = KnownKeys::open(&path, "ws://example.net/signal").unwrap();
    assert_eq!(other.recognise(&alice), Recognition::New, "another port, another server");
    assert!(matches!(KnownKeys::open(&path, "example.net"), Err(KnownKeysError::Address)));
}

#[test]
fn a_line_from_before_there_were_servers_in_it_is_named() {
    let (_folder, path) = place();
    fs::write(&path, format!("\nalice {}\n", ["12345"; 8].join(" "))).unwrap();
    let error = KnownKeys::open(&path, SERVER).unwrap_err();
    assert!(matches!(error, KnownKeysError::Malformed { line: 2, .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone_and_one_that_others_can_write_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = place();
    let mut keys = open(&path);
    remember(&mut keys, "alice");
    keys.save().unwrap();
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(KnownKeys::open(&path, SERVER), Err(KnownKeysError::Exposed { .. })));
}

#[test]
fn a_file_that_is_far_too_large_is_not_read_whole() {
    let (_folder, path) = place();
    // All holes: it takes no room.
    File::create(&path).unwrap().set_len(1 << 40).unwrap();
    let error = KnownKeys::open(&path, SERVER).unwrap_err();
    assert!(matches!(error, KnownKeysError::TooLarge { .. }), "{error}");
}

#[test]
fn a_save_that_fails_leaves_the_old_file_and_the_next_one_makes_up_for_it() {
    let (folder, path) = place();
    let mut keys = open(&path);
    remember(&mut keys, "alice");
    keys.save().unwrap();
    let before = fs::read_to_string(&path).unwrap();
    // A folder where the draft belongs.
    let draft = folder.path().join("known.new");
    fs::create_dir(&draft).unwrap();
    remember(&mut keys, "bob");
    assert!(matches!(keys.save(), Err(KnownKeysError::Io { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    fs::remove_dir(&draft).unwrap();
    keys.save().unwrap();
    assert_eq!(names(&path), ["alice", "bob"]);
}

#[test]
fn another_key_of_the_same_client_takes_the_place_of_the_first() {
    let mut keys = KnownKeys::in_memory();
    remember(&mut keys, "alice");
    remember(&mut keys, "alice");
    assert_eq!(keys.iter().count(), 1);
    assert!(keys.forget(&id("alice")));
    assert_eq!(keys.iter().count(), 0);
}

impl KnownKeys {
    /// As many people as can be remembered.
    pub(crate) fn full() -> Self {
        let mut keys = Self::in_memory();
        for number in 0..REMEMBERED_MAX {
            keys.fingerprints.insert(format!("-{number}").into(), "1".to_owned());
        }
        keys
    }
}

#[test]
fn beyond_its_bound_nobody_is_remembered_in_silence_and_nobody_forgotten() {
    let (mut keys, key) = (KnownKeys::full(), key_of("alice"));
    assert!(matches!(keys.remember(&key), Err(KnownKeysError::Full)));
    assert!(!keys.meet(&key));
    assert_eq!(keys.iter().count(), REMEMBERED_MAX);
    assert!(keys.forget(&id("-7")));
    assert!(keys.remember(&key).unwrap());
}

#[test]
fn who_finds_the_file_filled_by_other_programs_is_told() {
    let (_folder, path) = place();
    let mut keys = open(&path);
    remember(&mut keys, "alice");
    keys.meet(&key_of("bob"));
    let changes = keys.changes.clone();
    let found = keys.saved(Saved { changes, fingerprints: KnownKeys::full().fingerprints });
    assert_eq!(found.without_room, [Box::from("alice"), Box::from("bob")]);
    assert!(found.overruled.is_empty());
}

#[test]
fn debug_prints_nobody() {
    let mut keys = KnownKeys::in_memory();
    remember(&mut keys, "alice");
    assert_eq!(format!("{keys:?}"), "KnownKeys(1)");
}
