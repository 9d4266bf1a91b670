//! Two peers in one process, over real sockets.

mod coturn;
mod direct;
mod pair;
mod relayed;
