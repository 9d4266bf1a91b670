//! Sockets that are still in their HTTP request, and so are not counted as connections yet.
//!
//! Each holds a descriptor, and whoever opens one may leave it open until the request timeout. So
//! there is a bound for one address, and a bound for all. Beyond that, whoever has had a fair time
//! makes room for the next; until somebody has, new ones wait in the kernel's queue.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use securecall_core::AddressKey;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

/// How many requests may be under way. Each takes a descriptor, which the settings reserve.
pub(crate) const REQUESTS_MAX: usize = 512;
/// How many of them one address may have, unless it is a proxy and speaks for many. An honest one
/// takes milliseconds for each.
const REQUESTS_PER_ADDRESS_MAX: usize = 128;
/// After how long a request makes room when others wait: five round trips around the world.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// The requests that are under way.
#[derive(Default)]
pub(crate) struct Requests {
    table: Arc<Mutex<Table>>,
    ended: Arc<Notify>,
}

#[derive(Default)]
struct Table {
    /// Oldest first. Dropping the sender ends the request.
    under_way: BTreeMap<u64, (Instant, oneshot::Sender<()>)>,
    addresses: HashMap<AddressKey, usize>,
    begun: u64,
}

/// A request that is under way, until it is dropped.
pub(crate) struct Request {
    number: u64,
    address: AddressKey,
    made_room: oneshot::Receiver<()>,
    table: Arc<Mutex<Table>>,
    ended: Arc<Notify>,
}

impl Requests {
    /// Waits until one more may begin.
    pub(crate) async fn room(&self) {
        loop {
            let ended = self.ended.notified();
            let Some(patience) = self.table.lock().make_room(Instant::now()) else { return };
            let _ = timeout_at(patience, ended).await;
        }
    }

    /// Begins a request. None: its address has too many under way.
    pub(crate) fn begin(&self, peer: IpAddr, is_proxy: bool) -> Option<Request> {
        let address = AddressKey::from(peer);
        let mut table = self.table.lock();
        let under_way = table.addresses.entry(address).or_default();
        if *under_way >= REQUESTS_PER_ADDRESS_MAX && !is_proxy {
            return None;
        }
        *under_way += 1;
        table.begun += 1;
        let number = table.begun;
        let (ends, made_room) = oneshot::channel();
        table.under_way.insert(number, (Instant::now(), ends));
        let (table, ended) = (self.table.clone(), self.ended.clone());
        Some(Request { number, address, made_room, table, ended })
    }
}

impl Table {
    /// None: there is room, or the oldest has just made some. Otherwise when it will have to.
    fn make_room(&mut self, now: Instant) -> Option<Instant> {
        if self.under_way.len() < REQUESTS_MAX {
            return None;
        }
        let oldest = self.under_way.first_entry()?;
        let patience = oldest.get().0 + FAIR_TIME;
        if now < patience {
            return Some(patience);
        }
        oldest.remove();
        None
    }
}

impl Request {
    /// Ends when the request has to make room for others.
    pub(crate) async fn made_room(&mut self) {
        let _ = (&mut self.made_room).await;
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        table.under_way.remove(&self.number);
        if let Some(under_way) = table.addresses.get_mut(&self.address) {
            *under_way -= 1;
            if *under_way == 0 {
                table.addresses.remove(&self.address);
            }
        }
        self.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: usize) -> IpAddr {
        format!("192.0.2.{host}").parse().unwrap()
    }

    fn crowd(requests: &Requests) -> Vec<Request> {
        (0..REQUESTS_MAX).map(|at| requests.begin(address(at % 8), false).unwrap()).collect()
    }

    #[tokio::test]
    async fn one_address_cannot_take_all_the_room() {
        let requests = Requests::default();
        let mut under_way: Vec<Request> =
            std::iter::from_fn(|| requests.begin(address(1), false)).collect();
        assert_eq!(under_way.len(), REQUESTS_PER_ADDRESS_MAX);
        assert!(requests.begin(address(2), false).is_some());
        assert!(requests.begin(address(1), true).is_some(), "a proxy speaks for many");
        under_way.pop();
        assert!(requests.begin(address(1), false).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_makes_room_when_it_had_a_fair_time() {
        let requests = Requests::default();
        let mut under_way = crowd(&requests);
        let began = Instant::now();
        requests.room().await;
        assert_eq!(began.elapsed(), FAIR_TIME);
        under_way[0].made_room().await;
        let second = tokio::time::timeout(Duration::ZERO, under_way[1].made_room()).await;
        assert!(second.is_err(), "the others go on");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ends_makes_room_at_once() {
        let requests = Requests::default();
        let mut under_way = crowd(&requests);
        let began = Instant::now();
        let ends = async { drop(under_way.pop()) };
        tokio::join!(requests.room(), ends);
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test]
    async fn what_ends_leaves_nothing_behind() {
        let requests = Requests::default();
        drop(requests.begin(address(1), false));
        let table = requests.table.lock();
        assert!(table.addresses.is_empty() && table.under_way.is_empty());
    }
}
