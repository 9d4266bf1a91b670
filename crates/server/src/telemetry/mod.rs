//! Counters, metrics and probes, and the listener that serves them to operators.

pub(crate) mod admin;
pub(crate) mod counters;
pub(crate) mod liveness;
pub(crate) mod log_limit;
pub(crate) mod metrics;
pub(crate) mod readiness;
