//! Acknowledged registrations survive a crash at any time.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::database::{create, open_storage};
use super::simulated_disk::SimulatedDisk;
use super::volume::RETRY_PAUSE;
use crate::data_dir::tests::opened;
use crate::directory::Replacement::{Allowed, Refused};
use crate::directory::{Directory, Embedded, OpenError};

/// The records as the clients know them.
#[derive(Clone, Default)]
struct Records(BTreeMap<String, Record>);

#[derive(Clone, Default)]
struct Record {
    acknowledged: Option<String>,
    /// Keys of unacknowledged registrations, which may or may not be stored.
    asked_since: Vec<String>,
}

impl Records {
    fn asked(&mut self, id: &str, key: &str) {
        self.0.entry(id.to_owned()).or_default().asked_since.push(key.to_owned());
    }

    fn acknowledged(&mut self, id: &str, key: &str) {
        let acknowledged = Some(key.to_owned());
        self.0.insert(id.to_owned(), Record { acknowledged, asked_since: Vec::new() });
    }

    async fn assert_stored_in(&self, directory: &Embedded, when: &str) {
        for (id, record) in &self.0 {
            let stored = directory.lookup(id).await.unwrap();
            assert!(record.allows(stored.as_deref()), "{when}: {id} is wrong");
        }
    }
}

impl Record {
    fn allows(&self, stored: Option<&str>) -> bool {
        stored == self.acknowledged.as_deref()
            || self.asked_since.iter().any(|key| stored == Some(key))
    }
}

fn open_on(disk: &SimulatedDisk) -> Embedded {
    let disk = disk.clone();
    Embedded::start(Box::new(move || open_storage(disk.clone()))).unwrap()
}

fn empty_disk() -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    drop(create(disk.clone()).unwrap());
    disk
}

/// Creates and replaces some records, two at a time. The file grows several times.
async fn register_some(directory: &Embedded, records: &mut Records, salt: &str) {
    for n in 0..24 {
        let key = format!("\"{salt}-{n}-{}\"", "k".repeat(n * 170));
        let ids = [format!("kept-{}", n % 5), format!("{salt}-{n}")];
        let answers = ids.each_ref().map(|id| {
            records.asked(id, &key);
            directory.register(id, &key, Allowed.into())
        });
        for (id, answer) in ids.iter().zip(answers) {
            if answer.await.is_ok() {
                records.acknowledged(id, &key);
            }
        }
    }
}

#[tokio::test]
async fn a_power_cut_at_any_operation_loses_no_acknowledged_key() {
    let dry_run = empty_disk();
    let created = dry_run.operations();
    register_some(&open_on(&dry_run), &mut Records::default(), "first").await;

    for cut in created..=dry_run.operations() {
        let disk = empty_disk();
        let directory = open_on(&disk);
        disk.set(|faults| faults.power_cut_at = Some(cut));
        let mut records = Records::default();
        register_some(&directory, &mut records, "first").await;
        drop(directory);

        for seed in 0..4 {
            let disk = disk.after_power_cut(seed);
            let directory = open_on(&disk);
            let when = format!("cut {cut}, seed {seed}");
            records.assert_stored_in(&directory, &when).await;

            let mut records = records.clone();
            register_some(&directory, &mut records, "second").await;
            records.assert_stored_in(&directory, &when).await;
        }
    }
}

/// The kernel reports a failed write-back once and drops the pages: the file looks written, but is
/// not. A database that continues from such reads would acknowledge keys on top of lost data.
#[tokio::test]
async fn a_failed_fsync_is_not_forgotten() {
    let dry_run = empty_disk();
    let created = dry_run.syncs();
    register_some(&open_on(&dry_run), &mut Records::default(), "first").await;

    let failures = (created + 1)..=dry_run.syncs();
    let runs: Vec<_> = failures.map(|sync| tokio::spawn(survive_failed_sync(sync))).collect();
    for run in runs {
        run.await.unwrap();
    }
}

