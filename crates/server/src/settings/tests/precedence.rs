//! The order of the layers.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::World;

fn grace(world: &World) -> Duration {
    *world.load().unwrap().settings.calls.grace
}

#[test]
fn without_anything_the_default_counts() {
    assert_eq!(grace(&World::new()), Duration::from_secs(30));
}

#[test]
fn the_file_wins_over_the_default() {
    let world = World::new().file("[calls]\ngrace = '1s'");
    assert_eq!(grace(&world), Duration::from_secs(1));
}

#[test]
fn the_environment_wins_over_the_file() {
    let world = World::new().file("[calls]\ngrace = '1s'").variable("SECURECALL_GRACE", "2s");
    assert_eq!(grace(&world), Duration::from_secs(2));
}

#[test]
fn a_flag_wins_over_all() {
    let world = World::new()
        .file("[calls]\ngrace = '1s'")
        .variable("SECURECALL_GRACE", "2s")
        .flag("--grace=3s");
    assert_eq!(grace(&world), Duration::from_secs(3));
}

#[test]
fn a_flag_that_repeats_the_default_wins_too() {
    let world = World::new().file("[calls]\ngrace = '1s'").flag("--grace=30s");
    assert_eq!(grace(&world), Duration::from_secs(30));
}

#[test]
fn an_empty_variable_empties_the_list_of_the_file() {
    let world = World::new()
        .file("[proxy]\ntrusted = ['10.0.0.0/8']")
        .variable("SECURECALL_TRUSTED_PROXIES", "");
    assert!(world.load().unwrap().settings.proxy.trusted.is_empty());
}

#[test]
fn the_environment_names_the_file() {
    let world = World::new();
    let path = world.write("elsewhere.toml", "[calls]\ngrace = '1s'");
    let world = World { variables: Vec::new(), ..world }
        .variable("SECURECALL_CONFIG", &path.display().to_string());
    assert_eq!(grace(&world), Duration::from_secs(1));
}

#[test]
fn a_flag_names_the_file_instead_of_the_environment() {
    let world =
        World::new().file("[calls]\ngrace = '1s'").variable("SECURECALL_CONFIG", "/nowhere.toml");
    assert_eq!(grace(&world), Duration::from_secs(1));
}

/// Returns a world with the file of a package, which sets the grace to 9 s.
fn with_file_of_a_package() -> (World, PathBuf) {
    let world = World::new();
    let path = world.write("of-a-package.toml", "[calls]\ngrace = '9s'");
    (World { config_of_packages: Some(path.clone()), ..world }, path)
}

#[test]
fn the_file_of_a_package_counts_where_no_other_is_named() {
    let (world, path) = with_file_of_a_package();
    assert_eq!(grace(&world), Duration::from_secs(9));
    assert_eq!(world.load().unwrap().settings.file, Some(path));
    let (world, _) = with_file_of_a_package();
    assert_eq!(grace(&world.file("[calls]\ngrace = '1s'")), Duration::from_secs(1));
    let (world, _) = with_file_of_a_package();
    let other = world.write("other.toml", "[calls]\ngrace = '2s'").display().to_string();
    assert_eq!(grace(&world.variable("SECURECALL_CONFIG", &other)), Duration::from_secs(2));
}

#[test]
fn an_empty_name_in_the_environment_means_no_file() {
    let (world, _) = with_file_of_a_package();
    let world = world.variable("SECURECALL_CONFIG", "");
    assert_eq!(grace(&world), Duration::from_secs(30));
    assert_eq!(world.load().unwrap().settings.file, None);
}

#[test]
fn a_file_of_a_package_that_is_not_there_is_no_mistake_and_a_broken_one_is() {
    let (world, path) = with_file_of_a_package();
    fs::write(&path, "[calls]\ngrace = 'soon'").unwrap();
    assert!(world.refusal().contains("of-a-package.toml"));
    fs::remove_file(path).unwrap();
    assert_eq!(grace(&world), Duration::from_secs(30));
}

fn listen(world: &World) -> String {
    world.load().unwrap().settings.listen.to_string()
}

#[test]
fn port_replaces_the_port_of_the_default() {
    assert_eq!(listen(&World::new().variable("PORT", "7000")), "0.0.0.0:7000");
}

#[test]
fn port_replaces_the_port_of_the_file_and_of_the_environment() {
    let world = World::new().file("listen = '[::1]:1'").variable("PORT", "7000");
    assert_eq!(listen(&world), "[::1]:7000");
    let world = world.variable("SECURECALL_LISTEN", "127.0.0.1:2");
    assert_eq!(listen(&world), "127.0.0.1:7000");
}

#[test]
fn port_leaves_a_flag_alone() {
    let world = World::new().variable("PORT", "7000").flag("--listen=127.0.0.1:3");
    assert_eq!(listen(&world), "127.0.0.1:3");
}

#[test]
fn a_bare_admin_port_is_one_on_loopback() {
    let settings = World::new().flag("--admin-listen=9090").load().unwrap().settings;
    assert_eq!(settings.admin.listen, Some("127.0.0.1:9090".parse().unwrap()));
}

#[test]
fn each_value_is_shown_with_its_origin() {
    let world = World::new()
        .file("[calls]\nring_timeout = '50s'\n[proxy]\ntrusted = ['10.0.0.0/8', '::1/128']")
        .variable("SECURECALL_CONNECTIONS_MAX", "99")
        .variable("PORT", "7000")
        .flag("--connection-rate=4");
    let toml = world.load().unwrap().to_toml();
    let file = world.folder.path().join("securecall.toml");
    for line in [
        "listen = \"0.0.0.0:7000\"  # environment PORT",
        "workers = \"auto\"  # default",
        "connections_max = 99  # environment SECURECALL_CONNECTIONS_MAX",
        "connection_rate = 4.0  # flag --connection-rate",
        &format!("ring_timeout = \"50s\"  # file {}", file.display()),
        &format!("trusted = [\"10.0.0.0/8\", \"::1/128\"]  # file {}", file.display()),
        "# there is no secret",
    ] {
        assert!(toml.lines().any(|shown| shown == line), "no line {line:?} in\n{toml}");
    }
}

#[test]
fn the_default_number_of_connections_is_lowered_to_the_descriptors_with_a_warning() {
    let loaded = World::new().descriptors(1576).load().unwrap();
    assert_eq!(loaded.settings.limits.connections_max, 1000);
    assert!(loaded.warnings[0].contains("limits.connections_max is 1000 instead of 20000"));
    assert!(loaded.to_toml().contains("connections_max = 1000  # default, lowered"));
}

#[test]
fn a_default_that_is_lowered_a_little_is_shown_without_a_warning() {
    let loaded = World::new().descriptors(20_000).load().unwrap();
    assert_eq!(loaded.warnings, [""; 0]);
    assert!(loaded.to_toml().contains("connections_max = 19424  # default, lowered"));
}

#[test]
fn enough_descriptors_leave_the_connections_alone() {
    let loaded = World::new().descriptors(20_576).load().unwrap();
    assert_eq!(loaded.settings.limits.connections_max, 20_000);
    assert_eq!(loaded.warnings, [""; 0]);
}
