//! From the bytes of a connection to its messages.
//!
//! Almost every message that a signaling server gets is one frame, wholly in the read buffer: it
//! is unmasked there and lent out. All else (fragments, frames that span reads, frames that are
//! too big) goes the long way through `partial.rs`. While nothing is incomplete a decoder holds no memory.

use crate::header::FrameHeader;
use crate::mask::mask;
use crate::partial::Partial;
use crate::{Event, Opcode, ProtocolError, Role};

/// Decodes what one peer sends.
#[derive(Debug)]
pub struct Decoder {
    /// Incomplete input: between messages it is `None`, without an allocation.
    partial: Option<Box<Partial>>,
    message_bytes_max: u32,
    role: Role,
    expects: Expects,
}

/// The input that still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expects {
    Messages,
    /// The peer broke a rule: of what comes behind it, only its close frame.
    Close,
    /// Nothing: a close frame came, or the start of the next frame is unknown.
    Nothing,
}

// There is one per connection, and most connections are idle.
const _: () = assert!(size_of::<Decoder>() <= 16);

impl Decoder {
    /// A decoder for our end's `role`. A message over `message_bytes_max` bytes, whole or added up
    /// over its fragments, is an error as soon as a header announces it.
    pub const fn new(role: Role, message_bytes_max: u32) -> Self {
        Self { partial: None, message_bytes_max, role, expects: Expects::Messages }
    }

    /// Returns true if all further input is dropped: [`Event::Close`] came, or the peer broke a
    /// rule after which the start of the next frame is unknown.
    pub fn is_finished(&self) -> bool {
        self.expects == Expects::Nothing
    }

    /// The missing payload of the frame in flight, in bytes. A reader that reads that many, or a
    /// few, has at most a few frames to handle.
    pub fn missing_bytes(&self) -> u64 {
        self.partial.as_ref().map_or(0, |partial| partial.missing_bytes())
    }

    /// Takes the next message or control frame off the front of `input`.
    ///
    /// `None`: `input` is used up, and the caller may reuse its buffer.
    /// `input` is unmasked in place, so its bytes are the decoder's to change. After an error,
    /// whole frames are discarded until the peer's close frame comes: go on, unless the decoder [is
    /// finished](Self::is_finished).
    ///
    /// # Errors
    /// The rule that the peer broke; the connection is to be failed with its close code.
    #[inline]
    pub fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        // Each arm builds its result where it is returned: to copy it costs as much as to unmask.
        match self.take_whole_frame(input) {
            Some((Opcode::Text, payload)) => match simdutf8::basic::from_utf8(payload) {
                Ok(text) => Ok(Some(Event::Text(text.into()))),
                Err(_) => self.fail(input, ProtocolError::TextNotUtf8),
            },
            Some((Opcode::Binary, payload)) => Ok(Some(Event::Binary(payload.into()))),
            Some((opcode, payload)) => self.whole_control(opcode, payload, input),
            None => self.next_in_pieces(input),
        }
    }

    /// The hot path: an unfragmented frame, wholly at the front of `input`, while nothing else is
    /// incomplete; its payload is unmasked. Anything else is left where it is, for the long way to
    /// take or to refuse.
    #[inline]
    fn take_whole_frame<'b>(&self, input: &mut &'b mut [u8]) -> Option<(Opcode, &'b [u8])> {
        if self.partial.is_some() || self.expects != Expects::Messages {
            return None;
        }
        let header = FrameHeader::parse(input, self.role).ok()??;
        if !header.fin || header.payload_bytes > self.message_bytes_max.into() {
            return None;
        }
        // At most 32 bits and a header: this fits.
        let frame_bytes = header.header_bytes + header.payload_bytes as usize;
        let payload = &mut input.split_off_mut(..frame_bytes)?[header.header_bytes..];
        mask(payload, header.key);
        Some((header.opcode, payload))
    }

    fn whole_control<'b>(
        &mut self,
        opcode: Opcode,
        payload: &'b [u8],
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        match Event::control(opcode, payload.into()) {
            Ok(event) => Ok(Some(self.note_close(event, input))),
            Err(error) => self.fail(input, error),
        }
    }

    /// The long way: what is incomplete is collected until an event can be given away.
    #[cold]
    fn next_in_pieces<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        if self.is_finished() {
            *input = &mut [];
        }
        if input.is_empty() {
            return Ok(None);
        }
        let partial = self.partial.get_or_insert_default();
        let event = match self.expects {
            Expects::Messages => partial.next(input, self.role, self.message_bytes_max),
            Expects::Close | Expects::Nothing => partial.next_discarded(input, self.role),
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => return self.fail(input, error),
        };
        if partial.is_empty() {
            self.partial = None;
        }
        Ok(event.map(|event| self.note_close(event, input)))
    }

    /// Passes the event on; nothing comes after a close.
    fn note_close<'b>(&mut self, event: Event<'b>, input: &mut &mut [u8]) -> Event<'b> {
        if matches!(event, Event::Close(_)) {
            self.finish(input);
        }
        event
    }

    #[cold]
    fn fail<'b>(
        &mut self,
        input: &mut &mut [u8],
        error: ProtocolError,
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        if error.keeps_framing() {
            self.expects = Expects::Close;
            if let Some(partial) = &mut self.partial {
                partial.forget_message();
            }
        } else {
            self.finish(input);
        }
        Err(error)
    }

    fn finish(&mut self, input: &mut &mut [u8]) {
        self.expects = Expects::Nothing;
        self.partial = None;
        *input = &mut [];
    }
}
