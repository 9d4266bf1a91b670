//! Secrets never appear in output.

use super::World;

const SECRET: &str = "correct-horse-battery";
const OTHER: &str = "staple-of-old";

#[track_caller]
fn assert_silent(shown: &str) {
    for secret in [SECRET, OTHER] {
        assert!(!shown.contains(secret), "a secret is in {shown}");
        // The form in which a derived `Debug` would print them.
        let bytes = format!("{:?}", &secret.as_bytes()[..4]);
        assert!(!shown.contains(bytes.trim_matches(['[', ']'])), "a secret is in {shown}");
    }
}

fn with_secrets() -> World {
    World::new().flag("--turn-preset=metered").variable("SECURECALL_TURN_SECRET", SECRET)
}

fn with_secret_file(content: &str) -> World {
    let world = World::new().flag("--turn-preset=metered");
    let path = world.write("secret", content);
    world.flag(&format!("--turn-secret-file={}", path.display()))
}

#[test]
fn not_in_debug_output() {
    let loaded = with_secrets().load().unwrap();
    assert_silent(&format!("{loaded:?} {:#?}", loaded.settings));
}

#[test]
fn not_in_the_printed_configuration_which_names_its_origin() {
    let toml = with_secrets().load().unwrap().to_toml();
    assert_silent(&toml);
    assert!(toml.contains("# the secret is set from environment SECURECALL_TURN_SECRET"));

    let world = with_secret_file(&format!("{SECRET}\n"));
    let toml = world.load().unwrap().to_toml();
    assert_silent(&toml);
    let path = world.folder.path().join("secret");
    assert!(toml.contains(&format!("# the secret is set from file {}", path.display())));
}

#[test]
fn not_in_refusals() {
    let padded = format!("{SECRET} ");
    let url = format!("turn:{SECRET}@relay.example");
    let worlds = [
        World::new().variable("SECURECALL_TURN_SECRET", SECRET),
        World::new().flag("--turn-preset=metered").variable("SECURECALL_TURN_SECRET", &padded),
        World::new().variable("SECURECALL_TURN_SECRT", SECRET),
        World::new().variable("SECURECALL_TURN_SECRET_PREVIOUS", OTHER),
        with_secret_file(&format!("{SECRET}\n{OTHER}\n")),
        with_secrets().flag("--turn-secret-file=/nowhere"),
        World::new().file(&format!("[turn]\nsecret = '{SECRET}'")),
        World::new().file(&format!("[turn]\nsecret_key = '{SECRET}'")),
        World::new().file(&format!("[turn]\nsecret = '{SECRET}' {OTHER}")),
        World::new().file(&format!("[turn]\nsecret = {SECRET}")),
        World::new().flag(&format!("--turn-urls={url}")),
        World::new().variable("SECURECALL_TURN_URLS", &url),
        World::new().flag(&format!("--turn-secret={SECRET}")),
        World::new().flag(&format!("--turn-secrets={SECRET}")),
    ];
    for world in worlds {
        assert_silent(&world.refusal());
    }
}
