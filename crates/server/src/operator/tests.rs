//! Operators at folders with and without a server, and at sockets of other programs.

use std::fs;
use std::io::Read as _;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::protocol::Refusal;
use super::*;
use crate::data_dir::tests::opened;
use crate::directory::identities::Owner;
use crate::directory::{Import, Replacement};

const KEY_BYTES_MAX: usize = 4096;

/// A delay of 72 hours.
const RULES: Rules =
    Rules { key_bytes_max: KEY_BYTES_MAX, reset_delay: Duration::from_secs(72 * 3600) };

/// Returns a folder with an empty directory.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    opened(folder.path()).directory().unwrap();
    folder
}

/// The open parts of a server.
struct Running {
    directory: Arc<Embedded>,
    control: Option<Control>,
}

fn run(folder: &Path) -> Running {
    let directory = opened(folder).directory().unwrap().with_reset_delay(RULES.reset_delay);
    let directory = Arc::new(directory);
    let control = Control::open(folder, directory.clone(), Arc::new(KEY_BYTES_MAX.into()));
    Running { directory, control }
}

fn operator(folder: &Path) -> Operator {
    Operator::at(folder, RULES).unwrap()
}

fn lines(records: &[(&str, &str)]) -> String {
    let line =
        |(id, key): &(&str, &str)| format!("{{\"clientId\":\"{id}\",\"publicKey\":\"{key}\"}}\n");
    records.iter().map(line).collect()
}

fn import(records: &[(&str, &str)], replacement: Replacement) -> Import {
    Import::read(lines(records).as_bytes(), KEY_BYTES_MAX, replacement).unwrap()
}

fn exported(folder: &Path) -> String {
    let mut lines = Vec::new();
    operator(folder).export(&mut lines).unwrap();
    String::from_utf8(lines).unwrap()
}

/// A line with the chain of this owner.
fn chain_line(owner: &Owner) -> String {
    let links = owner.texts().join("\",\"");
    format!("{{\"clientId\":\"{}\",\"links\":[\"{links}\"]}}\n", owner.id().as_str())
}

fn import_chain(folder: &Path, owner: &Owner) -> Result<Imported, OperatorError> {
    let import = Import::read(chain_line(owner).as_bytes(), KEY_BYTES_MAX, Replacement::Allowed);
    operator(folder).import(&import.unwrap())
}

/// What an operator does with a chain, whoever answers.
fn operate_on_chains(folder: &Path) {
    let mut owner = Owner::of("dora");
    let ids = [ClientId::try_from("dora").unwrap()];
    assert_eq!(operator(folder).history(&ids[0]).unwrap(), History::default());
    assert_eq!(import_chain(folder, &owner).unwrap().new, 1);
    let before = owner.clone();
    owner.rotate();
    assert_eq!(import_chain(folder, &owner).unwrap().longer, 1);
    assert_eq!(import_chain(folder, &owner).unwrap().same, 1);
    assert_eq!(exported(folder), chain_line(&owner));
    for other in [before, Owner::rival_of("dora")] {
        let refused = import_chain(folder, &other).unwrap_err().to_string();
        assert!(refused.starts_with("the chain in line 1 is older"), "{refused}");
    }

    let waits = [Reset::Pending { seconds: RULES.reset_delay.as_secs() }];
    for _ in 0..2 {
        assert_eq!(operator(folder).reset(&ids).unwrap(), waits);
    }
    let waiting = operator(folder).pending_resets().unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(&*waiting[0].client_id, "dora");

    let history = operator(folder).history(&ids[0]).unwrap();
    let kinds: Vec<_> = history.links.iter().map(|link| &*link.kind).collect();
    assert_eq!(kinds, ["inception", "rotate"]);
    let fingerprint = owner.chain().head().fingerprint().unwrap().to_string();
    assert_eq!(history.links[0].fingerprint.as_deref(), Some(&*fingerprint));
    assert_eq!(history.reset.as_ref(), waiting.first());

    assert_eq!(operator(folder).cancel_resets(&ids).unwrap(), [true]);
    assert_eq!(operator(folder).cancel_resets(&ids).unwrap(), [false]);
    assert_eq!(operator(folder).pending_resets().unwrap(), []);
}

