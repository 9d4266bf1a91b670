//! The machine on a virtual clock.
