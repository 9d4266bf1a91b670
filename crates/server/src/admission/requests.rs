//! Sockets whose HTTP request is still in progress, so that they do not count as connections yet.
//! Each listener has its own set.
//!
//! Each of them holds a descriptor, and a client may leave one open until the request timeout. So
//! there is a bound for each address, and one for all. When the latter is reached, the oldest
//! request that has had its fair time is closed for the next one; until there is such a request,
//! new sockets wait in the kernel's queue.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use securecall_core::AddressKey;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

/// The bound of requests in progress at the public port. Each needs a descriptor, which the
/// settings reserve.
pub(crate) const REQUESTS_MAX: usize = 512;
/// The bound for one address, unless it is a proxy with many clients. An honest client takes
/// milliseconds for each.
const REQUESTS_PER_ADDRESS_MAX: usize = 128;
/// The bound at the admin listener: a few scrapers and a person. They often share an address, so
/// there is no bound for each address.
const OPERATORS_MAX: usize = 16;
/// The age at which a request may be closed for others: five round trips around the world.
const FAIR_TIME: Duration = Duration::from_secs(1);

/// The requests in progress at a listener.
pub(crate) struct Requests {
    max: usize,
    per_address_max: usize,
    table: Arc<Mutex<Table>>,
    ended: Arc<Notify>,
}

#[derive(Default)]
struct Table {
    /// By age, oldest first. Dropping the sender ends the request.
    under_way: BTreeMap<u64, (Instant, oneshot::Sender<()>)>,
    addresses: HashMap<AddressKey, usize>,
    begun: u64,
}

/// A request in progress.
pub(crate) struct Request {
    pub(crate) place: Place,
    made_room: oneshot::Receiver<()>,
}

/// The place of a request, released on drop.
pub(crate) struct Place {
    number: u64,
    address: AddressKey,
    per_address_max: usize,
    table: Arc<Mutex<Table>>,
    ended: Arc<Notify>,
}

/// The address has its maximum of requests in progress.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AddressFull;

impl Requests {
    /// Returns an empty set for the public port.
    pub(crate) fn public() -> Self {
        Self::bounded(REQUESTS_MAX, REQUESTS_PER_ADDRESS_MAX)
    }

    /// Returns an empty set for the admin listener.
    pub(crate) fn of_operators() -> Self {
        Self::bounded(OPERATORS_MAX, usize::MAX)
    }

    fn bounded(max: usize, per_address_max: usize) -> Self {
        Self { max, per_address_max, table: Arc::default(), ended: Arc::default() }
    }

    /// Waits until another request may begin.
    async fn room(&self) {
        loop {
            let ended = self.ended.notified();
            let room = self.table.lock().make_room(self.max, Instant::now());
            let Some(patience) = room else { return };
            let _ = timeout_at(patience, ended).await;
        }
    }

    /// Begins a request as soon as there is room. Returns `None` if its address has too many in
    /// progress.
    pub(crate) async fn begin(&self, peer: IpAddr, is_proxy: bool) -> Option<Request> {
        let address = AddressKey::from(peer);
        if self.table.lock().of(address) >= self.per_address_max && !is_proxy {
            return None;
        }
        self.room().await;
        Some(self.insert(address))
    }

    fn insert(&self, address: AddressKey) -> Request {
        let (ends, made_room) = oneshot::channel();
        let mut table = self.table.lock();
        table.begin(address);
        table.begun += 1;
        let number = table.begun;
        table.under_way.insert(number, (Instant::now(), ends));
        let (table, ended) = (self.table.clone(), self.ended.clone());
        let per_address_max = self.per_address_max;
        Request { place: Place { number, address, per_address_max, table, ended }, made_room }
    }
}

