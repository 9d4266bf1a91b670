//! The endpoint under test: it sends every message back, answers pings and closes when asked to.

use securecall_websocket::{
    Decoder, Event, ProtocolError, Role, write_binary, write_close, write_pong, write_text,
};

pub(crate) struct Echo {
    decoder: Decoder,
    pub(crate) sent: Vec<u8>,
    pub(crate) closed: bool,
}

impl Echo {
    pub(crate) fn new(message_bytes_max: u32) -> Self {
        let decoder = Decoder::new(Role::Server, message_bytes_max);
        Self { decoder, sent: Vec::new(), closed: false }
    }

    /// One read from the socket. A closed endpoint still hands its bytes to the decoder, which must
    /// not make anything of them.
    pub(crate) fn receive(&mut self, read: &[u8]) {
        let mut buffer = read.to_vec();
        let mut input = &mut buffer[..];
        loop {
            match self.decoder.next(&mut input) {
                Ok(Some(_)) if self.closed => {}
                Ok(Some(event)) => answer(&mut self.sent, &mut self.closed, event),
                Ok(None) => break,
                Err(_) if self.closed => {}
                Err(error) => self.fail(error),
            }
        }
        assert!(input.is_empty(), "the decoder uses up its input");
    }

    fn fail(&mut self, error: ProtocolError) {
        write_close(&mut self.sent, Some(&error.close_reason()));
        self.closed = true;
    }
}

fn answer(sent: &mut Vec<u8>, closed: &mut bool, event: Event<'_>) {
    match event {
        Event::Text(text) => write_text(sent, &text),
        Event::Binary(payload) => write_binary(sent, &payload),
        Event::Ping(payload) => write_pong(sent, &payload),
        Event::Pong(_) | Event::Fragment => {}
        Event::Close(reason) => {
            write_close(sent, reason.as_ref());
            *closed = true;
        }
    }
}
