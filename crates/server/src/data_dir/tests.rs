//! Data folders that are accepted, and all the ways in which one is refused.

use std::os::unix::fs::PermissionsExt as _;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;
use crate::directory::{Directory as _, Registered, Replacement::Refused};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Opens a folder that was closed before. A process that another test forks holds a copy of each
/// open file, and so the lock, until it executes its program; hence the retries.
pub(crate) fn opened(folder: &Path) -> DataDir {
    let began = Instant::now();
    loop {
        match DataDir::open(folder) {
            Err(DataDirError::InUse(_)) if began.elapsed() < Duration::from_secs(5) => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return opened.unwrap(),
        }
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Returns a folder whose directory has some records, and the bytes of the directory.
async fn folder_with_records() -> (TempDir, PathBuf, Vec<u8>) {
    let folder = folder();
    let directory = opened(folder.path()).directory().unwrap();
    for n in 0..50 {
        let key = format!("\"{n}{}\"", "k".repeat(200));
        directory.register(&format!("id-{n}"), &key, Refused.into()).await.unwrap();
    }
    drop(directory);
    let path = folder.path().join(DIRECTORY);
    let bytes = fs::read(&path).unwrap();
    (folder, path, bytes)
}

/// Returns the error of a start, after checking that it names the path and that no byte changed.
fn refusal(folder: &TempDir, path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let error = opened(folder.path()).directory().err().expect("was opened");
    assert!(fs::read(path).unwrap() == before, "a refused file was changed");
    let message = error.to_string();
    assert!(message.contains(path.to_str().unwrap()), "{message}");
    message
}

#[test]
fn a_new_folder_is_for_its_owner_alone() {
    let parent = folder();
    let path = parent.path().join("a/b");
    let data_dir = opened(&path);
    data_dir.server_key().unwrap();
    drop(data_dir.directory().unwrap());

    assert_eq!(mode(&path), 0o700);
    let mut files: Vec<_> =
        fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, [DIRECTORY, LOCK, SERVER_KEY]);
    for file in files {
        assert_eq!(mode(&path.join(file)), 0o600);
    }
}

#[tokio::test]
async fn keys_survive_a_restart() {
    let (folder, ..) = folder_with_records().await;
    let directory = opened(folder.path()).directory().unwrap();
    assert!(directory.lookup("id-49").await.unwrap().is_some());
    let created = directory.register("late", r#""k""#, Refused.into()).await;
    assert_eq!(created, Ok(Registered::Created));
}

#[test]
fn the_server_key_is_random_and_stays() {
    let (one, other) = (folder(), folder());
    let key = |folder: &TempDir| *opened(folder.path()).server_key().unwrap().expose();
    assert_eq!(key(&one), key(&one));
    assert_ne!(key(&one), key(&other));
}

#[test]
fn a_server_key_is_not_printed() {
    let folder = folder();
    let key = opened(folder.path()).server_key().unwrap();
    assert_eq!(format!("{key:?}"), "ServerKey(..)");
}

#[test]
fn a_second_server_is_refused() {
    let folder = folder();
    let first = opened(folder.path());
    let error = DataDir::open(folder.path()).unwrap_err();
    assert!(matches!(error, DataDirError::InUse(_)));
    assert!(error.to_string().contains(folder.path().to_str().unwrap()));
    drop(first);
    opened(folder.path());
}

#[test]
fn an_open_directory_keeps_the_folder_locked() {
    let folder = folder();
    let directory = opened(folder.path()).directory().unwrap();
    assert!(matches!(DataDir::open(folder.path()), Err(DataDirError::InUse(_))));
    directory.close();
    opened(folder.path());
}

#[test]
fn a_directory_is_opened_once() {
    let folder = folder();
    let data_dir = opened(folder.path());
    let _open = data_dir.directory().unwrap();
    let source = data_dir.directory().err().unwrap();
    assert!(matches!(source, DataDirError::Directory { source: OpenError::InUse, .. }));
}

#[test]
fn a_file_in_place_of_the_folder_is_refused() {
    let parent = folder();
    let path = parent.path().join("file");
    fs::write(&path, "mine").unwrap();
    assert!(matches!(DataDir::open(&path), Err(DataDirError::NotAFolder(_))));
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_folder_below_a_file_is_refused() {
    let parent = folder();
    let file = parent.path().join("file");
    fs::write(&file, "mine").unwrap();
    let error = DataDir::open(&file.join("below")).unwrap_err();
    assert!(matches!(error, DataDirError::NotCreated { .. }), "{error}");
}

#[test]
fn a_folder_that_others_may_write_to_is_refused() {
    for others in [0o757, 0o775, 0o777, 0o1777, 0o702] {
        let folder = tempfile::tempdir().unwrap();
        drop(opened(folder.path()).directory().unwrap());
        fs::set_permissions(folder.path(), Permissions::from_mode(others)).unwrap();
        for refused in [DataDir::open(folder.path()).err(), DataDir::existing(folder.path()).err()]
        {
            let refused = refused.expect("was opened");
            assert!(matches!(refused, DataDirError::WritableForOthers(_)), "{others:o}: {refused}");
            assert!(refused.to_string().contains("chmod go-w"), "{refused}");
        }
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        opened(folder.path());
    }
}

/// Kubernetes mounts volumes like this for the group of a container. Only root can create such a
/// folder.
#[test]
fn a_folder_of_another_owner_that_our_group_may_write_to_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    if std::os::unix::fs::chown(folder.path(), Some(65_534), None).is_err() {
        return;
    }
    fs::set_permissions(folder.path(), Permissions::from_mode(0o2775)).unwrap();
    opened(folder.path());
    fs::set_permissions(folder.path(), Permissions::from_mode(0o2777)).unwrap();
    assert!(DataDir::open(folder.path()).is_err());
}

#[test]
fn a_directory_others_could_write_to_is_taken_from_them() {
    let folder = tempfile::tempdir().unwrap();
    drop(opened(folder.path()).directory().unwrap());
    let path = folder.path().join("directory.redb");
    fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    drop(opened(folder.path()).directory().unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_takes_no_files_is_refused() {
    // Not even root can write here.
    let error = DataDir::open(Path::new("/proc")).unwrap_err();
    assert!(matches!(error, DataDirError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("/proc"));
    let error = DataDir::open(Path::new("/proc/securecall")).unwrap_err();
    assert!(matches!(error, DataDirError::NotCreated { .. }), "{error}");
}

#[test]
fn a_server_key_of_another_size_is_refused_and_not_changed() {
    for content in [&b""[..], &[7; 31], &[7; 33]] {
        let folder = folder();
        let path = folder.path().join(SERVER_KEY);
        fs::write(&path, content).unwrap();
        let error = opened(folder.path()).server_key().unwrap_err();
        assert!(matches!(error, DataDirError::KeyDamaged(_)), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()));
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn a_folder_in_place_of_the_server_key_is_refused() {
    let folder = folder();
    fs::create_dir(folder.path().join(SERVER_KEY)).unwrap();
    assert!(opened(folder.path()).server_key().is_err());
}

#[test]
fn a_server_key_others_could_read_is_taken_from_them() {
    let folder = folder();
    let path = folder.path().join(SERVER_KEY);
    fs::write(&path, [7; 32]).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(opened(folder.path()).server_key().unwrap().expose(), &[7; 32]);
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn what_a_start_left_unfinished_is_made_again() {
    let folder = folder();
    for file in [SERVER_KEY, DIRECTORY] {
        fs::write(unfinished(&folder.path().join(file)), "half").unwrap();
    }
    let data_dir = opened(folder.path());
    data_dir.server_key().unwrap();
    data_dir.directory().unwrap();
}

#[tokio::test]
async fn a_shortened_directory_is_refused() {
    let (folder, path, bytes) = folder_with_records().await;
    for len in [0, 1, 511, 4096, bytes.len() / 2, bytes.len() - 4096, bytes.len() - 1] {
        fs::write(&path, &bytes[..len]).unwrap();
        assert!(refusal(&folder, &path).contains("damaged"), "{len} bytes");
    }
}

#[tokio::test]
async fn another_file_in_place_of_the_directory_is_refused() {
    let (folder, path, bytes) = folder_with_records().await;
    fs::write(&path, vec![b'x'; bytes.len()]).unwrap();
    refusal(&folder, &path);
}

#[tokio::test]
async fn a_database_of_another_program_is_refused() {
    let (folder, path, _) = folder_with_records().await;
    fs::remove_file(&path).unwrap();
    drop(redb::Database::create(&path).unwrap());
    let error = opened(folder.path()).directory().err().unwrap();
    assert!(error.to_string().contains(path.to_str().unwrap()));
}

/// Checksums cover every byte that matters; the others must not change the records.
#[tokio::test]
async fn a_changed_byte_is_refused_or_changes_nothing() {
    let (folder, path, bytes) = folder_with_records().await;
    let mut refused = 0;
    // redb's header: a magic number, flags, the layout, and two commit slots.
    let flags = (0..8).map(|bit| (9, 1 << bit));
    let header = (0..320).map(|position| (position, 0x40));
    let everywhere = (320..bytes.len()).step_by(389).map(|position| (position, 0x40));
    for (position, mask) in flags.chain(header).chain(everywhere) {
        let mut changed = bytes.clone();
        changed[position] ^= mask;
        fs::write(&path, &changed).unwrap();
        match opened(folder.path()).directory() {
            Err(_) => {
                refused += 1;
                assert!(fs::read(&path).unwrap() == changed, "changed byte {position}, refused");
            }
            Ok(directory) => {
                for n in 0..50 {
                    let key = directory.lookup(&format!("id-{n}")).await.unwrap();
                    let expected = format!("\"{n}{}\"", "k".repeat(200));
                    assert_eq!(key.as_deref(), Some(&*expected), "changed byte {position}");
                }
            }
        }
    }
    assert!(refused > 100, "{refused} refused");
}
