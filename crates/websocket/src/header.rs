//! The header of a frame (RFC 6455, section 5.2): 2 to 14 bytes.

use crate::{MaskKey, Opcode, ProtocolError, Role};

/// Two bytes, eight of extended length, four of mask key.
pub(crate) const HEADER_BYTES_MAX: usize = 14;

/// The longest payload of a control frame, and the longest length that fits the second byte.
pub(crate) const SHORT_LENGTH_MAX: u8 = 125;
/// In place of a short length: 16 bits of length follow.
pub(crate) const LENGTH_IS_16_BITS: u8 = 126;
/// In place of a short length: 64 bits of length follow.
pub(crate) const LENGTH_IS_64_BITS: u8 = 127;

pub(crate) const FIN: u8 = 0x80;
pub(crate) const MASKED: u8 = 0x80;
const RESERVED_BITS: u8 = 0x70;

/// A frame header that is valid by itself; whether its frame may come now is not judged here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FrameHeader {
    /// The last, or only, frame of its message.
    pub(crate) fin: bool,
    pub(crate) opcode: Opcode,
    /// The key to unmask with; `[0; 4]`, which changes nothing, when the frame is not masked.
    pub(crate) key: MaskKey,
    /// The length of the payload that follows, at most 2⁶³ − 1.
    pub(crate) payload_bytes: u64,
    /// The length of the header itself.
    pub(crate) header_bytes: usize,
}

impl FrameHeader {
    /// Parses the header at the front of `bytes`. Returns `None` while it is incomplete. A rule
    /// that the first two bytes break is reported as soon as they are there.
    #[inline]
    pub(crate) fn parse(bytes: &[u8], role: Role) -> Result<Option<Self>, ProtocolError> {
        let &[first, second, ref rest @ ..] = bytes else { return Ok(None) };
        let opcode = check_start(first, second, role)?;
        let Some((payload_bytes, rest)) = parse_length(second & !MASKED, rest)? else {
            return Ok(None);
        };
        let (key, rest) = match (role, rest.split_first_chunk()) {
            (Role::Client, _) => ([0; 4], rest),
            (Role::Server, Some((key, rest))) => (*key, rest),
            (Role::Server, None) => return Ok(None),
        };
        let header_bytes = bytes.len() - rest.len();
        Ok(Some(Self { fin: first & FIN != 0, opcode, key, payload_bytes, header_bytes }))
    }
}

/// Checks the first two bytes of a frame.
#[inline]
fn check_start(first: u8, second: u8, role: Role) -> Result<Opcode, ProtocolError> {
    if first & RESERVED_BITS != 0 {
        return Err(ProtocolError::ReservedBit);
    }
    let bits = first & 0x0F;
    let opcode = Opcode::from_bits(bits).ok_or(ProtocolError::ReservedOpcode(bits))?;
    match (role, second & MASKED != 0) {
        (Role::Server, false) => return Err(ProtocolError::Unmasked),
        (Role::Client, true) => return Err(ProtocolError::Masked),
        _ => {}
    }
    if opcode.is_control() {
        if first & FIN == 0 {
            return Err(ProtocolError::ControlFragmented);
        }
        if second & !MASKED > SHORT_LENGTH_MAX {
            return Err(ProtocolError::ControlTooBig);
        }
    }
    Ok(opcode)
}

/// Reads the length that `short`, or the bytes after it, give; returns it with what follows.
#[inline]
fn parse_length(short: u8, rest: &[u8]) -> Result<Option<(u64, &[u8])>, ProtocolError> {
    let (length, minimum, rest) = match short {
        LENGTH_IS_16_BITS => match rest.split_first_chunk() {
            Some((length, rest)) => (u16::from_be_bytes(*length).into(), 126, rest),
            None => return Ok(None),
        },
        LENGTH_IS_64_BITS => match rest.split_first_chunk() {
            Some((length, rest)) => (u64::from_be_bytes(*length), 1 << 16, rest),
            None => return Ok(None),
        },
        short => (short.into(), 0, rest),
    };
    if length < minimum {
        return Err(ProtocolError::LengthNotMinimal);
    }
    if length >> 63 != 0 {
        return Err(ProtocolError::LengthOver63Bits);
    }
    Ok(Some((length, rest)))
}
