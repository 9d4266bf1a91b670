//! Refused configurations and their errors.

use super::World;

#[track_caller]
fn assert_refused(world: &World, says: &[&str]) {
    let refusal = world.refusal();
    for part in says {
        assert!(refusal.contains(part), "{part:?} is not in {refusal:?}");
    }
}

#[test]
fn a_misspelt_key_is_refused_with_the_right_one() {
    let world = World::new().file("[limits]\nping_aftr = '25s'");
    assert_refused(&world, &["limits.ping_aftr", "securecall.toml", "limits.ping_after?"]);
}

#[test]
fn a_key_in_the_wrong_section_is_refused_with_the_right_one() {
    assert_refused(&World::new().file("ping_after = '25s'"), &["did you mean limits.ping_after?"]);
}

#[test]
fn a_misspelt_section_is_refused_though_it_is_empty() {
    assert_refused(&World::new().file("[limitz]"), &["there is no setting limitz"]);
}

#[test]
fn a_misspelt_section_is_refused_with_the_right_one() {
    for file in ["[limit]", "[limit]\nelephants = 3", "limit = 3"] {
        assert_refused(&World::new().file(file), &["did you mean [limits]?"]);
    }
}

#[test]
fn an_empty_port_says_that_it_is_empty() {
    let world = World::new().variable("PORT", "");
    assert_refused(&world, &["environment PORT", "PORT is empty: unset it"]);
}

#[test]
fn an_invalid_value_gets_its_range_and_not_the_words_of_a_parser() {
    for (flag, says) in [
        ("--message-bytes-max=abc", "\"abc\": must be a number from 2048 to 16777216"),
        ("--connection-rate=x", "\"x\": must be a number from 0.001 to 1000000"),
        ("--ping-after=5", "\"5\": must be a duration with its unit, from 100ms to 1h"),
        ("--ping-after=2h", "\"2h\": must be from 100ms to 1h"),
    ] {
        let refusal = World::new().flag(flag).refusal();
        assert!(refusal.ends_with(says), "{refusal}");
    }
}

#[test]
fn an_empty_section_sets_nothing() {
    World::new().file("[limits]").load().unwrap();
}

#[test]
fn a_misspelt_variable_is_refused_with_the_right_one() {
    let world = World::new().variable("SECURECALL_PINGAFTER", "25s");
    assert_refused(&world, &["SECURECALL_PINGAFTER", "did you mean SECURECALL_PING_AFTER?"]);
}

#[test]
fn a_misspelt_variable_of_the_secret_is_refused_with_the_right_one() {
    let world = World::new().variable("SECURECALL_TURN_SECERT", "hush");
    assert_refused(&world, &["did you mean SECURECALL_TURN_SECRET?"]);
}

#[test]
fn a_misspelt_flag_is_refused_with_the_right_one() {
    assert_refused(&World::new().flag("--pingafter=25s"), &["did you mean --ping-after?"]);
}

#[test]
fn an_unrelated_name_gets_no_suggestion() {
    let world = World::new().file("[limits]\nelephants = 3");
    assert_refused(&world, &["limits.elephants", "check-config"]);
}

#[test]
fn variables_of_other_programs_are_ignored() {
    World::new().variable("SECURE_CALL", "1").variable("HOME", "/").load().unwrap();
}

#[test]
fn a_wrong_value_is_refused_wherever_it_is() {
    let says = ["calls.grace", "\"soon\""];
    assert_refused(&World::new().file("[calls]\ngrace = 'soon'"), &says);
    assert_refused(&World::new().variable("SECURECALL_GRACE", "soon"), &says);
    assert_refused(&World::new().flag("--grace=soon"), &["calls.grace", "soon", "flag --grace"]);
}

#[test]
fn a_wrong_value_is_refused_though_a_later_one_wins() {
    assert_refused(&World::new().file("[calls]\ngrace = 'soon'").flag("--grace=1s"), &["soon"]);
}

#[test]
fn a_value_out_of_range_is_refused_with_the_range() {
    let world = World::new().variable("SECURECALL_GRACE", "2h");
    assert_refused(&world, &["environment SECURECALL_GRACE", "\"2h\"", "from 100ms to 1h"]);
}

#[test]
fn a_duration_without_unit_is_refused() {
    assert_refused(&World::new().file("[calls]\ngrace = 30"), &["calls.grace", "unit"]);
}

#[test]
fn a_word_that_is_no_choice_is_refused_with_the_choices() {
    let world = World::new().file("[directory]\nreplace = 'anybody'");
    assert_refused(&world, &["directory.replace", "owner, registered"]);
    let world = World::new().flag("--directory-replace=anybody");
    assert_refused(&world, &["directory.replace", "owner, registered"]);
}

#[test]
fn a_misspelt_level_is_refused_instead_of_silencing_the_log() {
    assert_refused(&World::new().flag("--log=infoo"), &["log", "error, warn, info"]);
}

#[test]
fn rates_that_let_nothing_pass_are_refused() {
    for rate in ["0/1", "1/0", "1/NaN", "1/inf", "1/-1", "1", "a/b", "1/2/3", ""] {
        let world = World::new().variable("SECURECALL_CALLS_RATE", rate);
        assert_refused(&world, &["limits.calls", "BURST/PER_SECOND"]);
    }
}

