//! Raw frames, right and wrong ones, made and read without the code under test.

const KEY: [u8; 4] = [0x0a, 0xf5, 0x5a, 0xa5];

/// A frame as a client sends it, valid or not.
#[derive(Clone)]
pub(crate) struct Frame {
    fin: bool,
    reserved: u8,
    opcode: u8,
    pub(crate) payload: Vec<u8>,
}

pub(crate) fn frame(opcode: u8, payload: impl AsRef<[u8]>) -> Frame {
    Frame { fin: true, reserved: 0, opcode, payload: payload.as_ref().to_vec() }
}

pub(crate) fn continuation(payload: impl AsRef<[u8]>) -> Frame {
    frame(0, payload)
}

pub(crate) fn text(payload: impl AsRef<[u8]>) -> Frame {
    frame(1, payload)
}

pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Frame {
    frame(2, payload)
}

pub(crate) fn close(body: impl AsRef<[u8]>) -> Frame {
    frame(8, body)
}

pub(crate) fn close_with(code: u16, reason: impl AsRef<[u8]>) -> Frame {
    close([&code.to_be_bytes(), reason.as_ref()].concat())
}

pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Frame {
    frame(9, payload)
}

pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Frame {
    frame(10, payload)
}

/// One message of this kind (text or binary) in fragments of these payloads.
pub(crate) fn fragments<P: AsRef<[u8]>>(
    opcode: u8,
    payloads: impl IntoIterator<Item = P>,
) -> Vec<Frame> {
    let mut frames: Vec<Frame> = payloads.into_iter().map(continuation).collect();
    frames[0].opcode = opcode;
    let last = frames.len() - 1;
    frames[..last].iter_mut().for_each(|frame| frame.fin = false);
    frames
}

impl Frame {
    pub(crate) fn not_final(mut self) -> Self {
        self.fin = false;
        self
    }

    /// Sets RSV1 (4), RSV2 (2) and RSV3 (1).
    pub(crate) fn reserved(mut self, bits: u8) -> Self {
        self.reserved = bits;
        self
    }

    pub(crate) fn wire(&self) -> Vec<u8> {
        let mut wire = vec![u8::from(self.fin) << 7 | self.reserved << 4 | self.opcode];
        match self.payload.len() {
            len @ 0..126 => wire.push(0x80 | len as u8),
            len @ 126..65_536 => {
                wire.push(0x80 | 126);
                wire.extend((len as u16).to_be_bytes());
            }
            len => {
                wire.push(0x80 | 127);
                wire.extend((len as u64).to_be_bytes());
            }
        }
        wire.extend(KEY);
        wire.extend(self.payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
        wire
    }
}

/// Takes the next frame off what a server wrote: its opcode and payload. Servers here send final
/// frames without a mask.
pub(crate) fn take_server_frame<'a>(wire: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let [first, second, rest @ ..] = *wire else { return None };
    assert_eq!(first & 0xf0, 0x80, "final, without reserved bits");
    let (len, rest) = match second {
        0..=125 => (usize::from(*second), rest),
        126 => (u16::from_be_bytes([rest[0], rest[1]]).into(), &rest[2..]),
        127 => (u64::from_be_bytes(rest[..8].try_into().unwrap()) as usize, &rest[8..]),
        _ => panic!("a server must not mask"),
    };
    *wire = &rest[len..];
    Some((first & 0x0f, &rest[..len]))
}
