//! The checks find what they are for: each fault of the shell, within some hundred seeds.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use securecall_sim::{Mutation, Trace, run};

const SEEDS: u64 = 500;

#[test]
fn every_fault_of_the_shell_is_found() {
    let missed: Vec<Mutation> = Mutation::FAULTS
        .into_iter()
        .filter(|fault| (0..SEEDS).all(|seed| run(seed, *fault, Trace::Off).is_ok()))
        .collect();
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}
