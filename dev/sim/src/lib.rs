//! A deterministic simulator: thousands of seeded runs of many sessions in a failing world.
//!
//! A seed makes a world of honest clients, impostors and byzantine ones, of connections that are
//! cut and half-open, of mail that is delivered in any order that threads allow, of a server that
//! is killed and started again. After every step the checks run: invariants of the sessions
//! (`checks`), and the rules of a naive `model`, which has a table of all calls and watches the
//! server from outside. First comes safety, with the faults on; then liveness, with the faults off:
//! every client comes back, and every call has to end. The method is that of TigerBeetle's
//! simulator.
//!
//! ```text
//! clients ⇄ network ⇄ server (shell and sessions) ── events ──► model and checks
//! ```
//!
//! This crate refuses to do two things: it opens no socket and, but for the length of a long run,
//! it reads no clock. The same seed is the same run, always.

mod checks;
mod client;
mod environment;
mod event;
mod liveness;
mod model;
mod mutation;
mod network;
mod random;
mod scenario;
mod server;
mod trace;
mod violation;
mod wire;
mod world;

pub use model::Seen;
pub use mutation::Mutation;
pub use trace::Trace;
pub use violation::Violation;

use world::World;

/// Counts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Steps with the faults on.
    pub steps: usize,
    /// Comparisons of model and sessions, made whenever no mail was in flight.
    pub comparisons: usize,
    /// Counts of events in the calls.
    pub seen: Seen,
}

/// One run.
///
/// # Errors
/// The first [`Violation`] of a rule.
pub fn run(seed: u64, mutation: Mutation, trace: Trace) -> Result<Report, Violation> {
    let mut world = World::new(seed, mutation, trace);
    for _ in 0..world.scenario.steps {
        world.step()?;
    }
    trace.note(world.server.environment.now, "──── the faults are off ────");
    world.come_to_an_end()?;
    let seen = world.model.seen();
    Ok(Report { steps: world.scenario.steps, comparisons: world.comparisons, seen })
}
