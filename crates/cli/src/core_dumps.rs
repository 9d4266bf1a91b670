//! No core dumps: an image of this process has its secrets in it, and would lie on a disk for whoever
//! looks there.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// Has the kernel write no image of this process, and let no other process of the same user read its
/// memory. It does not last beyond an `exec`.
///
/// A limit of zero would not do by itself: where a program takes the dumps (systemd-coredump,
/// apport) the kernel does not look at it (core(5)).
pub(crate) fn forbid() {
    // A sandbox may forbid the call; to serve without it is better than not to serve.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
