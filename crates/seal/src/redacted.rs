//! `Debug` for what holds keys: the name of the type, and nothing of what is in it.

use crate::{Callee, Caller, DirectoryKey, Established, Identity, Incoming, Offered, Seed};

macro_rules! redacted {
    ($($holder:ident $(<$lifetime:lifetime>)?),+ $(,)?) => {$(
        impl std::fmt::Debug for $holder $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($holder)).finish_non_exhaustive()
            }
        }
    )+};
}

redacted!(Callee, Caller<'_>, DirectoryKey, Established, Identity, Incoming, Offered, Seed);
