//! From the bytes of a connection to its messages.
//!
//! Almost every message that a signaling server gets is one frame, wholly in the read buffer: it
//! is unmasked there and lent out. All else (fragments, and frames that span reads) goes the long
//! way through `partial.rs`. While nothing is incomplete a decoder holds no memory.

use std::mem;

use crate::header::FrameHeader;
use crate::mask::mask;
use crate::partial::Partial;
use crate::{Event, ProtocolError, Role};

/// Decodes what one peer sends.
#[derive(Debug)]
pub struct Decoder {
    /// What is incomplete: between messages, nothing and no allocation.
    partial: Option<Box<Partial>>,
    message_bytes_max: u32,
    role: Role,
    /// A close frame or an error came; nothing after it counts.
    finished: bool,
}

// There is one per connection, and most connections are idle.
const _: () = assert!(size_of::<Decoder>() <= 16);

impl Decoder {
    /// A decoder for our end's `role`. A message over `message_bytes_max` bytes, whole or added up
    /// over its fragments, is an error as soon as a header announces it.
    pub const fn new(role: Role, message_bytes_max: u32) -> Self {
        Self { partial: None, message_bytes_max, role, finished: false }
    }

    /// Takes the next message or control frame off the front of `input`.
    ///
    /// `None` means that `input` is used up; the caller may reuse its buffer. `input` is unmasked
    /// in place, so its bytes are the decoder's to change. After [`Event::Close`] or an error, all
    /// further input is dropped.
    ///
    /// # Errors
    /// The rule that the peer broke; the connection is to be failed with its close code.
    #[inline]
    pub fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        let result = self.step(input);
        if matches!(result, Err(_) | Ok(Some(Event::Close(_)))) {
            self.finish(input);
        }
        result
    }

    #[inline]
    fn step<'b>(&mut self, input: &mut &'b mut [u8]) -> Result<Option<Event<'b>>, ProtocolError> {
        if self.partial.is_none()
            && !self.finished
            && let Some(event) = self.whole_frame(input)?
        {
            return Ok(Some(event));
        }
        self.next_in_pieces(input)
    }

    /// The hot path: an unfragmented frame, wholly at the front of `input`. Anything else is left
    /// where it is, for the long way to take or to refuse.
    #[inline]
    fn whole_frame<'b>(
        &self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        let Some(header) = FrameHeader::parse(input, self.role)? else { return Ok(None) };
        if !header.fin || header.payload_bytes > self.message_bytes_max.into() {
            return Ok(None);
        }
        // At most 32 bits and a header: this fits.
        let frame_bytes = header.header_bytes + header.payload_bytes as usize;
        let Some(frame) = input.split_off_mut(..frame_bytes) else { return Ok(None) };
        let payload = &mut frame[header.header_bytes..];
        mask(payload, header.key);
        Event::whole(header.opcode, payload).map(Some)
    }

    /// The long way: what is incomplete is collected until an event can be given away.
    #[cold]
    fn next_in_pieces<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        if self.finished {
            *input = &mut [];
        }
        if input.is_empty() {
            return Ok(None);
        }
        let partial = self.partial.get_or_insert_default();
        let event = partial.next(input, self.role, self.message_bytes_max)?;
        if partial.is_empty() {
            self.partial = None;
        }
        Ok(event)
    }

    #[cold]
    fn finish(&mut self, input: &mut &mut [u8]) {
        self.finished = true;
        self.partial = None;
        mem::take(input);
    }
}