impl Table {
    /// Makes room for one more request, if there is none. Returns the time for the next attempt if
    /// no request is old enough.
    fn make_room(&mut self, max: usize, now: Instant) -> Option<Instant> {
        if self.under_way.len() < max {
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

    /// Returns the number of requests of this address in progress.
    fn of(&self, address: AddressKey) -> usize {
        self.addresses.get(&address).copied().unwrap_or_default()
    }

    fn begin(&mut self, address: AddressKey) {
        *self.addresses.entry(address).or_default() += 1;
    }

    fn end(&mut self, address: AddressKey) {
        if let Some(under_way) = self.addresses.get_mut(&address) {
            *under_way -= 1;
            if *under_way == 0 {
                self.addresses.remove(&address);
            }
        }
    }
}

/// Serves a request until it ends, or is closed to make room.
pub(crate) async fn attend<S: Future<Output = ()>>(
    mut request: Request,
    serve: impl FnOnce(Place) -> S,
) {
    let serving = serve(request.place);
    tokio::select! {
        () = serving => {}
        _ = &mut request.made_room => {}
    }
}

impl Place {
    /// Counts the request for another address from now on: the client's, as a proxy has sent it.
    ///
    /// # Errors
    /// That address has its maximum of requests in progress.
    pub(crate) fn move_to(&mut self, client: IpAddr) -> Result<(), AddressFull> {
        let client = AddressKey::from(client);
        let mut table = self.table.lock();
        if client != self.address && table.of(client) >= self.per_address_max {
            return Err(AddressFull);
        }
        table.end(self.address);
        table.begin(client);
        self.address = client;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut table = self.table.lock();
        table.under_way.remove(&self.number);
        table.end(self.address);
        self.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(host: usize) -> IpAddr {
        format!("192.0.2.{host}").parse().unwrap()
    }

    async fn crowd(requests: &Requests) -> Vec<Request> {
        let mut crowd = Vec::new();
        for at in 0..REQUESTS_MAX {
            crowd.push(requests.begin(address(at % 8), false).await.unwrap());
        }
        crowd
    }

    #[tokio::test]
    async fn one_address_cannot_take_all_the_room() {
        let requests = Requests::public();
        let mut under_way = Vec::new();
        while let Some(request) = requests.begin(address(1), false).await {
            under_way.push(request);
        }
        assert_eq!(under_way.len(), REQUESTS_PER_ADDRESS_MAX);
        assert!(requests.begin(address(2), false).await.is_some());
        assert!(requests.begin(address(1), true).await.is_some(), "a proxy speaks for many");
        under_way.pop();
        assert!(requests.begin(address(1), false).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_request_is_closed_after_its_fair_time_when_another_waits() {
        let requests = Requests::public();
        let mut under_way = crowd(&requests).await;
        let is_over = async |request: &mut Request| {
            tokio::time::timeout(Duration::ZERO, &mut request.made_room).await.is_ok()
        };
        tokio::time::advance(FAIR_TIME / 2).await;
        assert!(!is_over(&mut under_way[0]).await);
        let began = Instant::now();
        let _next = requests.begin(address(9), false).await;
        assert_eq!(began.elapsed(), FAIR_TIME / 2);
        assert!(is_over(&mut under_way[0]).await);
        assert!(!is_over(&mut under_way[1]).await, "the others go on");
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_ends_makes_room_at_once() {
        let requests = Requests::public();
        let mut under_way = crowd(&requests).await;
        let began = Instant::now();
        let ends = async { drop(under_way.pop()) };
        let (next, ()) = tokio::join!(requests.begin(address(9), false), ends);
        assert!(next.is_some());
        assert_eq!(began.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn idle_connections_of_operators_hold_the_next_up_for_a_fair_time_at_most() {
        let requests = Requests::of_operators();
        let mut idle = Vec::new();
        let began = Instant::now();
        for _ in 0..=OPERATORS_MAX {
            idle.push(requests.begin(address(1), false).await.unwrap());
        }
        assert_eq!(began.elapsed(), FAIR_TIME);
    }

    #[tokio::test]
    async fn one_that_a_proxy_names_a_client_for_counts_for_that_client() {
        let requests = Requests::public();
        let mut under_way = Vec::new();
        for _ in 0..REQUESTS_PER_ADDRESS_MAX {
            let mut request = requests.begin(address(1), true).await.unwrap();
            assert_eq!(request.place.move_to(address(2)), Ok(()));
            under_way.push(request);
        }
        let mut next = requests.begin(address(1), true).await.unwrap();
        assert_eq!(next.place.move_to(address(2)), Err(AddressFull));
        assert_eq!(next.place.move_to(address(3)), Ok(()), "others are not concerned");
        assert_eq!(under_way[0].place.move_to(address(2)), Ok(()), "it is counted already");
        under_way.pop();
        assert_eq!(next.place.move_to(address(2)), Ok(()));
        drop((next, under_way));
        assert!(requests.table.lock().addresses.is_empty());
    }

    #[tokio::test]
    async fn what_ends_leaves_nothing_behind() {
        let requests = Requests::public();
        drop(requests.begin(address(1), false).await);
        let table = requests.table.lock();
        assert!(table.addresses.is_empty() && table.under_way.is_empty());
    }
}
