//! `Debug` for types that hold keys or ids: the name of the type, and nothing else.

use crate::{
    Bundle, Chain, Commitment, Fingerprint, Head, IdentityKey, Link, Origin, Outline, Position,
    Proof, PublicKey, RecoveryKey,
};

macro_rules! redacted {
    ($($holder:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $holder {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($holder)).finish_non_exhaustive()
            }
        }
    )+};
}

redacted!(
    Bundle,
    Chain,
    Commitment,
    Fingerprint,
    Head,
    IdentityKey,
    Link,
    Origin,
    Outline,
    Position,
    Proof,
    PublicKey,
    RecoveryKey,
);
