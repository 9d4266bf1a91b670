//! A load generator for signaling servers.
//!
//! It opens WebSocket connections, drives one [`Workload`] over them for a bounded time, and
//! returns a [`Report`]: a table when displayed, JSON when serialized, or an HTML page.
//!
//! A generator that costs as much as the server measures itself. So this one has one event loop
//! per thread and no task per connection: one read buffer for all connections, frames that are
//! encoded once and only stamped anew, and one write for all that one read led to.
//!
//! ```text
//! run ─► worker (thread or process) ─► event_loop ─► scenario ─► clients ─► connection
//!  │                                                    │
//!  └► report                                         dialect
//! ```
//!
//! Latency is never measured from when the generator got around to sending. With a rate, it is
//! measured from when a message was due: what a slow server does to the messages behind is seen.

mod alarm;
mod clients;
mod clock;
mod connection;
pub mod dialect;
mod event_loop;
mod failure;
mod frame;
mod plan;
mod population;
mod process_usage;
mod progress_bar;
mod recording;
mod report;
mod run;
mod scenario;
mod share;
mod stamp;
mod target;
mod transport;
mod worker;

pub use failure::{Failure, Failures};
pub use plan::{InvalidPlan, Pace, Plan, Workload};
pub use progress_bar::ProgressBar;
pub use recording::{Measure, Recording};
pub use report::{GeneratorCost, Report, ServerCost, SetUp, Times, Traffic};
pub use run::{LoadError, Progress, Sample, Stage, WorkerProgram, run};
pub use target::{Target, TargetError};
pub use worker::serve_parent;
