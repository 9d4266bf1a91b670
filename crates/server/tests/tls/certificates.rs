//! Certificates in files: which are accepted, and when.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustls::version::TLS13;
use securecall_server::settings::Settings;
use securecall_server::{check, serve};
use serde_json::json;
use time::Duration;

use crate::authority::{Authority, Issued};
use crate::client::{Client, config};
use securecall_testkit::wait_for;

/// Returns the error of `serve` and `check`, which must be the same line.
fn refusal(issued: &Issued) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut flags = issued.flags();
    flags.push(format!("--data-dir={}", folder.path().display()));
    let settings = Settings::from_flags(flags).unwrap();
    let refusal = check(&settings).unwrap_err().to_string();
    assert_eq!(serve(settings).unwrap_err().to_string(), refusal);
    assert!(!refusal.contains('\n'), "{refusal}");
    refusal
}

#[test]
fn those_that_cannot_be_used_are_refused_with_the_file_and_the_reason() {
    let authority = Authority::new();
    let good = authority.issue("good");
    let in_folder = |name: &str| authority.folder.path().join(name);
    fs::write(in_folder("empty"), "").unwrap();
    fs::write(in_folder("half"), "-----BEGIN CERTIFICATE-----\nAAAA\n").unwrap();
    fs::write(in_folder("junk"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .unwrap();
    let chain = |path| Issued { chain: path, key: good.key.clone(), der: good.der.clone() };
    let key = |path| Issued { chain: good.chain.clone(), key: path, der: good.der.clone() };
    for (issued, says) in [
        (chain(in_folder("nowhere")), "tls.certificate"),
        (chain(in_folder("nowhere")), "cannot be read: No such file"),
        (chain(in_folder("empty")), "has no certificate in PEM form"),
        (chain(in_folder("half")), "has no certificate in PEM form"),
        (chain(in_folder("junk")), "junk: "),
        (chain(good.key.clone()), "has no certificate in PEM form"),
        (key(in_folder("nowhere")), "tls.key"),
        (key(in_folder("nowhere")), "cannot be read: No such file"),
        (key(good.chain.clone()), "has no key without a password in PEM form"),
        (key(authority.issue("other").key), "does not belong to the first certificate"),
        (authority.issue_for_days("old", -3, -1), "expired on 20"),
        (authority.issue_for_days("early", 1, 3), "is valid from 20"),
    ] {
        let refusal = refusal(&issued);
        assert!(refusal.contains(says), "{refusal}");
        assert!(refusal.contains(authority.folder.path().to_str().unwrap()), "{refusal}");
    }
}

#[test]
fn a_new_one_is_for_new_connections_and_old_ones_stay() {
    let authority = Authority::new();
    let files = authority.issue("server");
    let server = crate::serve_with(files.flags());
    let connect = || Client::connect(server.address(), &config(&authority, &[&TLS13]));
    let mut old = connect().register("old");
    assert_eq!(old.shown(), files.der);

    let replace = |with: &Issued| {
        fs::copy(&with.chain, &files.chain).unwrap();
        fs::copy(&with.key, &files.key).unwrap();
        server.reload();
    };
    let renewed = authority.issue("renewed");
    replace(&renewed);
    wait_for(|| (connect().shown() == renewed.der).then_some(()), "the new one should be shown");

    // An unusable one changes nothing.
    replace(&authority.issue_for_days("old", -3, -1));
    fs::write(&files.key, "no key").unwrap();
    server.reload();
    let good = authority.issue("good");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(connect().shown(), renewed.der);
    replace(&good);
    wait_for(|| (connect().shown() == good.der).then_some(()), "a good one should be shown again");

    old.send("HEARTBEAT", json!({}));
    old.expect("HEARTBEAT_ACK");
    assert_eq!(server.metric("securecall_connections"), 1);
}

#[test]
fn one_that_is_not_valid_yet_is_shown_as_soon_as_it_is() {
    let authority = Authority::new();
    let files = authority.issue("server");
    let server = crate::serve_with(files.flags());
    let shown = || Client::connect(server.address(), &config(&authority, &[&TLS13])).shown();
    let early = authority.issue_between("early", Duration::seconds(3), Duration::days(2));
    fs::rename(&early.chain, &files.chain).unwrap();
    fs::rename(&early.key, &files.key).unwrap();
    server.reload();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(shown(), files.der);
    wait_for(|| (shown() == early.der).then_some(()), "it should be shown when it is valid");
}

#[test]
fn a_key_that_others_can_read_is_worth_a_warning() {
    use clap::Command;
    use securecall_server::settings::{Environment, Loaded, with_options};

    let authority = Authority::new();
    let files = authority.issue("server");
    let warnings = || {
        let command = with_options(Command::new("securecall").no_binary_name(true));
        let flags = command.try_get_matches_from(files.flags()).unwrap();
        Loaded::new(&flags, &Environment::default()).unwrap().warnings
    };
    assert_eq!(warnings(), [""; 0]);
    fs::set_permissions(&files.key, fs::Permissions::from_mode(0o640)).unwrap();
    let [warning] = &warnings()[..] else { panic!("one warning") };
    assert!(warning.contains("is readable by others: run chmod 600 on it"), "{warning}");
}
