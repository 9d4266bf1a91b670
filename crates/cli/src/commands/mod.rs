//! The commands, one module each: `NAME`, its flags, and `run`.

#[cfg(feature = "terminal")]
pub(crate) mod call;
pub(crate) mod check_config;
pub(crate) mod completions;
pub(crate) mod directory;
pub(crate) mod health;
pub(crate) mod keys;
#[cfg(feature = "terminal")]
pub(crate) mod listen;
#[cfg(feature = "load")]
pub(crate) mod load;
pub(crate) mod man;
#[cfg(feature = "terminal")]
pub(crate) mod probe;
pub(crate) mod serve;
pub(crate) mod turn;
