//! Properties of every setting, including future ones.

use clap::Command;

use super::super::declaration::parser;
use super::super::sample_file::example;
use super::super::{Declaration, Loaded, Settings, declarations, with_options};
use super::World;

/// Returns a value that is not the default and contradicts no other default.
fn sample(declaration: &Declaration) -> &'static str {
    match (declaration.key.as_str(), declaration.unit.as_str()) {
        ("log_format", _) => "json",
        ("log", _) => "warn,securecall_server=debug",
        ("limits.message_bytes_max", _) => "32768",
        ("limits.outbox_bytes_max", _) => "524288",
        ("limits.hangups", _) => "200/30",
        ("limits.request_fields_max", _) => "48",
        ("calls.waiting_bytes_max", _) => "131072",
        ("directory.replace", _) => "registered",
        ("turn.preset", _) => "metered",
        ("turn.urls", _) => "turn:a.example,stun:b.example",
        ("turn.secret_file", _) => "secret",
        ("proxy.header", _) => "x-real-ip",
        ("proxy.protocol", _) => "on",
        ("turn.ttl", _) => "90s",
        ("drain.period", _) => "2s",
        ("tls.certificate", _) => "chain.pem",
        ("tls.key", _) => "key.pem",
        ("acme.domains", _) => "a.example,b.example",
        ("acme.contact", _) => "admin@a.example",
        ("acme.directory", _) => "https://ca.example/directory",
        ("acme.ca", _) => "ca.pem",
        (_, "ADDRESS:PORT") => "127.0.0.1:1234",
        (_, "[ADDRESS:]PORT") => "1234",
        (_, "FOLDER") => "elsewhere",
        (_, "COUNT") => "7",
        (_, "BYTES") => "2048",
        (_, "DURATION") => "31s",
        (_, "PER_SECOND") => "2.5",
        (_, "BURST/PER_SECOND") => "9/0.5",
        (_, "CIDR,...") => "10.0.0.0/8,::1/128",
        (key, unit) => panic!("give {key} ({unit}) a sample here"),
    }
}

fn toml(declaration: &Declaration, value: &str) -> String {
    let (table, key) = declaration.key.split_once('.').unwrap_or(("", &declaration.key));
    let header = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
    let value = match declaration.unit.as_str() {
        "COUNT" | "BYTES" | "PER_SECOND" => value.to_owned(),
        _ if declaration.is_list => format!("[\"{}\"]", value.replace(',', "\", \"")),
        _ => format!("\"{value}\""),
    };
    format!("{header}{key} = {value}\n")
}

/// Returns a world in which the setting can be used: some need others.
fn world_for(declaration: &Declaration) -> World {
    match declaration.key.as_str() {
        "turn.preset" | "turn.urls" => World::new().variable("SECURECALL_TURN_SECRET", "hush"),
        "turn.secret_file" => World::new().flag("--turn-urls=turn:a.example"),
        "proxy.protocol" => World::new().flag("--trusted-proxies=10.0.0.0/8"),
        "tls.certificate" => World::new().flag("--tls-key=key.pem"),
        "tls.key" => World::new().flag("--tls-certificate=chain.pem"),
        "acme.contact" | "acme.ca" => World::new().flag("--acme-domains=a.example"),
        _ => World::new(),
    }
}

fn value_for(declaration: &Declaration, world: &World) -> String {
    match declaration.unit.as_str() {
        "FILE" => world.write(sample(declaration), "hush").display().to_string(),
        _ => sample(declaration).to_owned(),
    }
}

/// Loads the same value from the file, the environment and a flag.
fn three_ways(declaration: &Declaration) -> [Loaded; 3] {
    let path = tempfile::tempdir().unwrap();
    let folder = World { folder: path, ..World::new() };
    let value = value_for(declaration, &folder);
    [
        world_for(declaration).file(&toml(declaration, &value)),
        world_for(declaration).variable(&declaration.variable, &value),
        world_for(declaration).flag(&format!("--{}={value}", declaration.flag)),
    ]
    .map(|world| world.load().unwrap_or_else(|error| panic!("{}: {error}", declaration.key)))
}

/// Returns the settings without the name of the file.
fn without_file(loaded: Loaded) -> Settings {
    Settings { file: None, ..loaded.settings }
}

#[test]
fn means_the_same_in_the_file_the_environment_and_a_flag() {
    let defaults = World::new().load().unwrap().settings;
    for declaration in declarations() {
        let [file, environment, flag] = three_ways(&declaration).map(without_file);
        assert_ne!(file, defaults, "{} changes nothing", declaration.key);
        assert_eq!(file, environment, "{}", declaration.key);
        assert_eq!(file, flag, "{}", declaration.key);
    }
}

#[test]
fn has_the_same_effect_when_the_shown_configuration_is_loaded() {
    for declaration in declarations() {
        // The file itself is deleted before its name is loaded again.
        if declaration.unit == "FILE" {
            continue;
        }
        for loaded in three_ways(&declaration) {
            let files = [loaded.to_toml(), loaded.to_sample_file()];
            let settings = without_file(loaded);
            for file in files {
                let secret = World { flags: Vec::new(), ..world_for(&declaration) };
                let again =
                    secret.file(&file).load().unwrap_or_else(|error| panic!("{error}: {file}"));
                assert_eq!(without_file(again), settings, "{file}");
            }
        }
    }
}

#[test]
fn has_a_default_or_an_example_that_can_be_set() {
    for declaration in declarations().iter().filter(|declaration| declaration.default.is_none()) {
        let Declaration { key, flag, .. } = declaration;
        let example =
            example(key).unwrap_or_else(|| panic!("give {key} an example in sample_file.rs"));
        let parsed = parser().try_get_matches_from([format!("--{flag}={example}")]);
        assert!(parsed.is_ok(), "{key}: {example}");
    }
}

#[test]
fn refuses_zero_except_the_drain_period() {
    for declaration in declarations().iter().filter(|d| d.key != "drain.period") {
        let zeros: &[&str] = match declaration.unit.as_str() {
            "COUNT" | "BYTES" | "PER_SECOND" => &["0", "-1", "", "99999999999999999999999"],
            "DURATION" => &["0s", "1ms", "", "1000years"],
            "BURST/PER_SECOND" => &["0/1", "1/0", "", "1/1e9"],
            _ => &[],
        };
        for zero in zeros {
            let refusal = World::new().variable(&declaration.variable, zero).refusal();
            assert!(refusal.starts_with(&declaration.key), "{refusal}");
            assert!(refusal.contains(&declaration.variable), "{refusal}");
        }
    }
}

#[test]
fn names_its_variable_after_its_flag() {
    for declaration in declarations() {
        let flag = declaration.variable.strip_prefix("SECURECALL_").unwrap();
        assert_eq!(flag.to_lowercase().replace('_', "-"), declaration.flag);
    }
}

#[test]
fn is_in_the_help_with_its_default() {
    for width in [80, 120] {
        let mut command = with_options(Command::new("serve")).term_width(width);
        let help = command.render_help().to_string();
        assert!(help.lines().all(|line| line.chars().count() <= width), "too wide:\n{help}");
        let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for declaration in declarations() {
            let start = words.find(&format!("--{} <", declaration.flag)).expect("a flag");
            let entry = &words[start..];
            let entry = entry.find(" --").map_or(entry, |end| &entry[..end]);
            let default = declaration.default.as_deref().unwrap_or("none");
            assert!(entry.contains(&declaration.meaning), "{entry}");
            assert!(entry.contains(&format!("[default: {default}]")), "{entry}");
        }
    }
}
