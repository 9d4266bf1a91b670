//! The machine on a virtual clock, before a server that each test plays itself.

mod calls;
mod flow;
mod link;
mod replaced;
mod resumption;
mod stage;
mod unlisted;
mod unremembered;
mod unwanted;