#[test]
fn networks_and_addresses_are_checked() {
    assert_refused(&World::new().flag("--trusted-proxies=10.0.0.0/33"), &["proxy.trusted"]);
    assert_refused(&World::new().flag("--listen=8080"), &["listen", "ADDRESS:PORT"]);
    assert_refused(&World::new().flag("--admin-listen=here"), &["admin.listen", "PORT"]);
    assert_refused(&World::new().flag("--client-address-header=a b"), &["proxy.header"]);
}

#[test]
fn a_network_of_all_addresses_needs_a_header_that_clients_cannot_forge() {
    for everybody in ["0.0.0.0/0", "::/0", "10.0.0.0/8,::/0"] {
        let trusting = format!("--trusted-proxies={everybody}");
        let world = World::new().flag(&trusting);
        assert_refused(&world, &["proxy.trusted", "/0", "narrower", "x-forwarded-for"]);
        let world = World::new().flag(&trusting).flag("--client-address-header=x-real-ip");
        assert!(world.load().is_ok());
    }
}

#[test]
fn one_address_is_the_network_of_it() {
    let world = World::new().flag("--trusted-proxies=10.0.0.1,::1,192.0.2.0/24");
    let trusted = world.load().unwrap().settings.proxy.trusted;
    assert_eq!(trusted.to_string(), "10.0.0.1/32,::1/128,192.0.2.0/24");
}

#[test]
fn an_invalid_port_is_refused() {
    for port in ["http", "65536", "-1"] {
        let world = World::new().variable("PORT", port);
        assert_refused(&world, &["listen", "environment PORT", "from 0 to 65535"]);
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (flags, says) in [
        (["--ping-after=60s", "--silence-timeout=60s"], "must be shorter than"),
        (["--outbox-bytes-max=2048", "--message-bytes-max=4096"], "must be at least"),
        (["--waiting-bytes-max=2048", "--message-bytes-max=8192"], "must be at least"),
        (["--waiting-bytes-max=262145", "--grace=1s"], "must be at most limits.outbox_bytes_max"),
        (["--key-bytes-max=3073", "--message-bytes-max=4096"], "must be at least 1024 less than"),
        (
            ["--hangups-rate=20/30", "--calls-rate=21/1"],
            "must be at least, in both numbers, limits",
        ),
        (["--hangups-rate=30/1", "--calls-rate=20/2"], "must be at least, in both numbers, limits"),
        (["--drain-period=20s", "--drain-timeout=19s"], "must be at most drain.timeout"),
        (["--listen=127.0.0.1:9", "--admin-listen=9"], "another address than listen"),
    ] {
        let world = World::new().flag(flags[0]).flag(flags[1]);
        let flag = flags[0].split('=').next().unwrap();
        assert_refused(&world, &[says, &format!("flag {flag}"), "change one of them"]);
    }
}

#[test]
fn the_rate_of_hangups_is_never_below_that_of_calls() {
    let hangups = |flags: &[&str]| {
        let world = flags.iter().fold(World::new(), |world, flag| world.flag(flag));
        world.load().unwrap().settings.limits.hangups().to_string()
    };
    assert_eq!(hangups(&[]), "100/20");
    assert_eq!(hangups(&["--calls-rate=500/10"]), "500/20");
    assert_eq!(hangups(&["--calls-rate=50/40"]), "100/40");
    assert_eq!(hangups(&["--hangups-rate=30/2"]), "30/2");
}

#[test]
fn relays_that_leave_no_room_for_an_offer_are_refused() {
    let long = "relay.".repeat(20);
    let urls: Vec<_> = (0..8).map(|n| format!("turn:{n}.{long}example.org:3478")).collect();
    let world = |bytes| {
        let world = World::new().variable("SECURECALL_TURN_SECRET", "hush");
        let world = world.flag(&format!("--turn-urls={}", urls.join(",")));
        world.flag("--key-bytes-max=1024").flag(&format!("--message-bytes-max={bytes}"))
    };
    assert_refused(&world(2048), &["turn.urls", "limits.message_bytes_max (2048", "offer"]);
    assert!(world(8192).load().is_ok());
}

#[test]
fn a_contradiction_names_values_and_origins_of_both() {
    let world = World::new().variable("SECURECALL_SILENCE_TIMEOUT", "20s");
    assert_refused(
        &world,
        &[
            "limits.ping_after (25s, default)",
            "limits.silence_timeout (20s, environment SECURECALL_SILENCE_TIMEOUT)",
        ],
    );
}

#[test]
fn more_connections_than_descriptors_are_refused_when_asked_for() {
    let world = World::new().flag("--connections-max=1001").descriptors(1576);
    assert_refused(&world, &["limits.connections_max (1001", "1577", "1576", "ulimit"]);
}

#[test]
fn too_few_descriptors_for_any_connection_are_refused() {
    assert_refused(&World::new().descriptors(576), &["limits.connections_max", "ulimit"]);
}

#[test]
fn a_file_that_is_absent_or_no_toml_is_refused() {
    assert_refused(
        &World::new().flag("--config=/nowhere.toml"),
        &["/nowhere.toml", "No such file"],
    );
    assert_refused(&World::new().file("[calls]\ngrace = ="), &["securecall.toml", "line 2"]);
    assert_refused(&World::new().file("log = true"), &["log", "text, a number or an array"]);
    assert_refused(&World::new().file("[limits.calls]\nburst = 1"), &["limits.calls.burst"]);
}
