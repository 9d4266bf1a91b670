//! Sockets that are still in their HTTP request, and so are not counted as connections yet.
//!
//! Each holds a descriptor, and whoever opens one may leave it open until the request timeout. So
//! there is a bound for all, beyond which further ones wait in the kernel's queue, and a bound for
//! one address, so that one address cannot make all others wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use securecall_core::AddressKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many requests may be under way. Each takes a descriptor, which the settings reserve.
pub(crate) const REQUESTS_MAX: usize = 512;
/// How many of them one address may have, unless it is a proxy and speaks for many. An honest one
/// takes milliseconds for each.
const REQUESTS_PER_ADDRESS_MAX: usize = 128;

/// The requests that are under way.
pub(crate) struct Requests {
    room: Arc<Semaphore>,
    addresses: Arc<Mutex<HashMap<AddressKey, usize>>>,
}

/// Room for one more.
pub(crate) struct Room {
    _permit: Option<OwnedSemaphorePermit>,
}

/// A request that is under way, until it is dropped.
pub(crate) struct Request {
    address: AddressKey,
    addresses: Arc<Mutex<HashMap<AddressKey, usize>>>,
    _room: Room,
}

impl Requests {
    pub(crate) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(REQUESTS_MAX)), addresses: Arc::default() }
    }

    /// Waits until one more may begin.
    pub(crate) async fn room(&self) -> Room {
        // Nobody closes the semaphore, so there always is a permit.
        Room { _permit: self.room.clone().acquire_owned().await.ok() }
    }

    /// Begins a request. None: its address has too many under way.
    pub(crate) fn begin(&self, room: Room, peer: IpAddr, is_proxy: bool) -> Option<Request> {
        let address = AddressKey::from(peer);
        let mut addresses = self.addresses.lock();
        let under_way = addresses.entry(address).or_default();
        if *under_way >= REQUESTS_PER_ADDRESS_MAX && !is_proxy {
            return None;
        }
        *under_way += 1;
        Some(Request { address, addresses: self.addresses.clone(), _room: room })
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        let mut addresses = self.addresses.lock();
        if let Some(under_way) = addresses.get_mut(&self.address) {
            *under_way -= 1;
            if *under_way == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn begin(requests: &Requests, peer: &str, is_proxy: bool) -> Option<Request> {
        requests.begin(requests.room().await, peer.parse().unwrap(), is_proxy)
    }

    #[tokio::test]
    async fn one_address_cannot_take_all_the_room() {
        let requests = Requests::new();
        let mut under_way = Vec::new();
        while let Some(request) = begin(&requests, "192.0.2.1", false).await {
            under_way.push(request);
        }
        assert_eq!(under_way.len(), REQUESTS_PER_ADDRESS_MAX);
        assert!(begin(&requests, "192.0.2.2", false).await.is_some());
        assert!(begin(&requests, "192.0.2.1", true).await.is_some(), "a proxy speaks for many");
        under_way.pop();
        assert!(begin(&requests, "192.0.2.1", false).await.is_some());
    }

    #[tokio::test]
    async fn what_ends_leaves_nothing_behind() {
        let requests = Requests::new();
        drop(begin(&requests, "192.0.2.1", false).await);
        assert!(requests.addresses.lock().is_empty());
        assert_eq!(requests.room.available_permits(), REQUESTS_MAX);
    }
}
