//! Sealing, as a client and as a dishonest relay see it.

mod bound_fields;
mod dishonest_relay;
mod interoperation;
mod order;
mod pair;
mod relay;
mod rfc9180;
mod second;
mod tape;
mod vectors;
mod whole_call;
