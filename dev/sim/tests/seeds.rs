//! Five thousand seeds, with no violation.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::ops::Range;

use securecall_sim::{Mutation, Report, Trace, run};

#[track_caller]
fn assert_no_violation(seeds: Range<u64>) -> Vec<Report> {
    let reports = seeds.map(|seed| {
        run(seed, Mutation::None, Trace::Off).unwrap_or_else(|violation| {
            panic!(
                "seed {seed}: {violation}\n    \
                 replay it: cargo run -p securecall-sim -- --seed {seed}"
            )
        })
    });
    reports.collect()
}

#[test]
fn no_rule_is_broken_in_the_first_thousand_worlds() {
    assert_no_violation(0..1_000);
}

#[test]
fn no_rule_is_broken_in_the_second_thousand_worlds() {
    assert_no_violation(1_000..2_000);
}

#[test]
fn no_rule_is_broken_in_the_third_thousand_worlds() {
    assert_no_violation(2_000..3_000);
}

#[test]
fn no_rule_is_broken_in_the_fourth_thousand_worlds() {
    assert_no_violation(3_000..4_000);
}

#[test]
fn no_rule_is_broken_in_the_fifth_thousand_worlds() {
    assert_no_violation(4_000..5_000);
}

#[test]
fn the_same_seed_is_the_same_run() {
    assert_eq!(assert_no_violation(0..20), assert_no_violation(0..20));
}

#[test]
fn the_worlds_are_eventful() {
    let reports = assert_no_violation(0..200);
    let worlds_with =
        |event: fn(&Report) -> usize| reports.iter().filter(|report| event(report) > 0).count();
    for (what, worlds) in [
        ("an answer", worlds_with(|report| report.seen.answered)),
        ("a candidate", worlds_with(|report| report.seen.candidates)),
        ("an end", worlds_with(|report| report.seen.ended)),
        ("a busy client", worlds_with(|report| report.seen.busy)),
        ("too much waiting", worlds_with(|report| report.seen.overflowed)),
        ("a call resumed after a restart", worlds_with(|report| report.seen.resumed)),
        ("a registration resumed", worlds_with(|report| report.seen.resumptions)),
        ("a message sent again", worlds_with(|report| report.seen.replayed)),
        ("glare", worlds_with(|report| report.seen.glare)),
    ] {
        assert!(worlds >= 30, "only {worlds} of 200 worlds see {what}");
    }
    let calls: usize = reports.iter().map(|report| report.seen.calls).sum();
    assert!(calls >= 4_000, "only {calls} calls");
}
