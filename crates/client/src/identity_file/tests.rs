use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/identity.json");
    (folder, path)
}

fn fingerprint(stored: &StoredIdentity) -> String {
    stored.identity().unwrap().directory_key().fingerprint().to_string()
}

#[test]
fn the_first_run_makes_an_identity_and_the_next_ones_have_the_same() {
    let (_folder, path) = folder();
    let first = StoredIdentity::read_or_create(&path, "alice").unwrap();
    let second = StoredIdentity::read_or_create(&path, "alice").unwrap();
    assert_eq!(fingerprint(&first), fingerprint(&second));
    let other = StoredIdentity::read_or_create(&path, "bob");
    assert!(matches!(other, Err(IdentityFileError::OtherClient { .. })));
}

#[test]
fn random_seeds_differ() {
    assert_ne!(Seed::random().as_bytes(), Seed::random().as_bytes());
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_alone_and_so_is_a_folder_made_for_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_folder, path) = folder();
    StoredIdentity::read_or_create(&path, "alice").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    for exposed in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
        let read = StoredIdentity::read_or_create(&path, "alice");
        assert!(matches!(read, Err(IdentityFileError::Exposed { mode, .. }) if mode == exposed));
    }
}

#[test]
fn a_file_that_is_there_stays_as_it_is() {
    let (_folder, path) = folder();
    let alice = StoredIdentity::read_or_create(&path, "alice").unwrap();
    let bob = StoredIdentity { client_id: "bob".to_owned(), seed: Seed::random() };
    assert!(matches!(bob.create(&path), Err(IdentityFileError::Exists { .. })));
    assert_eq!(fingerprint(&StoredIdentity::read(&path).unwrap()), fingerprint(&alice));
    // Nor is a draft left beside it.
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn an_id_that_is_none_is_written_nowhere() {
    let (_folder, path) = folder();
    let made = StoredIdentity::read_or_create(&path, "not an id");
    assert!(matches!(made, Err(IdentityFileError::Seal(_))));
    assert!(!path.exists());
}

#[test]
fn what_is_no_identity_is_refused() {
    let (_folder, path) = folder();
    StoredIdentity::read_or_create(&path, "alice").unwrap();
    let whole = fs::read(&path).unwrap();
    let cut = &whole[..whole.len() / 2];
    for text in [&b""[..], b"{}", b"null", b"\xff\xfe", cut] {
        fs::write(&path, text).unwrap();
        let read = StoredIdentity::read(&path);
        assert!(matches!(read, Err(IdentityFileError::Malformed { .. })));
    }
}

#[test]
fn no_error_shows_a_seed() {
    let (_folder, path) = folder();
    let stored = StoredIdentity::read_or_create(&path, "alice").unwrap();
    let error = stored.create(&path).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(hex(stored.seed.as_bytes()).as_str()));
}
