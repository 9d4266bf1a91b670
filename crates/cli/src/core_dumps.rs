//! Prevents core dumps: an image of the process would contain its secrets.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Makes the process not dumpable, and prevents other processes of the same user from reading its
/// memory. It does not last beyond an `exec`.
///
/// A limit of zero is not sufficient: if a program receives the dumps (systemd-coredump, apport),
/// the kernel ignores the limit (core(5)).
pub(crate) fn forbid() {
    // A sandbox may forbid the call; serving without it is better than not serving.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
