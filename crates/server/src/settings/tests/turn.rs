//! TURN: whole, or absent, or refused.

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
    assert_eq!(relay.secret_previous, None);
    assert_eq!(relay.ttl, Duration::from_secs(3600));
}

#[test]
fn the_urls_come_after_those_of_the_preset() {
    let world = World::new()
        .file("[turn]\npreset = 'metered'\nurls = ['stun:[::1]', 'turns:b.example?transport=tcp']")
        .variable("SECURECALL_TURN_SECRET", "hush");
    let urls = relay(&world).urls;
    assert_eq!(urls[1..], ["stun:[::1]", "turns:b.example?transport=tcp"]);
}

#[test]
fn the_environment_may_have_the_previous_secret() {
    let world = World::new()
        .flag(URL)
        .variable("SECURECALL_TURN_SECRET", "new")
        .variable("SECURECALL_TURN_SECRET_PREVIOUS", "old");
    let relay = relay(&world);
    assert_eq!(relay.secret.expose(), "new");
    assert_eq!(relay.secret_previous.unwrap().expose(), "old");
}

#[test]
fn a_file_has_one_secret_or_two() {
    for (content, previous) in [
        ("new", None),
        ("new\n", None),
        ("new\r\n", None),
        ("new\nold", Some("old")),
        ("new\r\nold\r\n", Some("old")),
    ] {
        let relay = relay(&with_secret_file(content));
        assert_eq!(relay.secret.expose(), "new", "{content:?}");
        let shown = relay.secret_previous.as_ref().map(|secret| secret.expose());
        assert_eq!(shown, previous, "{content:?}");
    }
}

#[test]
fn a_file_with_anything_else_is_refused() {
    for (content, says) in [
        ("", "empty"),
        ("\n", "empty"),
        ("\nold", "empty"),
        ("new\n\n", "empty"),
        ("new\nold\nolder", "one or two lines"),
        (" new", "white space"),
        ("new \nold", "white space"),
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
    assert!(world.load().unwrap().warnings[0].contains("readable for others"));
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
            with_secret_file("hush").variable("SECURECALL_TURN_SECRET_PREVIOUS", "old"),
            "SECURECALL_TURN_SECRET_PREVIOUS are both set",
        ),
        (
            World::new().flag(URL).variable("SECURECALL_TURN_SECRET_PREVIOUS", "old"),
            "is set without SECURECALL_TURN_SECRET",
        ),
        (World::new().flag(URL).variable("SECURECALL_TURN_SECRET", ""), "is empty"),
        (secret(World::new().flag(URL)).variable("SECURECALL_TURN_SECRET_PREVIOUS", ""), "empty"),
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
        ("https://relay.example", "must begin with turn:"),
        ("relay.example:3478", "must begin with turn:"),
        ("relay.example", "must begin with turn:"),
        ("TURN:relay.example", "must begin with turn:"),
        ("turn:", "must have a host"),
        ("turn://relay.example", "must have a host"),
        ("turn:someone@relay.example", "must have a host"),
        ("turn:[::1:3478", "must have a host"),
        ("turn:[no]:3478", "must have a host"),
        ("turn:relay.example:0", "port"),
        ("turn:relay.example:", "port"),
        ("turn:relay.example:99999", "port"),
        ("turn:[::1]3478", "port"),
        ("turn:relay.example?transport=sctp", "transport=udp or transport=tcp"),
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
