//! The rate of new directory records of an address: a bucket for each.
//!
//! A record is for ever, so its maker pays: with a rate of its own, which presenting a key that is
//! there, or replacing it, does not touch. Addresses are counted as in [`crate::admission`]. The
//! table holds those whose rate recovers: it empties by itself.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::admission::AddressKey;
use crate::time::Instant;
use securecall_protocol::{Bucket, Rate};

/// The bound of addresses in the table: 5 MiB. Beyond it the one that came first is
/// forgotten, and begins anew; the bound of the whole directory remains.
const ADDRESSES_MAX: usize = 1 << 16;

/// The table of addresses that have made records.
#[derive(Debug)]
pub struct NewRecords {
    rate: Rate,
    buckets: HashMap<AddressKey, Bucket>,
    /// Each address of the table once, and when to see whether its rate has recovered.
    recovering: VecDeque<(Instant, AddressKey)>,
}

impl NewRecords {
    /// An empty table.
    pub fn new(rate: Rate) -> Self {
        Self { rate, buckets: HashMap::new(), recovering: VecDeque::new() }
    }

    /// Puts another rate in force. With it each address begins anew: what it owed at the old one could
    /// take an hour.
    pub fn set_rate(&mut self, rate: Rate) {
        if rate != self.rate {
            *self = Self::new(rate);
        }
    }

    /// Takes a place for one new record.
    ///
    /// # Errors
    /// There is none; the time until the next.
    pub fn take(&mut self, address: AddressKey, now: Instant) -> Result<(), Duration> {
        self.forget_recovered(now);
        if let Some(bucket) = self.buckets.get_mut(&address) {
            return bucket.take(self.rate, now.as_micros());
        }
        if self.buckets.len() >= ADDRESSES_MAX {
            self.forget_first();
        }
        self.recovering.push_back((now + self.rate.refill_time(), address));
        self.buckets.entry(address).or_default().take(self.rate, now.as_micros())
    }

    /// Gives a place back that was taken and not used.
    pub fn give_back(&mut self, address: AddressKey) {
        if let Some(bucket) = self.buckets.get_mut(&address) {
            bucket.give_back(self.rate);
        }
    }

    /// The number of addresses in the table.
    pub fn addresses(&self) -> usize {
        self.buckets.len()
    }

    fn forget_recovered(&mut self, now: Instant) {
        while let Some(&(due, address)) = self.recovering.front()
            && due <= now
        {
            self.recovering.pop_front();
            if self.buckets.get(&address).is_some_and(|bucket| !bucket.is_full(now.as_micros())) {
                self.recovering.push_back((now + self.rate.refill_time(), address));
            } else {
                self.buckets.remove(&address);
            }
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, address)) = self.recovering.pop_front() {
            self.buckets.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    const START: Instant = Instant::from_millis(5_000);

    fn address(number: u32) -> AddressKey {
        IpAddr::V4(Ipv4Addr::from_bits(number)).into()
    }

    #[test]
    fn one_address_makes_as_many_records_as_its_rate_lets_it() {
        let mut records = NewRecords::new(Rate::new(3, 0.5));
        for _ in 0..3 {
            assert_eq!(records.take(address(1), START), Ok(()));
        }
        let wait = Duration::from_secs(2);
        assert_eq!(records.take(address(1), START), Err(wait));
        assert_eq!(records.take(address(2), START), Ok(()), "others are not concerned");
        assert_eq!(records.take(address(1), START + wait), Ok(()));
    }

    #[test]
    fn with_another_rate_each_address_begins_anew() {
        let mut records = NewRecords::new(Rate::new(1, 0.001));
        records.take(address(1), START).unwrap();
        records.set_rate(Rate::new(1, 0.001));
        assert!(records.take(address(1), START).is_err(), "it is the same");
        records.set_rate(Rate::new(2, 0.5));
        assert_eq!(records.take(address(1), START), Ok(()));
        assert_eq!(records.take(address(1), START), Ok(()));
        assert!(records.take(address(1), START).is_err());
    }

    #[test]
    fn a_place_that_was_not_used_is_there_again() {
        let mut records = NewRecords::new(Rate::new(1, 0.5));
        for _ in 0..100 {
            assert_eq!(records.take(address(1), START), Ok(()));
            records.give_back(address(1));
        }
    }

    #[test]
    fn the_table_empties_and_has_a_bound() {
        let mut records = NewRecords::new(Rate::new(2, 1.0));
        for number in 0..ADDRESSES_MAX as u32 + 100 {
            records.take(address(number), START).unwrap();
        }
        assert_eq!(records.addresses(), ADDRESSES_MAX);
        let late = START + Duration::from_secs(100);
        records.take(address(7), late).unwrap();
        assert_eq!((records.addresses(), records.recovering.len()), (1, 1));
    }

    #[test]
    fn an_address_that_goes_on_stays_in_the_table() {
        let mut records = NewRecords::new(Rate::new(2, 1.0));
        let mut now = START;
        for _ in 0..50 {
            records.take(address(1), now).unwrap();
            now = now + Duration::from_secs(1);
        }
        records.take(address(1), now).unwrap();
        records.take(address(1), now).unwrap();
        assert!(records.take(address(1), now).is_err());
        assert_eq!(records.recovering.len(), 1);
    }
}
