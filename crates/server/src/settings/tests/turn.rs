//! TURN: complete, off, or refused.

use std::time::Duration;

use super::super::TurnSettings;
use super::World;

const URL: &str = "--turn-urls=turn:relay.example.org:3478";

fn relay(world: &World) -> TurnSettings {
    world.load().unwrap().settings.relay.expect("TURN should be on")
}

fn with_secret_file(content: &str) -> World {
    let world = World::new().flag(URL);
    let path = world.write("secret", content);
    world.flag(&format!("--turn-secret-file={}", path.display()))
}

#[test]
fn without_settings_turn_is_off() {
    assert_eq!(World::new().load().unwrap().settings.relay, None);
}

#[test]
fn a_preset_brings_its_url() {
    let world =
        World::new().flag("--turn-preset=metered").variable("SECURECALL_TURN_SECRET", "hush");
    let relay = relay(&world);
    assert_eq!(relay.urls, ["turn:a.relay.metered.ca:443?transport=tcp"]);
    assert_eq!(relay.secret.expose(), "hush");
    assert_eq!(relay.ttl, Duration::from_secs(3600));
}

#[test]
fn the_urls_come_after_those_of_the_preset() {
    let world = World::new()
        .file(
            "[turn]\npreset = 'metered'\nurls = ['stun:a.example', \
               'turns:b.example?transport=tcp']",
        )
        .variable("SECURECALL_TURN_SECRET", "hush");
    let urls = relay(&world).urls;
    assert_eq!(urls[1..], ["stun:a.example", "turns:b.example?transport=tcp"]);
}

#[test]
fn a_file_has_one_secret() {
    for content in ["new", "new\n", "new\r\n"] {
        let relay = relay(&with_secret_file(content));
        assert_eq!(relay.secret.expose(), "new", "{content:?}");
    }
}

#[test]
fn a_file_with_anything_else_is_refused() {
    for (content, says) in [
        ("", "empty"),
        ("\n", "empty"),
        ("\nold", "one line"),
        ("new\n\n", "one line"),
        (
            "new\nold",
            "during a change of the secret the TURN servers accept both, and this server \
          uses one",
        ),
        ("new\r\nold\r\n", "one line"),
        (" new", "white space"),
        (&"x".repeat(5000), "4096 bytes"),
    ] {
        let refusal = with_secret_file(content).refusal();
        assert!(refusal.contains(says), "{content:?} gives {refusal:?}");
    }
}

#[test]
fn a_file_that_others_can_read_brings_a_warning() {
    let world = with_secret_file("new");
    assert_eq!(world.load().unwrap().warnings, [""; 0]);
    super::chmod(&world.folder.path().join("secret"), 0o644);
    assert!(world.load().unwrap().warnings[0].contains("readable by others"));
}

#[test]
fn half_a_configuration_is_refused() {
    let secret = |world: World| world.variable("SECURECALL_TURN_SECRET", "hush");
    for (world, says) in [
        (World::new().flag(URL), "without a secret"),
        (World::new().flag("--turn-preset=metered"), "without a secret"),
        (secret(World::new()), "without servers"),
        (World { flags: vec![], ..with_secret_file("hush") }.flag(URL), "without a secret"),
        (secret(with_secret_file("hush")), "both set"),
        (
            secret(World::new().flag(URL)).variable("SECURECALL_TURN_SECRET_PREVIOUS", "old"),
            "there is no setting SECURECALL_TURN_SECRET_PREVIOUS",
        ),
        (secret(World::new().flag("--turn-urls=stun:a.example")), "only stun:"),
        (World::new().flag(URL).variable("SECURECALL_TURN_SECRET", ""), "is empty"),
        (World::new().flag(URL).flag("--turn-secret-file=/nowhere"), "cannot be read"),
        (World::new().file("[turn]\nsecret = 'hush'"), "does not belong in the configuration file"),
        (secret(World::new().flag(URL).flag("--turn-ttl=59s")), "from 1m to 1day"),
        (secret(World::new().flag(URL).flag("--turn-ttl=25h")), "from 1m to 1day"),
    ] {
        let refusal = world.refusal();
        assert!(refusal.contains(says), "{says:?} is not in {refusal:?}");
    }
}

