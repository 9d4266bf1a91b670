//! Tests of commands that need no server.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod in_folder;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use in_folder::{run_in, succeeded};

/// An empty home folder.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn identity(&self) -> PathBuf {
        self.0.path().join(".config/securecall/identity.json")
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.run_with(arguments, &[], "")
    }

    fn run_with(&self, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
        run_in(self.0.path(), arguments, variables, input.as_bytes())
    }

    #[track_caller]
    fn stdout(&self, arguments: &[&str]) -> String {
        succeeded(&self.run(arguments))
    }
}

/// Checks for one line on standard error, nothing on standard output, and exit code 2.
#[track_caller]
fn assert_refused(output: &Output, says: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(output.stdout.is_empty());
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(says), "{says:?} is not in {error:?}");
}

fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim()
}

#[test]
fn a_new_identity_is_its_owners_alone() {
    let home = Home::new();
    let text = home.stdout(&["keys", "new", "alice"]);
    assert_eq!(field(&text, "client id"), "alice");
    assert_eq!(field(&text, "fingerprint").split(' ').count(), 8);
    assert_eq!(fs::metadata(home.identity()).unwrap().permissions().mode() & 0o777, 0o600);
    let folder = home.identity().parent().unwrap().to_owned();
    assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn an_identity_is_never_overwritten() {
    let home = Home::new();
    home.stdout(&["keys", "new", "alice"]);
    let before = fs::read(home.identity()).unwrap();
    assert_refused(&home.run(&["keys", "new", "bob"]), "name another --identity");
    assert_eq!(fs::read(home.identity()).unwrap(), before);
    let made = home.run(&["keys", "new", "bob", "--identity", "bob.json"]);
    succeeded(&made);
    let hint = String::from_utf8_lossy(&made.stderr);
    let command = hint.trim().strip_prefix("back up the identity on paper: securecall ").unwrap();
    let words = home.stdout(&command.split(' ').collect::<Vec<_>>());
    assert_eq!(words.split_whitespace().count(), 24, "the suggested command works as it stands");
}

#[test]
fn an_identity_that_others_can_use_is_refused() {
    let home = Home::new();
    home.stdout(&["keys", "new", "alice"]);
    for mode in [0o640, 0o604, 0o660, 0o601] {
        fs::set_permissions(home.identity(), Permissions::from_mode(mode)).unwrap();
        assert_refused(&home.run(&["keys", "show"]), "chmod 600");
        assert_refused(&home.run(&["keys", "backup"]), "chmod 600");
    }
    fs::set_permissions(home.identity(), Permissions::from_mode(0o400)).unwrap();
    home.stdout(&["keys", "show"]);
}

#[test]
fn an_invalid_identity_file_is_refused_with_the_remedy() {
    let home = Home::new();
    assert_refused(&home.run(&["keys", "show"]), "securecall keys new");
    assert_refused(&home.run(&["keys", "new", "Zoë"]), "a client id has 1 to 64");
    assert_refused(&home.run(&["keys", "show", "--identity", "."]), "is no identity");
    for text in ["", "{}", r#"{"version":2,"clientId":"a","seed":""}"#] {
        let path = home.0.path().join("broken");
        let _ = fs::remove_file(&path);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        assert_refused(&home.run(&["keys", "show", "--identity", "broken"]), "is no identity");
    }
}

#[test]
fn a_file_in_place_of_a_folder_is_not_taken_for_an_identity() {
    let home = Home::new();
    fs::write(home.0.path().join("file"), "").unwrap();
    for command in [&["keys", "new", "alice"][..], &["keys", "show"], &["keys", "backup"]] {
        let output = home.run(&[command, &["--identity", "file/identity.json"]].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert_refused(&output, "file");
        assert!(!error.contains("stays as it is") && !error.contains("keys new"), "{error}");
    }
}

#[test]
fn the_words_of_a_backup_bring_back_the_same_identity() {
    let home = Home::new();
    let made = home.stdout(&["keys", "new", "alice"]);
    let words = home.stdout(&["keys", "backup"]);
    assert_eq!(words.split_whitespace().count(), 24);

    let other = Home::new();
    let written_down = words.to_uppercase().replace(' ', "\n  ");
    let restored = other.run_with(&["keys", "restore", "alice"], &[], &written_down);
    assert_eq!(field(&succeeded(&restored), "fingerprint"), field(&made, "fingerprint"));
    assert_eq!(fs::read(other.identity()).unwrap(), fs::read(home.identity()).unwrap());
}

#[test]
fn a_backup_into_a_file_that_others_can_read_is_warned_about() {
    let home = Home::new();
    home.stdout(&["keys", "new", "alice"]);
    for (mode, is_warned) in [(0o644, true), (0o640, true), (0o600, false)] {
        let words = File::create(home.0.path().join("words.txt")).unwrap();
        words.set_permissions(Permissions::from_mode(mode)).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_securecall"))
            .args(["keys", "backup"])
            .env_clear()
            .env("HOME", home.0.path())
            .stdout(words)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{error}");
        assert_eq!(error.contains("other users of this machine can read"), is_warned, "{error}");
    }
}

#[test]
fn words_from_an_editor_of_any_system_are_no_slip_of_the_pen() {
    let zeros = format!("{}art\r\n", "abandon ".repeat(23));
    let utf_16 = |order: fn(u16) -> [u8; 2]| {
        format!("\u{feff}{zeros}").encode_utf16().flat_map(order).collect::<Vec<u8>>()
    };
    let inputs = [
        format!("\u{feff}{zeros}").into_bytes(),
        zeros.replace(' ', "\u{200b} \u{feff}").into_bytes(),
        zeros.replace(' ', "\u{a0}").into_bytes(),
        utf_16(u16::to_le_bytes),
        utf_16(u16::to_be_bytes),
    ];
    for input in inputs {
        let home = Home::new();
        let restored = run_in(home.0.path(), &["keys", "restore", "alice"], &[], &input);
        succeeded(&restored);
    }
}

#[test]
fn words_that_are_wrong_are_refused_and_not_repeated() {
    let home = Home::new();
    let restore = |words: &str| home.run_with(&["keys", "restore", "alice"], &[], words);
    let zeros = format!("{}art", "abandon ".repeat(23));
    assert_refused(&restore(""), "there must be 24, not 0");
    assert_refused(&restore(&"abandon ".repeat(12)), "24");
    assert_refused(&restore(&zeros.replace("art", "able")), "the checksum is wrong");
    let slip = restore(&zeros.replace("art", "hovercraft"));
    assert_refused(&slip, "check the spelling");
    assert!(!String::from_utf8_lossy(&slip.stderr).contains("hovercraft"));
    assert!(!home.identity().exists());
    succeeded(&restore(&zeros));
}

#[test]
fn what_is_shown_holds_no_secret() {
    let home = Home::new();
    home.stdout(&["keys", "new", "alice"]);
    let file: Value = serde_json::from_slice(&fs::read(home.identity()).unwrap()).unwrap();
    let seed = file["seed"].as_str().unwrap();
    let json = home.stdout(&["keys", "show", "--json"]);
    assert!(!json.contains(seed));
    let shown: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(shown["clientId"], "alice");
    assert!(shown["directoryKey"].as_str().unwrap().len() > 1800);
    let code = home.stdout(&["keys", "show", "--qr"]);
    assert!(code.contains('█') && code.lines().count() > 20, "{code}");
}

const TURN: [(&str, &str); 1] = [("SECURECALL_TURN_SECRET", "north")];

#[test]
fn a_turn_credential_is_made_with_the_settings_of_the_server() {
    let home = Home::new();
    fs::write(
        home.0.path().join("server.toml"),
        "[turn]\nurls = [\"turn:turn.example.org:3478\"]\nttl = \"10m\"\n[limits]\nping_after = \
         \"20s\"\n",
    )
    .unwrap();
    let arguments = ["turn", "credential", "try-1", "--config", "server.toml"];
    let text = succeeded(&home.run_with(&arguments, &TURN, ""));
    assert_eq!(field(&text, "urls"), "turn:turn.example.org:3478");
    assert_eq!(field(&text, "valid for"), "10m");
    assert!(field(&text, "username").ends_with(":try-1"));
    assert!(!text.contains("north"));
}

#[test]
fn a_turn_credential_as_json_is_what_clients_get() {
    let home = Home::new();
    let arguments = ["turn", "credential", "try-1", "--turn-urls", "turn:a", "--json"];
    let text = succeeded(&home.run_with(&arguments, &TURN, ""));
    let payload: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(payload["ttlSeconds"], 3600);
    assert_eq!(payload["iceServers"].as_array().unwrap().len(), 1);
    assert_eq!(payload["iceServers"][0]["urls"][0], "turn:a");
}

#[test]
fn a_turn_credential_without_turn_names_the_settings() {
    let home = Home::new();
    assert_refused(&home.run(&["turn", "credential", "alice"]), "--turn-urls");
    let urls_alone = ["turn", "credential", "alice", "--turn-urls", "turn:a"];
    assert_refused(&home.run(&urls_alone), "set SECURECALL_TURN_SECRET");
    assert_refused(&home.run(&["turn", "credential", "a b"]), "client id");
    assert_refused(&home.run(&["turn", "credential"]), "NAME is missing: securecall turn");
    let help = home.stdout(&["turn", "credential", "--help"]);
    assert!(help.contains("--turn-ttl") && !help.contains("--ping-after"), "{help}");
    assert!(!help.contains("Operators"), "{help}");
    assert_refused(&home.run(&["turn", "credential", "a", "--ping-after=1s"]), "--ping-after");
}

#[test]
fn completions_know_the_commands_in_every_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.stdout(&["completions", shell]);
        for word in ["check-config", "restore", "turn-ttl"] {
            assert!(script.contains(word), "{word} is not in the script of {shell}");
        }
    }
    let shells = "SHELL: \"csh\" is not one of bash, elvish, fish, powershell, zsh";
    assert_refused(&home.run(&["completions", "csh"]), shells);
}

