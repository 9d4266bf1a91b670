//! Bounds of connections: how many an address may hold, how fast it may open them, and how fast it
//! may shake hands for them.
//!
//! An IPv4 address counts by itself, an IPv6 address by its /64, because that is what one
//! subscriber gets (RFC 6177). The table holds addresses with connections, and for the time that
//! their rates need to recover, addresses that came: it empties by itself.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::time::Instant;
use securecall_protocol::{Bucket, Rate};

/// The bounds.
#[derive(Debug, Clone, Copy)]
pub struct AdmissionLimits {
    /// Connections of the whole server.
    pub connections_max: usize,
    /// Connections per address.
    pub per_address_max: u32,
    /// New connections per address.
    pub new_per_address: Rate,
    /// TLS handshakes per address. More than new connections, so that an address that is a little
    /// too fast still gets an answer, with the time to come back at.
    pub handshakes_per_address: Rate,
}

/// The reason for which a connection is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The server holds as many connections as it may (503).
    ServerFull,
    /// The address holds as many connections as it may (429).
    AddressFull,
    /// The address opens connections too fast (429).
    TooFast {
        /// The time after which it may try again.
        retry_after: Duration,
    },
}

/// The network that connections are counted by. `Debug` prints no address.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressKey(IpAddr);

impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressKey(…)")
    }
}

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
    handshakes: Bucket,
    /// True if it is among the recovering. Each address without connections is.
    is_recovering: bool,
}

impl Entry {
    fn has_recovered(&self, now: Instant) -> bool {
        self.arrivals.is_full(now.as_micros()) && self.handshakes.is_full(now.as_micros())
    }
}

/// The table of addresses.
#[derive(Debug)]
pub struct Admission {
    limits: AdmissionLimits,
    connections: usize,
    addresses: HashMap<AddressKey, Entry>,
    /// Addresses without connections, each once, and when to see whether their rates have
    /// recovered.
    recovering: VecDeque<(Instant, AddressKey)>,
}

impl Admission {
    /// An empty table.
    pub fn new(limits: AdmissionLimits) -> Self {
        Self { limits, connections: 0, addresses: HashMap::new(), recovering: VecDeque::new() }
    }

    /// Puts other bounds in force. Connections that are open stay, also beyond them. With other rates each
    /// address begins anew: what it owed at the old one could take an hour.
    pub fn set_limits(&mut self, limits: AdmissionLimits) {
        let rates =
            |limits: &AdmissionLimits| (limits.new_per_address, limits.handshakes_per_address);
        if rates(&limits) != rates(&self.limits) {
            for entry in self.addresses.values_mut() {
                (entry.arrivals, entry.handshakes) = Default::default();
            }
        }
        self.limits = limits;
    }

    /// Lets a TLS handshake begin, which costs more than all that is decided after it.
    ///
    /// # Errors
    /// The address shakes hands too fast; the time until its next. The connection may be closed without
    /// an answer.
    pub fn admit_handshake(&mut self, address: AddressKey, now: Instant) -> Result<(), Duration> {
        self.forget_recovered(now);
        let entry = self.addresses.entry(address).or_default();
        let taken = entry.handshakes.take(self.limits.handshakes_per_address, now.as_micros());
        self.watch_recovery(address, now);
        taken
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
            .take(self.limits.new_per_address, now.as_micros())
            .map_err(|retry_after| Refusal::TooFast { retry_after })?;
        entry.connections += 1;
        self.connections += 1;
        Ok(())
    }

    /// Takes note that a connection which was let in is gone.
    pub fn release(&mut self, address: AddressKey, now: Instant) {
        self.forget_recovered(now);
        let Some(entry) = self.addresses.get_mut(&address) else { return };
        entry.connections -= 1;
        self.connections -= 1;
        self.watch_recovery(address, now);
    }

    /// Drops addresses that have no connections and whose rates have recovered. Runs by itself with
    /// every connection; an operator's idle server wants it now and then, too.
    pub fn forget_recovered(&mut self, now: Instant) {
        while let Some(&(recovered, address)) = self.recovering.front()
            && recovered <= now
        {
            self.recovering.pop_front();
            let Some(entry) = self.addresses.get_mut(&address) else { continue };
            entry.is_recovering = false;
            if entry.connections == 0 && entry.has_recovered(now) {
                self.addresses.remove(&address);
            } else {
                // It was busy since: another look.
                self.watch_recovery(address, now);
            }
        }
    }

