//! The dialect of a relay that does nothing but relay: the first text of a client is its id, and
//! each further one `TO\nTEXT`, of which `TO` gets `TEXT`.

use super::{Dialect, End, Received};

/// The server confirms no registration, so a client sends itself a greeting to see that its id is
/// known.
#[derive(Clone, Copy, Debug)]
pub struct Plain;

const GREETING: &str = "hello";

impl Dialect for Plain {
    fn open(&self, end: &End, out: &mut Vec<String>) {
        out.push(end.name.clone());
        out.push(format!("{}\n{GREETING}", end.name));
    }

    fn pair(&self, caller: &mut End, callee: &mut End, _: &mut Vec<String>) -> bool {
        callee.name.clone_into(&mut caller.address);
        caller.name.clone_into(&mut callee.address);
        true
    }

    fn receive(&self, _: &mut End, text: &str, _: &mut Vec<String>) -> Received {
        if text == GREETING { Received::Registered } else { Received::Message }
    }

    fn message(&self, end: &End, body: &str) -> String {
        format!("{}\n{body}", end.address)
    }
}