#[test]
fn manual_pages_are_printed_and_written() {
    let home = Home::new();
    assert!(home.stdout(&["man"]).contains(".TH securecall 1"));
    home.stdout(&["man", "--out", "man1"]);
    for page in ["securecall.1", "securecall-serve.1", "securecall-keys-backup.1"] {
        assert!(home.0.path().join("man1").join(page).exists(), "{page}");
    }
}

/// Returns the names of the pages that a page refers to.
fn references(page: &str) -> Vec<String> {
    let plain = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "");
    let named = plain.lines().filter(|line| !line.starts_with(".TH"));
    let named = named.flat_map(|line| line.match_indices("(1)").map(move |(at, _)| &line[..at]));
    named.filter_map(|before| before.rsplit([' ', '\t']).next()).map(str::to_owned).collect()
}

#[test]
fn manual_pages_refer_to_pages_that_exist() {
    let home = Home::new();
    home.stdout(&["man", "--out", "man1"]);
    let folder = home.0.path().join("man1");
    let pages = fs::read_dir(&folder).unwrap();
    let pages = pages.map(|page| fs::read_to_string(page.unwrap().path()).unwrap());
    let mut count = 0;
    for page in pages.chain([home.stdout(&["man"])]) {
        for name in references(&page) {
            count += 1;
            assert!(folder.join(format!("{name}.1")).exists(), "{name} has no page");
        }
    }
    assert!(count > 20, "references were found");
}

#[test]
fn a_closed_pipe_is_no_error() {
    // The pipe is closed before the program starts, so that it always finds it closed.
    let script = format!("{{ sleep 0.3; exec {} man; }} | true", env!("CARGO_BIN_EXE_securecall"));
    let output =
        std::process::Command::new("sh").args(["-c", &script]).env_clear().output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