    /// Looks at an address without connections again when its rates will have recovered, unless it
    /// is busy until then.
    fn watch_recovery(&mut self, address: AddressKey, now: Instant) {
        let limits = &self.limits;
        let recovery =
            limits.new_per_address.refill_time().max(limits.handshakes_per_address.refill_time());
        // Later than now, in the clock's milliseconds.
        let recovery = recovery.max(Duration::from_millis(1));
        if let Some(entry) = self.addresses.get_mut(&address)
            && entry.connections == 0
            && !entry.is_recovering
        {
            entry.is_recovering = true;
            self.recovering.push_back((now + recovery, address));
        }
    }

    /// The number of connections that are counted.
    pub fn connections(&self) -> usize {
        self.connections
    }

    /// The bound of connections.
    pub fn connections_max(&self) -> usize {
        self.limits.connections_max
    }

    /// The number of addresses in the table.
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
            handshakes_per_address: Rate::new(10, 2.0),
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
    fn an_address_may_not_shake_hands_faster_than_its_rate_whatever_comes_of_it() {
        let mut admission = admission();
        for _ in 0..10 {
            assert_eq!(admission.admit_handshake(key("192.0.2.1"), START), Ok(()));
        }
        let wait = Duration::from_millis(500);
        assert_eq!(admission.admit_handshake(key("192.0.2.1"), START), Err(wait));
        assert_eq!(admission.admit_handshake(key("192.0.2.2"), START), Ok(()));
        assert_eq!(admission.admit_handshake(key("192.0.2.1"), START + wait), Ok(()));
        assert_eq!(admission.admit(key("192.0.2.1"), START), Ok(()), "its connections are apart");
    }

    #[test]
    fn an_address_that_only_shakes_hands_is_in_the_table_once_and_not_for_long() {
        let mut admission = admission();
        let mut now = START;
        for _ in 0..100 {
            let _ = admission.admit_handshake(key("192.0.2.1"), now);
            now = now + Duration::from_millis(100);
            assert_eq!((admission.addresses(), admission.recovering.len()), (1, 1));
        }
        admission.forget_recovered(now + Duration::from_secs(5));
        admission.forget_recovered(now + Duration::from_secs(10));
        assert_eq!((admission.addresses(), admission.recovering.len()), (0, 0));
    }

    #[test]
    fn an_address_whose_rates_recover_in_no_time_is_forgotten() {
        let mut admission = Admission::new(AdmissionLimits {
            new_per_address: Rate::new(1, 1e6),
            handshakes_per_address: Rate::new(1, 1e6),
            ..admission().limits
        });
        admission.admit_handshake(key("192.0.2.1"), START).unwrap();
        admission.forget_recovered(START + Duration::from_millis(1));
        assert_eq!((admission.addresses(), admission.recovering.len()), (0, 0));
    }

    #[test]
    fn a_slash_64_counts_as_one_and_a_mapped_address_as_the_one_it_maps() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::2"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }

    #[test]
    fn other_bounds_are_in_force_at_once_and_open_connections_stay() {
        let mut admission = admission();
        for _ in 0..3 {
            admission.admit(key("192.0.2.1"), START).unwrap();
        }
        let limits = AdmissionLimits { per_address_max: 4, ..admission.limits };
        admission.set_limits(limits);
        assert_eq!(admission.admit(key("192.0.2.1"), START), Ok(()));
        admission.set_limits(AdmissionLimits { per_address_max: 1, connections_max: 2, ..limits });
        assert_eq!(admission.connections(), 4);
        assert_eq!(admission.admit(key("192.0.2.2"), START), Err(Refusal::ServerFull));
        for _ in 0..3 {
            admission.release(key("192.0.2.1"), START);
        }
        assert_eq!(admission.admit(key("192.0.2.1"), START), Err(Refusal::AddressFull));
        assert_eq!(admission.admit(key("192.0.2.2"), START), Ok(()));
    }

    #[test]
    fn with_another_rate_each_address_begins_anew() {
        let mut admission = admission();
        let slow = AdmissionLimits { new_per_address: Rate::new(1, 0.001), ..admission.limits };
        admission.set_limits(slow);
        admission.admit(key("192.0.2.1"), START).unwrap();
        admission.set_limits(AdmissionLimits { per_address_max: 10, ..slow });
        assert!(admission.admit(key("192.0.2.1"), START).is_err(), "the rate is the same");
        admission.set_limits(AdmissionLimits { new_per_address: Rate::new(1, 1.0), ..slow });
        assert_eq!(admission.admit(key("192.0.2.1"), START), Ok(()));
        assert!(admission.admit(key("192.0.2.1"), START).is_err());
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
