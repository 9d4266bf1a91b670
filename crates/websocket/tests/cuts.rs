//! Properties: what is encoded is decoded the same wherever the bytes are cut, and no bytes at all
//! make the decoder or the handshake panic.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use proptest::sample::Index;
use securecall_websocket::{
    CloseReason, Decoder, Event, HeadLimits, MaskKey, Opcode, ProtocolError, Role, mask,
    parse_request, parse_response, write_binary, write_close, write_masked_binary,
    write_masked_close, write_masked_ping, write_masked_pong, write_masked_text, write_ping,
    write_pong, write_text,
};

const MESSAGE_BYTES_MAX: u32 = 1 << 16;

fn any_event() -> impl Strategy<Value = Event<'static>> {
    let control = || prop::collection::vec(any::<u8>(), 0..=125);
    prop_oneof![
        3 => ".{0,200}".prop_map(|text| Event::Text(text.into())),
        1 => "[a-zé€😀]{0,2000}".prop_map(|text| Event::Text(text.into())),
        2 => prop::collection::vec(any::<u8>(), 0..1000).prop_map(|p| Event::Binary(p.into())),
        1 => control().prop_map(|payload| Event::Ping(payload.into())),
        1 => control().prop_map(|payload| Event::Pong(payload.into())),
    ]
}

fn any_close() -> impl Strategy<Value = Event<'static>> {
    prop::option::of((3000..5000u16, "[a-zé]{0,60}"))
        .prop_map(|reason| Event::Close(reason.map(|(code, text)| close_reason(code, text))))
}

fn close_reason(code: u16, text: String) -> CloseReason<'static> {
    CloseReason { code, text: text.into() }
}

fn write_as_server(out: &mut Vec<u8>, event: &Event<'_>) {
    match event {
        Event::Text(text) => write_text(out, text),
        Event::Binary(payload) => write_binary(out, payload),
        Event::Ping(payload) => write_ping(out, payload),
        Event::Pong(payload) => write_pong(out, payload),
        Event::Fragment => {}
        Event::Close(reason) => write_close(out, reason.as_ref()),
    }
}

fn write_as_client(out: &mut Vec<u8>, event: &Event<'_>, key: MaskKey) {
    match event {
        Event::Text(text) => write_masked_text(out, text, key),
        Event::Binary(payload) => write_masked_binary(out, payload, key),
        Event::Ping(payload) => write_masked_ping(out, payload, key),
        Event::Pong(payload) => write_masked_pong(out, payload, key),
        Event::Fragment => {}
        Event::Close(reason) => write_masked_close(out, reason.as_ref(), key),
    }
}

/// A message as a client that fragments it at these places sends it, with a ping in each gap.
fn write_in_fragments(out: &mut Vec<u8>, opcode: Opcode, payload: &[u8], cuts: &[Index]) {
    let pieces = cut(payload, cuts);
    let last = pieces.len() - 1;
    for (i, piece) in pieces.into_iter().enumerate() {
        let start = out.len();
        let opcode = if i == 0 { opcode } else { Opcode::Continuation };
        write_masked_header_and_payload(out, opcode, piece);
        if i < last {
            out[start] &= 0x7f;
            write_masked_ping(out, &[], [1, 2, 3, 4]);
        }
    }
}

fn write_masked_header_and_payload(out: &mut Vec<u8>, opcode: Opcode, piece: &[u8]) {
    let key = [9, 8, 7, 6];
    securecall_websocket::write_masked_header(out, opcode, piece.len(), key);
    let start = out.len();
    out.extend_from_slice(piece);
    mask(&mut out[start..], key);
}

/// The bytes in pieces, cut at these places.
fn cut<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Decodes these reads, one after the other.
fn decode(role: Role, reads: &[&[u8]]) -> Result<Vec<Event<'static>>, ProtocolError> {
    let mut decoder = Decoder::new(role, MESSAGE_BYTES_MAX);
    let mut events = Vec::new();
    for read in reads {
        let mut buffer = read.to_vec();
        let mut input = &mut buffer[..];
        while let Some(event) = decoder.next(&mut input)? {
            if event != Event::Fragment {
                events.push(owned(event));
            }
        }
        assert!(input.is_empty());
    }
    Ok(events)
}

