//! Takes received bytes apart, from the front.

/// The rest of some bytes, taken from the front.
#[derive(Clone, Copy)]
pub struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Begins at the front of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next `count` bytes. `None` if there are fewer.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next `COUNT` bytes. `None` if there are fewer.
    pub fn array<const COUNT: usize>(&mut self) -> Option<[u8; COUNT]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    /// Bytes with their number, a `u8`, before them.
    pub fn short_text(&mut self) -> Option<&'a [u8]> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    /// The next number, big-endian. `None` if it is cut off.
    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    /// The next number, big-endian. `None` if it is cut off.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// The next number, big-endian. `None` if it is cut off.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next number, big-endian. `None` if it is cut off.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Ends the reading. Returns `None` if something is left over.
    pub fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }

    /// Everything that is left.
    pub const fn rest(self) -> &'a [u8] {
        self.0
    }
}
