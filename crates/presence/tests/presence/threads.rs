//! Real threads, which register, leave and call under the same few ids.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use securecall_core::Departure;

use crate::node::{Node, call_id, candidate, end, initiate};

const THREADS: usize = 4;
const ROUNDS: usize = 300;
const CLIENTS: [&str; 3] = ["alice", "bob", "carol"];

/// Comes, calls the others, sends a message in each call that it learns of, and goes.
fn live(node: &Node, round: usize, departure: Departure) {
    let client = node.register(CLIENTS[round % CLIENTS.len()]);
    node.send(&client, &initiate(CLIENTS[(round + 1) % CLIENTS.len()]));
    node.send(&client, &initiate(CLIENTS[(round + 2) % CLIENTS.len()]));
    for text in client.line.received() {
        if text.contains("INCOMING_CALL") {
            let call = call_id(&text);
            node.send(&client, &candidate(&call, "a"));
            node.send(&client, &end(&call));
        }
    }
    node.look(&client, node.now());
    node.release(&client, departure);
}

#[test]
fn whatever_threads_do_in_whatever_order_everything_ends() {
    let node = Arc::new(Node::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let node = &node;
            scope.spawn(move || {
                for round in 0..ROUNDS {
                    let left = (round + thread).is_multiple_of(3);
                    let departure = if left { Departure::Left } else { Departure::Lost };
                    live(node, round * THREADS + thread, departure);
                }
            });
        }
    });
    for _ in 0..8 {
        node.pass(Duration::from_secs(200));
        node.keepers().iter().for_each(|cell| _ = node.keep(cell));
    }
    assert_eq!(node.registry.sessions(), 0);
    assert_eq!(node.host.calls.load(Ordering::SeqCst), 0);
}