fn owned(event: Event<'_>) -> Event<'static> {
    match event {
        Event::Text(text) => Event::Text(text.into_owned().into()),
        Event::Binary(payload) => Event::Binary(payload.into_owned().into()),
        Event::Ping(payload) => Event::Ping(payload.into_owned().into()),
        Event::Pong(payload) => Event::Pong(payload.into_owned().into()),
        Event::Fragment => Event::Fragment,
        Event::Close(reason) => {
            Event::Close(reason.map(|reason| close_reason(reason.code, reason.text.into_owned())))
        }
    }
}

proptest! {
    #[test]
    fn a_server_reads_what_a_client_writes_wherever_it_is_cut(
        mut events in prop::collection::vec(any_event(), 0..8),
        close in any_close(),
        key: MaskKey,
        cuts: Vec<Index>,
    ) {
        events.push(close);
        let mut wire = Vec::new();
        events.iter().for_each(|event| write_as_client(&mut wire, event, key));
        prop_assert_eq!(decode(Role::Server, &cut(&wire, &cuts)), Ok(events));
    }

    #[test]
    fn a_client_reads_what_a_server_writes_wherever_it_is_cut(
        mut events in prop::collection::vec(any_event(), 0..8),
        close in any_close(),
        cuts: Vec<Index>,
    ) {
        events.push(close);
        let mut wire = Vec::new();
        events.iter().for_each(|event| write_as_server(&mut wire, event));
        prop_assert_eq!(decode(Role::Client, &cut(&wire, &cuts)), Ok(events));
    }

    #[test]
    fn a_fragmented_message_is_the_same_message(
        text in "[a-zé€😀]{0,300}",
        fragment_cuts in prop::collection::vec(any::<Index>(), 0..6),
        read_cuts: Vec<Index>,
    ) {
        let mut wire = Vec::new();
        write_in_fragments(&mut wire, Opcode::Text, text.as_bytes(), &fragment_cuts);
        let mut expected = vec![Event::Ping([].as_slice().into()); fragment_cuts.len()];
        expected.push(Event::Text(text.into()));
        prop_assert_eq!(decode(Role::Server, &cut(&wire, &read_cuts)), Ok(expected));
    }

    #[test]
    fn any_bytes_mean_the_same_wherever_they_are_cut(
        wire in prop::collection::vec(frame_like_byte(), 0..200),
        cuts: Vec<Index>,
    ) {
        for role in [Role::Server, Role::Client] {
            prop_assert_eq!(decode(role, &cut(&wire, &cuts)), decode(role, &[&wire]));
        }
    }

    #[test]
    fn any_text_is_valid_in_pieces_exactly_if_it_is_valid_whole(
        payload in prop::collection::vec(utf8_like_byte(), 0..12),
        cuts: Vec<Index>,
    ) {
        let mut wire = Vec::new();
        write_in_fragments(&mut wire, Opcode::Text, &payload, &cuts);
        let valid = std::str::from_utf8(&payload).is_ok();
        let decoded = decode(Role::Server, &[&wire]);
        prop_assert_eq!(decoded.is_ok(), valid);
    }

    #[test]
    fn no_bytes_make_the_handshake_panic(bytes: Vec<u8>, nonce: [u8; 16]) {
        let _ = parse_request(&bytes, HeadLimits::default());
        let _ = parse_response(&bytes, &nonce);
        let request = [b"GET / HTTP/1.1\r\nHost: a\r\n", &bytes[..], b"\r\n\r\n"].concat();
        if let Ok(Some((request, _))) = parse_request(&request, HeadLimits::default()) {
            let _ = request.upgrade();
        }
    }
}

/// Mostly the first bytes of valid frames and short lengths: plain noise ends at its first byte.
fn frame_like_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => prop::sample::select(vec![0x00, 0x01, 0x02, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a]),
        2 => prop::sample::select(vec![0x80, 0x81, 0x83, 0xfe, 0xff, 1, 2, 126, 127]),
        1 => any::<u8>(),
    ]
}

/// Mostly the bytes at which UTF-8 changes its mind.
fn utf8_like_byte() -> impl Strategy<Value = u8> {
    prop::sample::select(vec![
        0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed,
        0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff,
    ])
}
