//! The checks find the faults that they exist for: each fault of the code around the sessions,
//! within as many seeds as are run without one; and each invariant of docs/protocol.md has a fault
//! that its own check finds.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use securecall_sim::{Mutation, Trace, run};

const SEEDS: u64 = 5_000;

#[test]
fn every_fault_of_the_shell_is_found() {
    let missed: Vec<Mutation> = Mutation::FAULTS
        .into_iter()
        .filter(|fault| (0..SEEDS).all(|seed| run(seed, *fault, Trace::Off).is_ok()))
        .collect();
    assert!(missed.is_empty(), "not found within {SEEDS} seeds: {missed:?}");
}

/// An invariant, a fault that breaks it, and how the check for it begins to complain.
const INVARIANTS: [(&str, Mutation, &str); 17] = [
    ("to the named client only", Mutation::Misdeliver, "a call that is not its own"),
    ("to its present connection only", Mutation::ServeSuperseded, " is not "),
    ("not to whoever takes over the id", Mutation::ShareTheSession, "has not shown that it is"),
    ("byte for byte", Mutation::ReencodeOpaque, "with another offer"),
    ("at most once", Mutation::DeliverTwice, "and None was next"),
    ("at most once on a connection", Mutation::SendTwice, "is next, and not"),
    ("once over all connections", Mutation::ResumeTooEarly, "is next, and not"),
    ("everything over all connections", Mutation::ResumeTooLate, "is next, and not"),
    ("in order over all connections", Mutation::ResumeBackwards, "is next, and not"),
    ("resumed with the right token only", Mutation::ResumeWithAnyToken, "with a wrong token"),
    ("resumed with the right token always", Mutation::NeverResume, "and was not resumed"),
    ("an end is sent", Mutation::IgnorePresented, "was not sent the end of"),
    ("an end is sent once", Mutation::SendTwice, "which is over for it"),
    ("no record outlives its deadline", Mutation::SkipDeadlines, "rings for ever"),
    ("no bound is exceeded", Mutation::IgnoreBounds, "bytes wait for"),
    ("one call survives glare", Mutation::SwallowGlare, "cross each other, and both go on"),
    ("nothing undocumented in dialect 1", Mutation::SpeakDialectTwoToAll, "speaks dialect 1"),
];

#[test]
fn every_invariant_has_a_fault_that_its_own_check_finds() {
    for (invariant, fault, violation) in INVARIANTS {
        let complains = |seed| {
            let found = run(seed, fault, Trace::Off).err().map(|found| found.to_string());
            found.is_some_and(|words| words.contains(violation))
        };
        assert!((0..SEEDS).any(complains), "{invariant}: {fault:?} never leads to {violation:?}");
    }
}

#[test]
fn with_the_faults_off_everything_has_to_end() {
    for (fault, violation) in [
        (Mutation::LeakSessions, "sessions are left when everybody has left"),
        (Mutation::IgnorePresented, "for a call, and the server does not"),
    ] {
        let complains = |seed| {
            let found = run(seed, fault, Trace::Off).err().map(|found| found.to_string());
            found.is_some_and(|words| words.contains(violation))
        };
        assert!((0..SEEDS).any(complains), "{fault:?} never leads to {violation:?}");
    }
}
