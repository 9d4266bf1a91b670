//! A disk in memory that fails on demand, for tests that a real disk does not allow.
//!
//! Reads see every write at once, as through a page cache. A write is *durable* once a later sync
//! has succeeded; a power cut keeps what is durable and any part of the rest.

use std::collections::HashSet;
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, MutexGuard};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use redb::StorageBackend;

const SECTOR: usize = 512;
const BLOCK: u64 = 4096;

#[derive(Clone, Debug, Default)]
pub(crate) struct SimulatedDisk(Arc<(Mutex<Platter>, Condvar)>);

#[derive(Debug, Default)]
struct Platter {
    /// The content that reads see.
    live: Vec<u8>,
    /// The content that survives any power cut.
    durable: Vec<u8>,
    /// The changes between the two, in order.
    unsynced: Vec<Change>,
    /// The blocks that have space on the disk.
    allocated: HashSet<u64>,
    faults: Faults,
    /// The number of changes and syncs so far.
    operations: u64,
    syncs: u64,
    /// True while a sync is in progress.
    syncing: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Length(usize),
}

/// The faults of the disk; none by default.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Every access fails.
    pub(crate) broken: bool,
    /// No block can be allocated.
    pub(crate) full: bool,
    /// Syncs block until this is false again.
    pub(crate) syncs_hang: bool,
    /// The number of the first operation that fails because the power is off.
    pub(crate) power_cut_at: Option<u64>,
    /// The number of the sync that writes half of its data and fails, after which the kernel
    /// forgets the rest.
    pub(crate) sync_failure_at: Option<u64>,
}

impl SimulatedDisk {
    pub(crate) fn set(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.0.0.lock().faults);
        self.0.1.notify_all();
    }

    pub(crate) fn operations(&self) -> u64 {
        self.0.0.lock().operations
    }

    pub(crate) fn syncs(&self) -> u64 {
        self.0.0.lock().syncs
    }

    pub(crate) fn is_syncing(&self) -> bool {
        self.0.0.lock().syncing
    }

    /// Returns the disk as the next start may find it: any unsynced sectors may be missing.
    pub(crate) fn after_power_cut(&self, seed: u64) -> Self {
        let platter = self.0.0.lock();
        let mut random = StdRng::seed_from_u64(seed);
        let mut image = platter.durable.clone();
        for change in &platter.unsynced {
            apply_in_part(&mut image, change, &mut random);
        }
        let next = Platter { live: image.clone(), durable: image, ..Platter::default() };
        Self(Arc::new((Mutex::new(next), Condvar::new())))
    }

    /// Changes stored bytes silently: every `stride`th byte from `start`.
    pub(crate) fn damage(&self, start: usize, stride: usize) {
        let platter = &mut *self.0.0.lock();
        for image in [&mut platter.live, &mut platter.durable] {
            image.iter_mut().skip(start).step_by(stride).for_each(|byte| *byte ^= 0x40);
        }
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.0.0.lock().live.len()
    }

    fn operate(&self) -> Result<MutexGuard<'_, Platter>> {
        let mut platter = self.0.0.lock();
        platter.operations += 1;
        let operation = platter.operations;
        let off = platter.faults.power_cut_at.is_some_and(|cut| operation >= cut);
        platter.accessible(off)?;
        Ok(platter)
    }
}

impl Platter {
    fn accessible(&self, power_off: bool) -> Result<()> {
        if power_off || self.faults.broken { Err(Error::other("simulated")) } else { Ok(()) }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.live, &change);
        self.unsynced.push(change);
    }

    fn allocate(&mut self, offset: u64, len: usize) -> Result<()> {
        for block in offset / BLOCK..(offset + len as u64).div_ceil(BLOCK) {
            if !self.allocated.contains(&block) {
                if self.faults.full {
                    return Err(ErrorKind::StorageFull.into());
                }
                self.allocated.insert(block);
            }
        }
        Ok(())
    }
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(len) => image.resize(*len, 0),
        Change::Write { offset, bytes } => {
            let end = offset + bytes.len();
            image.resize(image.len().max(end), 0);
            image[*offset..end].copy_from_slice(bytes);
        }
    }
}

fn apply_in_part(image: &mut Vec<u8>, change: &Change, random: &mut StdRng) {
    let Change::Write { offset, bytes } = change else {
        if random.random_bool(0.5) {
            apply(image, change);
        }
        return;
    };
    // Whole writes are lost or kept as often as torn.
    let share = [0.0, 0.5, 1.0][random.random_range(0..3)];
    for (sector, bytes) in bytes.chunks(SECTOR).enumerate() {
        if random.random_bool(share) {
            let offset = offset + sector * SECTOR;
            apply(image, &Change::Write { offset, bytes: bytes.to_vec() });
        }
    }
}

impl StorageBackend for SimulatedDisk {
    fn len(&self) -> Result<u64> {
        Ok(self.0.0.lock().live.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let platter = self.0.0.lock();
        platter.accessible(false)?;
        let offset = offset as usize;
        let bytes = platter.live.get(offset..offset + out.len());
        out.copy_from_slice(bytes.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<()> {
        self.operate()?.change(Change::Length(len as usize));
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut platter = self.operate()?;
        platter.allocate(offset, data.len())?;
        platter.change(Change::Write { offset: offset as usize, bytes: data.to_vec() });
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let mut platter = self.operate()?;
        platter.syncing = true;
        while platter.faults.syncs_hang {
            self.0.1.wait(&mut platter);
        }
        platter.syncing = false;
        platter.syncs += 1;
        let unsynced = std::mem::take(&mut platter.unsynced);
        let fails = platter.faults.sync_failure_at == Some(platter.syncs);
        for change in unsynced.iter().step_by(if fails { 2 } else { 1 }) {
            apply(&mut platter.durable, change);
        }
        if fails { Err(Error::other("simulated")) } else { Ok(()) }
    }
}
