//! Storage that reads a file but keeps writes in memory.
//!
//! redb writes to a file while it opens it after a crash, before it knows whether the file is
//! sound. So a file is opened here first, and for real only if that succeeds. A damaged file is
//! left unchanged for whoever has to rescue it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt as _;

use parking_lot::Mutex;
use redb::StorageBackend;

const PAGE_BYTES: u64 = 4096;

/// A file, and the writes to it in memory.
#[derive(Debug)]
pub(crate) struct DryRun {
    file: File,
    overlay: Mutex<Overlay>,
}

#[derive(Debug)]
struct Overlay {
    length: u64,
    /// The length of the file that is still visible. A part that was cut off stays invisible.
    visible: u64,
    pages: BTreeMap<u64, Box<[u8]>>,
}

impl DryRun {
    pub(crate) fn of(file: File) -> Result<Self> {
        let length = file.metadata()?.len();
        let overlay = Overlay { length, visible: length, pages: BTreeMap::new() };
        Ok(Self { file, overlay: Mutex::new(overlay) })
    }

    /// Returns a page: a written one, or else from the file, or else zeros.
    fn page(&self, overlay: &Overlay, number: u64) -> Result<Box<[u8]>> {
        if let Some(page) = overlay.pages.get(&number) {
            return Ok(page.clone());
        }
        let mut page = vec![0; PAGE_BYTES as usize].into_boxed_slice();
        let start = number * PAGE_BYTES;
        let visible = overlay.visible.saturating_sub(start).min(PAGE_BYTES) as usize;
        self.file.read_exact_at(&mut page[..visible], start)?;
        Ok(page)
    }
}

/// Returns the pages of a range: for each its number, the offset of the range in it, and the number
/// of bytes.
fn pages_of(offset: u64, bytes: usize) -> impl Iterator<Item = (u64, usize, usize)> {
    let end = offset + bytes as u64;
    let mut at = offset;
    std::iter::from_fn(move || {
        let (number, within) = (at / PAGE_BYTES, at % PAGE_BYTES);
        let taken = (PAGE_BYTES - within).min(end - at);
        at += taken;
        (taken > 0).then_some((number, within as usize, taken as usize))
    })
}

impl StorageBackend for DryRun {
    fn len(&self) -> Result<u64> {
        Ok(self.overlay.lock().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let overlay = self.overlay.lock();
        if offset + out.len() as u64 > overlay.length {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        let mut rest = out;
        for (number, within, taken) in pages_of(offset, rest.len()) {
            let (filled, later) = rest.split_at_mut(taken);
            filled.copy_from_slice(&self.page(&overlay, number)?[within..within + taken]);
            rest = later;
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<()> {
        let mut overlay = self.overlay.lock();
        overlay.visible = overlay.visible.min(length);
        overlay.pages.retain(|number, _| number * PAGE_BYTES < length);
        overlay.length = length;
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut overlay = self.overlay.lock();
        let mut rest = bytes;
        for (number, within, taken) in pages_of(offset, bytes.len()) {
            let (written, later) = rest.split_at(taken);
            let mut page = self.page(&overlay, number)?;
            page[within..within + taken].copy_from_slice(written);
            overlay.pages.insert(number, page);
            rest = later;
        }
        overlay.length = overlay.length.max(offset + bytes.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn dry_run(content: &[u8]) -> (tempfile::TempDir, DryRun) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, content).unwrap();
        let dry_run = DryRun::of(File::open(path).unwrap()).unwrap();
        (folder, dry_run)
    }

    fn read(dry_run: &DryRun, offset: u64, bytes: usize) -> Vec<u8> {
        let mut out = vec![0xFF; bytes];
        dry_run.read(offset, &mut out).unwrap();
        out
    }

    #[test]
    fn what_was_written_is_read_again_and_the_file_is_as_it_was() {
        let content: Vec<u8> = (0..10_000_u32).map(|at| at as u8).collect();
        let (folder, dry_run) = dry_run(&content);
        dry_run.write(4_090, b"over the edge").unwrap();
        dry_run.write(12_000, b"beyond the end").unwrap();
        assert_eq!(read(&dry_run, 4_090, 13), b"over the edge");
        assert_eq!(read(&dry_run, 4_080, 10), content[4_080..4_090]);
        assert_eq!(read(&dry_run, 9_990, 20), [&content[9_990..], &[0; 10]].concat());
        assert_eq!(dry_run.len().unwrap(), 12_014);
        assert_eq!(fs::read(folder.path().join("file")).unwrap(), content);
    }

    #[test]
    fn what_was_cut_off_does_not_come_back() {
        let (_folder, dry_run) = dry_run(&[7; 9_000]);
        dry_run.set_len(5_000).unwrap();
        dry_run.set_len(9_000).unwrap();
        assert_eq!(read(&dry_run, 4_999, 2), [7, 0]);
        assert!(dry_run.read(8_999, &mut [0; 2]).is_err(), "beyond the end");
    }
}
