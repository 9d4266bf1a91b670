//! `Debug` for what holds keys: the name of the type, and nothing of what is in it.

macro_rules! redacted {
    ($($holder:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $holder {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($holder)).finish_non_exhaustive()
            }
        }
    )+};
}

redacted!(
    crate::Callee,
    crate::Caller<'_>,
    crate::DirectoryKey,
    crate::Established,
    crate::Identity,
    crate::Incoming,
    crate::Offered,
    crate::Seed,
);