#[test]
fn urls_that_clients_would_refuse_are_refused() {
    for (url, says) in [
        ("stuns:relay.example", "Firefox"),
        ("stuns:relay.example?transport=tcp", "Firefox"),
        ("https://relay.example", "must begin with turn:"),
        ("relay.example:3478", "must begin with turn:"),
        ("relay.example", "must begin with turn:"),
        ("TURN:relay.example", "must begin with turn:"),
        ("turn:", "must have a host"),
        ("turn://relay.example", "must have a host"),
        ("turn:someone@relay.example", "must have a host"),
        ("turn:[::1:3478", "must have a host"),
        ("turn:[no]:3478", "must have a host"),
        ("turn:relay..example", "must have a host"),
        ("turn:.relay.example", "must have a host"),
        ("turn:-relay.example", "must have a host"),
        ("turn:relay.example-:3478", "must have a host"),
        ("turn:rel%61y.example", "must have a host"),
        ("turn:relay.example/path", "must have a host"),
        ("turn:bücher.example", "must have a host"),
        ("turn:fe80::1", "must have a host"),
        ("turn:[fe80::1%25eth0]:3478", "must have a host"),
        ("turn:192.0.2.256", "must be an IPv4 address"),
        ("turn:127.1:3478", "must be an IPv4 address"),
        ("turn:relay.example:5060", "browsers block this port"),
        ("turns:relay.example:993?transport=tcp", "browsers block this port"),
        ("stun:relay.example:6000", "browsers block this port"),
        ("turn:relay.example:0", "port"),
        ("turn:relay.example:", "port"),
        ("turn:relay.example:99999", "port"),
        ("turn:[::1]3478", "port"),
        ("turn:relay.example?transport=sctp", "transport=udp or transport=tcp"),
        ("turn:relay.example?transport=TCP", "transport=udp or transport=tcp"),
        ("turn:relay.example?", "transport=udp or transport=tcp"),
        ("turn:relay.example?transport=udp&a=b", "transport=udp or transport=tcp"),
        ("stun:relay.example?transport=udp", "nothing else"),
    ] {
        let refusal = World::new().flag(&format!("--turn-urls={url}")).refusal();
        assert!(refusal.contains(says), "{url} gives {refusal:?}");
        let refusal = World::new().variable("SECURECALL_TURN_URLS", url).refusal();
        assert!(refusal.contains(says), "{url} gives {refusal:?}");
    }
}

#[test]
fn a_secret_that_is_no_text_is_refused() {
    let world = with_secret_file("");
    std::fs::write(world.folder.path().join("secret"), b"\xff\xfe").unwrap();
    assert!(world.refusal().contains("not UTF-8"));
}

fn with_urls(urls: &str) -> World {
    World::new().flag(&format!("--turn-urls={urls}")).variable("SECURECALL_TURN_SECRET", "hush")
}

#[test]
fn every_form_that_all_clients_take_is_taken_without_a_word() {
    for url in [
        "turn:relay.example",
        "turn:relay.example:443",
        "turn:relay.example.:3478",
        "turn:relay.example?transport=udp",
        "turn:RELAY.example:3478?transport=udp",
        "turn:relay_1:3478",
        "turn:192.0.2.1:3478",
        "turn:relay.example:80,turn:relay.example:443,stun:relay.example:853",
        "turn:turn.4g.example",
        "turn:relay.example,turn:relay.example?transport=tcp,turns:relay.example,stun:relay.example",
        "turn:relay.example:3478,turn:relay.example:443,turns:relay.example:443?transport=tcp",
    ] {
        assert_eq!(with_urls(url).load().unwrap().warnings, [""; 0], "{url}");
    }
}

#[test]
fn a_list_that_some_clients_cannot_use_brings_a_warning() {
    for (urls, says) in [
        ("turn:relay.example?transport=tcp", "no URL gives a relay over UDP"),
        ("turns:relay.example,stun:relay.example", "no URL gives a relay over UDP"),
        ("turn:[2001:db8::1]:3478", "has an IPv6 address"),
        ("turn:relay.example,stun:[2001:db8::1]", "has an IPv6 address"),
        ("turn:relay.example,turns:relay.example?transport=udp", "which is DTLS"),
        ("turn:relay.example:853", "has a port below 1024"),
        ("turn:relay.example:53,turn:relay.example", "has a port below 1024"),
    ] {
        let warnings = with_urls(urls).load().unwrap().warnings;
        assert!(warnings.len() == 1 && warnings[0].contains(says), "{urls} gives {warnings:?}");
    }
}

#[test]
fn the_preset_has_no_relay_over_udp_until_one_is_added() {
    let preset =
        || World::new().flag("--turn-preset=metered").variable("SECURECALL_TURN_SECRET", "hush");
    let warnings = preset().load().unwrap().warnings;
    assert!(warnings[0].contains("no URL gives a relay over UDP"), "{warnings:?}");
    let with_udp = preset().flag("--turn-urls=turn:a.relay.metered.ca:443");
    assert_eq!(with_udp.load().unwrap().warnings, [""; 0]);
    assert_eq!(relay(&with_udp).urls.len(), 2);
}

#[test]
fn a_server_that_is_named_twice_is_refused() {
    for urls in [
        "turn:relay.example,turn:relay.example",
        "turn:relay.example,turn:relay.example:3478",
        "turn:relay.example,turn:relay.example?transport=udp",
        "turn:relay.example,turn:Relay.Example",
        "turns:relay.example,turns:relay.example:5349?transport=tcp",
    ] {
        let refusal = with_urls(urls).refusal();
        assert!(refusal.contains("a server twice"), "{urls} gives {refusal:?}");
    }
    let twice =
        with_urls("turn:a.relay.metered.ca:443?transport=tcp").flag("--turn-preset=metered");
    assert!(twice.refusal().contains("a server twice"));
}

#[test]
fn more_servers_than_clients_ask_are_refused() {
    let urls =
        |count| (0..count).map(|n| format!("turn:r{n}.example")).collect::<Vec<_>>().join(",");
    assert_eq!(relay(&with_urls(&urls(8))).urls.len(), 8);
    assert!(with_urls(&urls(9)).refusal().contains("more than 8 URLs"));
}