#[test]
fn chains_are_for_operators_of_stopped_and_of_running_servers() {
    let stopped = folder();
    operate_on_chains(stopped.path());
    let started = folder();
    let _running = run(started.path());
    operate_on_chains(started.path());
}

#[test]
fn a_history_of_several_pages_is_shown_whole() {
    let folder = folder();
    let mut owner = Owner::of("dora");
    for _ in 0..90 {
        owner.rotate();
    }
    import_chain(folder.path(), &owner).unwrap();
    let history = operator(folder.path()).history(&"dora".try_into().unwrap()).unwrap();
    let sequences: Vec<_> = history.links.iter().map(|link| link.sequence).collect();
    assert_eq!(sequences, (0..=90).collect::<Vec<_>>());
}

/// Runs all operations, with either kind of answering side.
fn operate(folder: &Path) {
    let (alice, bob) = (("alice", "a\\/b"), ("bob", "k"));
    let first = operator(folder).import(&import(&[bob, alice], Replacement::Refused)).unwrap();
    assert_eq!((first.new, first.same, first.replaced), (2, 0, 0));
    assert_eq!(exported(folder), lines(&[alice, bob]));

    let changed = [("carol", "k"), ("bob", "l")];
    let refused = operator(folder).import(&import(&changed, Replacement::Refused)).unwrap_err();
    assert!(refused.to_string().starts_with("the id in line 2 has another key"), "{refused}");
    assert_eq!(exported(folder), lines(&[alice, bob]));
    let replaced = operator(folder).import(&import(&changed, Replacement::Allowed)).unwrap();
    assert_eq!((replaced.new, replaced.same, replaced.replaced), (1, 0, 1));

    let ids = ["nobody", "carol"].map(|id| ClientId::try_from(id).unwrap());
    assert_eq!(operator(folder).reset(&ids).unwrap(), [Reset::Nothing, Reset::Done]);
    assert_eq!(exported(folder), lines(&[alice, ("bob", "l")]));
}

#[test]
fn an_operator_works_on_a_stopped_server() {
    let folder = folder();
    assert!(!operator(folder.path()).is_running());
    operate(folder.path());
}

#[test]
fn an_operator_works_on_a_running_server() {
    let folder = folder();
    let running = run(folder.path());
    assert!(operator(folder.path()).is_running());
    operate(folder.path());
    drop(running);
    assert!(!operator(folder.path()).is_running());
    assert_eq!(exported(folder.path()), lines(&[("alice", "a\\/b"), ("bob", "l")]));
}

#[test]
fn many_records_arrive_whole() {
    let folder = folder();
    let key = "k".repeat(300);
    let ids: Vec<String> = (0..5000).map(|n| format!("id-{n:04}")).collect();
    let records: Vec<_> = ids.iter().map(|id| (id.as_str(), key.as_str())).collect();
    let _running = run(folder.path());
    let imported = operator(folder.path()).import(&import(&records, Replacement::Refused));
    assert_eq!(imported.unwrap().new, 5000);
    assert!(exported(folder.path()) == lines(&records));
}

#[test]
fn the_socket_is_its_owners_alone_and_goes_with_the_server() {
    let folder = folder();
    let socket = folder.path().join("control");
    let running = run(folder.path());
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!folder.path().join("control.unfinished").exists());
    drop(running);
    assert!(!socket.exists());
}

#[test]
fn what_a_crash_left_is_replaced() {
    let folder = folder();
    let socket = folder.path().join("control");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(socket.exists());
    fs::create_dir(folder.path().join("control.unfinished")).unwrap();
    let _running = run(folder.path());
    operate(folder.path());
}

