//! Messages of a byzantine client: mostly invalid ones, with leaked call ids.

use super::register::register;
use super::{Client, Knowledge};
use crate::random::Random;

impl Client {
    pub(super) fn nonsense(&mut self, random: &mut Random, knowledge: &Knowledge<'_>) -> String {
        let leaked = random.pick(knowledge.leaks).map_or("made-up", String::as_str);
        let call = match random.below(10) {
            0 => leaked.get(1..).unwrap_or_default().to_string(),
            1 => leaked.chars().rev().collect(),
            2 => String::new(),
            _ => leaked.to_string(),
        };
        match random.below(100) {
            0..30 => {
                let candidate = self.sized_opaque("nonsense", random, knowledge);
                self.ask("ICE_CANDIDATE", &call, Some(("candidate", candidate)))
            }
            30..37 => {
                let data = self.sized_opaque("nonsense", random, knowledge);
                self.ask("CALL_SIGNAL", &call, Some(("data", data)))
            }
            37..40 => self.ask("CALL_RINGING", &call, None),
            40..55 => {
                let answer = self.opaque("nonsense", 0);
                self.ask("CALL_ACCEPT", &call, Some(("sdpAnswer", answer)))
            }
            55..65 => self.ask("CALL_REJECT", &call, None),
            65..75 => self.ask("CALL_END", &call, None),
            75..80 => {
                let (id, offer) = (self.id.clone(), self.opaque("offer", 0));
                self.initiate(&id, &offer)
            }
            80..84 => register(random.pick(knowledge.ids).unwrap_or(&self.id), ""),
            84..88 => r#"{"type":"__proto__","payload":{}}"#.into(),
            88..91 => "null".into(),
            91..94 => r#"{"type":"CALL_END","payload":[]}"#.into(),
            94..97 => format!(r#"{{"type":"ACK","payload":{{"seq":{}}}}}"#, random.next()),
            _ => r#"{"type":"CALL_END","payload":{"callId":7}}"#.into(),
        }
    }
}
