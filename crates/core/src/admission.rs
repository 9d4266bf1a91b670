//! Who may connect: how many connections an address may hold, and how fast it may open them.
//!
//! An IPv4 address counts by itself, an IPv6 address by its /64, because that is what one
//! subscriber gets (RFC 6177). The table holds addresses with connections, and for the time that
//! their rate needs to recover, addresses that had some: it empties by itself.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::limits::{Bucket, Rate};
use crate::time::Instant;

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionLimits {
    /// Connections of the whole server.
    pub connections_max: usize,
    /// Connections per address.
    pub per_address_max: u32,
    /// New connections per address.
    pub new_per_address: Rate,
}

/// Why a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The server holds as many connections as it may (503).
    ServerFull,
    /// The address holds as many connections as it may (429).
    AddressFull,
    /// The address opens connections too fast (429).
    TooFast {
        /// When it may try again.
        retry_after: Duration,
    },
}

/// What connections are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => Self(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64))),
            v4 => Self(v4),
        }
    }
}

#[derive(Debug, Default)]
struct Entry {
    connections: u32,
    arrivals: Bucket,
}

/// The table of addresses.
#[derive(Debug)]
pub struct Admission {
    limits: AdmissionLimits,
    connections: usize,
    addresses: HashMap<AddressKey, Entry>,
    /// Addresses without connections, and when their rate will have recovered.
    recovering: VecDeque<(Instant, AddressKey)>,
}

impl Admission {
    /// An empty table.
    pub fn new(limits: AdmissionLimits) -> Self {
        Self { limits, connections: 0, addresses: HashMap::new(), recovering: VecDeque::new() }
    }

    /// Lets a connection in and counts it, until [`Admission::release`].
    ///
    /// # Errors
    /// [`Refusal`]: nothing was counted.
    pub fn admit(&mut self, address: AddressKey, now: Instant) -> Result<(), Refusal> {
        self.forget_recovered(now);
        if self.connections >= self.limits.connections_max {
            return Err(Refusal::ServerFull);
        }
        let entry = self.addresses.entry(address).or_default();
        if entry.connections >= self.limits.per_address_max {
            return Err(Refusal::AddressFull);
        }
        entry
            .arrivals
            .take(self.limits.new_per_address, now)
            .map_err(|retry_after| Refusal::TooFast { retry_after })?;
        entry.connections += 1;
        self.connections += 1;
        Ok(())
    }

    /// A connection that was let in is gone.
    pub fn release(&mut self, address: AddressKey, now: Instant) {
        self.forget_recovered(now);
        let Some(entry) = self.addresses.get_mut(&address) else { return };
        entry.connections -= 1;
        self.connections -= 1;
        if entry.connections == 0 {
            let recovered = now + self.limits.new_per_address.refill_time();
            self.recovering.push_back((recovered, address));
        }
    }

    /// Drops addresses that have no connections and whose rate has recovered. Runs by itself with
    /// every connection; an operator's idle server wants it now and then, too.
    pub fn forget_recovered(&mut self, now: Instant) {
        while let Some(&(recovered, address)) = self.recovering.front() {
            if recovered > now {
                return;
            }
            self.recovering.pop_front();
            if let Some(entry) = self.addresses.get(&address)
                && entry.connections == 0
                && entry.arrivals.is_full(now)
            {
                self.addresses.remove(&address);
            }
        }
    }

    /// How many connections are counted.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// How many addresses are in the table.
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Instant = Instant::from_millis(5_000);

    fn admission() -> Admission {
        Admission::new(AdmissionLimits {
            connections_max: 100,
            per_address_max: 3,
            new_per_address: Rate::new(5, 1.0),
        })
    }

    fn key(text: &str) -> AddressKey {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn an_address_may_hold_so_many_connections_and_no_more() {
        let mut admission = admission();
        for _ in 0..3 {
            assert_eq!(admission.admit(key("192.0.2.1"), START), Ok(()));
        }
        assert_eq!(admission.admit(key("192.0.2.1"), START), Err(Refusal::AddressFull));
        assert_eq!(admission.admit(key("192.0.2.2"), START), Ok(()), "others are not concerned");
        admission.release(key("192.0.2.1"), START);
        assert_eq!(admission.admit(key("192.0.2.1"), START), Ok(()));
    }

    #[test]
    fn an_address_may_not_open_connections_faster_than_its_rate() {
        let mut admission = admission();
        for _ in 0..5 {
            admission.admit(key("192.0.2.1"), START).unwrap();
            admission.release(key("192.0.2.1"), START);
        }
        let retry_after = Duration::from_secs(1);
        assert_eq!(admission.admit(key("192.0.2.1"), START), Err(Refusal::TooFast { retry_after }));
        assert_eq!(admission.admit(key("192.0.2.1"), START + retry_after), Ok(()));
    }

    #[test]
    fn a_slash_64_counts_as_one_and_a_mapped_address_as_the_one_it_maps() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::2"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn a_full_server_lets_nobody_in() {
        let mut admission = admission();
        for host in 0..100 {
            admission.admit(key(&format!("192.0.2.{host}")), START).unwrap();
        }
        assert_eq!(admission.admit(key("198.51.100.1"), START), Err(Refusal::ServerFull));
    }

    #[test]
    fn counters_return_to_zero_and_the_table_empties() {
        let mut admission = admission();
        for round in 0..50u64 {
            let now = START + Duration::from_secs(10 * round);
            for host in 0..20 {
                admission.admit(key(&format!("192.0.2.{host}")), now).unwrap();
            }
            for host in 0..20 {
                admission.release(key(&format!("192.0.2.{host}")), now);
            }
        }
        assert_eq!(admission.connections(), 0);
        admission.forget_recovered(START + Duration::from_secs(1_000));
        assert_eq!((admission.addresses(), admission.recovering.len()), (0, 0));
    }
}