async fn survive_failed_sync(sync: u64) {
    let disk = empty_disk();
    let directory = open_on(&disk);
    disk.set(|faults| faults.sync_failure_at = Some(sync));
    let mut records = Records::default();
    register_some(&directory, &mut records, "first").await;
    tokio::time::sleep(RETRY_PAUSE).await;
    register_some(&directory, &mut records, "second").await;
    assert!(records.0.values().any(|record| record.acknowledged.is_some()));

    for seed in 0..4 {
        let directory = open_on(&disk.after_power_cut(seed));
        records.assert_stored_in(&directory, &format!("failed sync {sync}, seed {seed}")).await;
    }
}

/// Returning to the previous commit is right after a torn commit, but would lose keys here.
#[tokio::test]
async fn damage_after_a_crash_is_not_taken_for_the_crash() {
    let disk = empty_disk();
    let directory = open_on(&disk);
    let mut records = Records::default();
    register_some(&directory, &mut records, "first").await;

    let mut refused = 0;
    for page in (0..disk.len_bytes()).step_by(4096) {
        let crashed = disk.after_power_cut(0);
        crashed.damage(page + 60, usize::MAX);
        let opener = crashed.clone();
        match Embedded::start(Box::new(move || open_storage(opener.clone()))) {
            Ok(directory) => records.assert_stored_in(&directory, &format!("page at {page}")).await,
            Err(OpenError::Damaged(_)) => refused += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 5, "{refused} refused");
}

/// The name of the test that runs as the child process.
const CHILD: &str = "child_that_registers_until_it_is_killed";
const CHILD_FOLDER: &str = "SECURECALL_TEST_FOLDER";
const CHILD_SALT: &str = "SECURECALL_TEST_SALT";

#[tokio::test]
async fn kill_9_loses_no_acknowledged_key() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for round in 0..6 {
        let lifetime = Duration::from_millis(40 + 35 * round);
        acknowledged.extend(registered_until_killed(folder.path(), round, lifetime));

        let directory = opened(folder.path()).directory().unwrap();
        for id in &acknowledged {
            assert_eq!(directory.lookup(id).await.unwrap(), Some(key_of(id)), "round {round}");
        }
    }
    assert!(acknowledged.len() > 100, "the children hardly ran");
}

fn key_of(id: &str) -> Box<str> {
    format!("\"{id}{}\"", "k".repeat(300)).into()
}

/// Runs a child for a while after its first registration, and returns the ids that it saw
/// acknowledged.
fn registered_until_killed(folder: &Path, salt: u64, lifetime: Duration) -> Vec<String> {
    let mut child = spawn_child(folder, salt);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let first = lines.find_map(|line| acknowledged_id(&line)).unwrap();
    std::thread::sleep(lifetime);
    child.kill().unwrap();
    child.wait().unwrap();
    let rest = lines.filter_map(|line| acknowledged_id(&line));
    std::iter::once(first).chain(rest).collect()
}

fn spawn_child(folder: &Path, salt: u64) -> Child {
    let (_crate, module) = module_path!().split_once("::").unwrap();
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::{CHILD}"), "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .env(CHILD_SALT, salt.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Parses a complete line. An incomplete one means that the child was killed before it knew of the
/// acknowledgement.
fn acknowledged_id(line: &str) -> Option<String> {
    Some(line.strip_prefix("ack ")?.strip_suffix(" .")?.to_owned())
}

#[tokio::test]
#[ignore = "runs as a child of kill_9_loses_no_acknowledged_key"]
async fn child_that_registers_until_it_is_killed() {
    let (Ok(folder), Ok(salt)) = (std::env::var(CHILD_FOLDER), std::env::var(CHILD_SALT)) else {
        return;
    };
    let directory = opened(folder.as_ref()).directory().unwrap();
    let mut output = std::io::stdout();
    for batch in 0u64.. {
        let ids = [0, 1, 2, 3].map(|n| format!("{salt}-{batch}-{n}"));
        let answers = ids.each_ref().map(|id| directory.register(id, &key_of(id), Refused.into()));
        for (id, answer) in ids.iter().zip(answers) {
            answer.await.unwrap();
            writeln!(output, "\nack {id} .").unwrap();
        }
    }
}
