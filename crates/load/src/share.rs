//! Shares: the division of a plan among workers.

use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::dialect::DialectName;
use crate::plan::{Pace, Plan, Workload};
use crate::target::Target;

/// The bound of clients that connect from one address, unless addresses are given: below a server's
/// limit of 256.
const CLIENTS_PER_SOURCE: usize = 200;

/// The share of one worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) target: Target,
    pub(crate) dialect: DialectName,
    /// With the numbers of this worker alone.
    pub(crate) workload: Workload,
    /// The number of its first client, among those of all workers.
    pub(crate) first_client: usize,
    pub(crate) sources: Vec<IpAddr>,
    /// Keeps the clients of two runs apart.
    pub(crate) run: String,
}

/// Divides a plan among at most `workers`, as evenly as it goes.
pub(crate) fn divide(plan: &Plan, target: &Target, run: &str, workers: usize) -> Vec<Share> {
    let units = units(&plan.workload);
    let workers = workers.clamp(1, units.max(1));
    let clients_per_unit = plan.workload.clients() / units.max(1);
    let sources = sources(plan, target);
    let share = |worker: usize| {
        let (first, end) = (units * worker / workers, units * (worker + 1) / workers);
        Share {
            target: target.clone(),
            dialect: plan.dialect,
            workload: part(plan.workload, end - first, units),
            first_client: first * clients_per_unit,
            sources: sources.clone(),
            run: run.to_owned(),
        }
    };
    (0..workers).map(share).collect()
}

/// The number of indivisible units: connections, or pairs.
fn units(workload: &Workload) -> usize {
    match *workload {
        Workload::Idle { connections } | Workload::Storm { connections } => connections,
        Workload::Relay { pairs, .. }
        | Workload::Calls { pairs, .. }
        | Workload::Offers { pairs, .. } => pairs,
    }
}

/// The workload with `units` of `all`, and that part of its rate.
fn part(mut workload: Workload, units: usize, all: usize) -> Workload {
    match &mut workload {
        Workload::Idle { connections } | Workload::Storm { connections } => *connections = units,
        Workload::Relay { pairs, pace, .. }
        | Workload::Calls { pairs, pace, .. }
        | Workload::Offers { pairs, pace, .. } => {
            *pairs = units;
            if let Pace::PerSecond(rate) = pace {
                *rate *= units as f64 / all as f64;
            }
        }
    }
    workload
}

fn sources(plan: &Plan, target: &Target) -> Vec<IpAddr> {
    match target.address().ip() {
        // Another system than Linux has but one loopback address.
        IpAddr::V4(v4)
            if v4.is_loopback() && plan.sources.is_empty() && cfg!(target_os = "linux") =>
        {
            let count = plan.workload.clients().div_ceil(CLIENTS_PER_SOURCE) as u32;
            // From 127.0.0.2 on, past the address of most servers.
            let address = |n| Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + 1 + n).into();
            (0..count).map(address).collect()
        }
        _ => plan.sources.clone(),
    }
}
