//! Incomplete input of a connection: half a header, half a frame, half a message.

use std::mem;

use crate::header::{FrameHeader, HEADER_BYTES_MAX};
use crate::mask::mask;
use crate::text::TextAssembly;
use crate::{Event, Opcode, ProtocolError, Role};

/// The pieces of a frame and of a message so far. Every buffer grows as bytes arrive: what a
/// header merely claims allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct Partial {
    header: PartialHeader,
    /// The frame whose header is complete and whose payload is not.
    frame: Option<FrameInFlight>,
    /// The payload of a control frame in flight; it may come between the fragments of a message.
    control: Vec<u8>,
    message: Option<Message>,
}

#[derive(Debug, Default)]
struct PartialHeader {
    bytes: [u8; HEADER_BYTES_MAX],
    len: usize,
}

#[derive(Debug)]
struct FrameInFlight {
    fin: bool,
    opcode: Opcode,
    /// Rotated so that its first byte meets the next byte of the payload.
    key: [u8; 4],
    remaining: u64,
}

/// The message in progress: what its fragments have brought.
#[derive(Debug)]
enum Message {
    Text(TextAssembly),
    Binary(Vec<u8>),
}

impl Partial {
    /// Returns true if nothing is incomplete.
    pub(crate) fn is_empty(&self) -> bool {
        self.header.len == 0 && self.frame.is_none() && self.message.is_none()
    }

    /// The missing bytes of the frame in flight, if its header is complete.
    pub(crate) fn missing_bytes(&self) -> u64 {
        self.frame.as_ref().map_or(0, |frame| frame.remaining)
    }

    /// Takes one frame off `input`, or the part of it that has arrived.
    ///
    /// After an error that [keeps the framing](ProtocolError::keeps_framing), the rest of the wrong
    /// frame is still in flight.
    pub(crate) fn next<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        role: Role,
        message_bytes_max: u32,
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        let mut frame = match self.frame.take() {
            Some(frame) => frame,
            None => match self.header.take(input, role)? {
                Some(header) => match self.judge(&header, message_bytes_max) {
                    Ok(()) => FrameInFlight::of(&header),
                    Err(error) => return self.put_back(FrameInFlight::of(&header), Err(error)),
                },
                None => return Ok(None),
            },
        };
        let piece = frame.take(input);
        let appended = self.append(frame.opcode, piece);
        if frame.remaining > 0 {
            return self.put_back(frame, appended.map(|()| None));
        }
        appended?;
        self.end(&frame).map(Some)
    }

    /// Takes one frame off `input`, or all there is of it, and drops it unless it is a close frame.
    pub(crate) fn next_discarded<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        role: Role,
    ) -> Result<Option<Event<'b>>, ProtocolError> {
        let mut frame = match self.frame.take() {
            Some(frame) => frame,
            None => match self.header.take(input, role)? {
                Some(header) => FrameInFlight::of(&header),
                None => return Ok(None),
            },
        };
        let piece = frame.take(input);
        if frame.opcode == Opcode::Close {
            self.control.extend_from_slice(piece);
        }
        if frame.remaining > 0 {
            return self.put_back(frame, Ok(None));
        }
        match frame.opcode {
            Opcode::Close => self.end(&frame).map(Some),
            _ => Ok(Some(Event::Fragment)),
        }
    }

    /// Frees what the message in progress has brought: it will never be given away.
    pub(crate) fn forget_message(&mut self) {
        self.message = None;
    }

    fn put_back<R>(&mut self, frame: FrameInFlight, result: R) -> R {
        self.frame = Some(frame);
        result
    }

    /// Judges whether this frame may come now, and whether its payload fits the limit.
    fn judge(&mut self, header: &FrameHeader, message_bytes_max: u32) -> Result<(), ProtocolError> {
        match (header.opcode, &self.message) {
            (Opcode::Continuation, None) => return Err(ProtocolError::ContinuationWithoutMessage),
            (Opcode::Text | Opcode::Binary, Some(_)) => {
                return Err(ProtocolError::MessageWithinMessage);
            }
            (Opcode::Text, None) => self.message = Some(Message::Text(TextAssembly::default())),
            (Opcode::Binary, None) => self.message = Some(Message::Binary(Vec::new())),
            _ => {}
        }
        if !header.opcode.is_control() && header.payload_bytes > self.room(message_bytes_max) {
            return Err(ProtocolError::MessageTooBig);
        }
        Ok(())
    }

    /// The bytes by which the message in progress may still grow.
    fn room(&self, message_bytes_max: u32) -> u64 {
        let taken = self.message.as_ref().map_or(0, Message::len);
        u64::from(message_bytes_max).saturating_sub(taken as u64)
    }

    fn append(&mut self, opcode: Opcode, piece: &[u8]) -> Result<(), ProtocolError> {
        match &mut self.message {
            Some(message) if !opcode.is_control() => message.append(piece),
            _ => {
                self.control.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// The event that the end of `frame` completes.
    fn end<'b>(&mut self, frame: &FrameInFlight) -> Result<Event<'b>, ProtocolError> {
        if frame.opcode.is_control() {
            let payload = mem::take(&mut self.control);
            return Event::control(frame.opcode, payload.into());
        }
        match &mut self.message {
            Some(_) if !frame.fin => Ok(Event::Fragment),
            message => message.take().map_or(Ok(Event::Fragment), Message::finish),
        }
    }
}

impl PartialHeader {
    /// Takes the bytes of a header, and no more, off `input`. One by one, so that the first byte
    /// that breaks a rule is the last one looked at.
    fn take(
        &mut self,
        input: &mut &mut [u8],
        role: Role,
    ) -> Result<Option<FrameHeader>, ProtocolError> {
        while let Some(byte) = input.split_off_first_mut() {
            // A header is complete, or broken, by its fourteenth byte: there is always room.
            self.bytes[self.len] = *byte;
            self.len += 1;
            if let Some(header) = FrameHeader::parse(&self.bytes[..self.len], role)? {
                self.len = 0;
                return Ok(Some(header));
            }
        }
        Ok(None)
    }
}

impl FrameInFlight {
    fn of(header: &FrameHeader) -> Self {
        let &FrameHeader { fin, opcode, key, payload_bytes: remaining, .. } = header;
        Self { fin, opcode, key, remaining }
    }

    /// Takes what `input` has of this frame's payload, unmasked.
    fn take<'b>(&mut self, input: &mut &'b mut [u8]) -> &'b [u8] {
        let all = mem::take(input);
        let len = usize::try_from(self.remaining).map_or(all.len(), |n| n.min(all.len()));
        let (piece, rest) = all.split_at_mut(len);
        *input = rest;
        mask(piece, self.key);
        self.key.rotate_left(len % 4);
        self.remaining -= len as u64;
        piece
    }
}

impl Message {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    fn append(&mut self, piece: &[u8]) -> Result<(), ProtocolError> {
        match self {
            Self::Text(text) => text.append(piece),
            Self::Binary(bytes) => {
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    fn finish<'b>(self) -> Result<Event<'b>, ProtocolError> {
        match self {
            Self::Text(text) => Ok(Event::Text(text.finish()?.into())),
            Self::Binary(bytes) => Ok(Event::Binary(bytes.into())),
        }
    }
}