#[test]
fn a_path_that_is_too_long_leaves_the_server_without_a_socket() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("x".repeat(100));
    let running = run(&folder);
    assert!(running.control.is_none());
    let error = Operator::at(&folder, RULES).err().unwrap().to_string();
    assert!(error.contains("stop it for this command"), "{error}");
    drop(running);
    operate(&folder);
    // The path of a symbolic link to it is short enough.
    let link = parent.path().join("link");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let running = run(&link);
    assert!(running.control.is_some());
    assert!(operator(&link).is_running());
}

#[test]
fn a_folder_in_use_by_another_program_is_refused() {
    let folder = folder();
    let _held = opened(folder.path());
    let error = Operator::at(folder.path(), RULES).err().unwrap().to_string();
    assert!(error.contains("control socket does not answer"), "{error}");
}

#[test]
fn nothing_is_made_where_there_is_nothing() {
    let parent = tempfile::tempdir().unwrap();
    for path in [parent.path().join("missing"), parent.path().to_owned()] {
        let error = Operator::at(&path, RULES).err().unwrap();
        assert!(matches!(error, OperatorError::DataDir(DataDirError::Missing(_))), "{error}");
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
}

#[test]
fn an_import_that_breaks_off_changes_nothing() {
    let folder = folder();
    let running = run(folder.path());
    let sent = lines(&[("alice", "k")]);
    // Bytes or records that were announced and do not arrive.
    for (records, bytes) in [(2, sent.len() + 40), (2, sent.len()), (0, sent.len())] {
        let mut stream = control::connect(folder.path()).unwrap();
        let request = Request::Import { records, bytes: bytes as u64, replace: false };
        send(&mut stream, &request).unwrap();
        stream.write_all(sent.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        assert!(said.contains("did not arrive"), "{said}");
    }
    assert_eq!(exported(folder.path()), "");
    drop(running);
}

#[test]
fn an_import_to_a_running_server_is_bounded() {
    let folder = folder();
    let _running = run(folder.path());
    let mut stream = BufReader::new(control::connect(folder.path()).unwrap());
    let request = Request::Import { records: 1, bytes: 65 * 1024 * 1024, replace: false };
    send(stream.get_mut(), &request).unwrap();
    let refused = receive(&mut stream).unwrap();
    let refusal = Refusal::TooLarge { bytes_max: 64 * 1024 * 1024 };
    assert_eq!(refused, Some(Reply::Refused { refusal }));
}

#[test]
fn a_server_with_smaller_keys_names_the_line() {
    let folder = folder();
    let _running = run(folder.path());
    let records = [("alice", "k"), ("bob", &"k".repeat(5000))];
    let import = Import::read(lines(&records).as_bytes(), 9999, Replacement::Refused).unwrap();
    let error = operator(folder.path()).import(&import).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("4096 bytes"), "{error}");
    assert_eq!(exported(folder.path()), "");
}

#[test]
fn nonsense_is_refused() {
    let folder = folder();
    let _running = run(folder.path());
    let long = "x".repeat(2 * 1024 * 1024);
    for nonsense in ["\n", "{}\n", "{\"request\":\"format\"}\n", "half", &long] {
        let mut stream = control::connect(folder.path()).unwrap();
        // The other side may close before the end of an overlong line.
        let _ = stream.write_all(nonsense.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
        let mut said = String::new();
        let _ = stream.read_to_string(&mut said);
        assert!(said.contains("notUnderstood") || nonsense.len() > 1000, "{said}");
    }
    operate(folder.path());
}

#[test]
fn a_silent_operator_does_not_delay_the_end_of_a_server() {
    let folder = folder();
    let mut running = run(folder.path());
    let _silent = control::connect(folder.path()).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let began = Instant::now();
    running.control.take().unwrap().close();
    running.directory.close();
    assert!(began.elapsed() < Duration::from_secs(5));
}
