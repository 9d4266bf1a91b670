//! The configuration of the core, as the settings give it.

use securecall_core::directory::ReplacePolicy;
use securecall_core::{
    AdmissionLimits, CallIdKey, CallLimits, Config, ConnectionLimits, NameKey, Rate as CoreRate,
    Turn, TurnRest,
};
use securecall_websocket::HeadLimits;
use zeroize::Zeroizing;

use super::defaults::HANDSHAKES_PER_CONNECTION;
use super::{Rate, Replace, Settings, TurnSettings};

impl Settings {
    /// Returns the configuration of sessions: these settings, and keys derived from the server's.
    #[must_use]
    pub fn core_config(&self, server_key: &[u8; 32]) -> Config {
        let turn = |relay| Turn::new(TurnRest::from(relay), NameKey::new(server_key));
        Config {
            calls: self.call_limits(),
            connection: self.connection_limits(),
            call_ids: CallIdKey::new(server_key),
            turn: self.relay.as_ref().map(turn),
            replace_key: self.directory.replace.into(),
            key_bytes_max: self.directory.key_bytes_max,
        }
    }

    /// Returns the limits of admission.
    #[must_use]
    pub fn admission_limits(&self) -> AdmissionLimits {
        let limits = &self.limits;
        AdmissionLimits {
            connections_max: limits.connections_max,
            per_address_max: limits.connections_per_address_max,
            new_per_address: CoreRate::new(limits.connection_burst, limits.connection_rate),
            handshakes_per_address: CoreRate::new(
                limits.connection_burst.saturating_mul(HANDSHAKES_PER_CONNECTION),
                limits.connection_rate * f64::from(HANDSHAKES_PER_CONNECTION),
            ),
        }
    }

    /// Returns the limits of a request head.
    #[must_use]
    pub fn head_limits(&self) -> HeadLimits {
        HeadLimits {
            bytes_max: self.limits.request_head_bytes_max,
            fields_max: self.limits.request_fields_max,
        }
    }

    fn call_limits(&self) -> CallLimits {
        CallLimits {
            ring_timeout: *self.calls.ring_timeout,
            grace: *self.calls.grace,
            per_session_max: self.calls.per_session_max,
            unanswered_max: self.calls.unanswered_max,
            waiting_bytes_max: self.calls.waiting_bytes_max,
            waiting_count_max: self.calls.waiting_count_max,
            waiting_age_max: *self.calls.waiting_age_max,
        }
    }

    fn connection_limits(&self) -> ConnectionLimits {
        ConnectionLimits {
            message_bytes_max: self.limits.message_bytes_max,
            register_timeout: *self.limits.register_timeout,
            ping_after: *self.limits.ping_after,
            silence_timeout: *self.limits.silence_timeout,
            calls: self.limits.calls.into(),
            hangups: self.limits.hangups().into(),
            candidates: self.limits.candidates.into(),
            directory: self.limits.directory.into(),
            other: self.limits.other.into(),
        }
    }
}

impl From<Replace> for ReplacePolicy {
    fn from(replace: Replace) -> Self {
        match replace {
            Replace::Owner => Self::Owner,
            Replace::Registered => Self::Registered,
        }
    }
}

impl From<Rate> for CoreRate {
    fn from(rate: Rate) -> Self {
        Self::new(rate.burst, rate.per_second)
    }
}

impl From<&TurnSettings> for TurnRest {
    fn from(relay: &TurnSettings) -> Self {
        let secret = Zeroizing::new(relay.secret.expose().as_bytes().to_vec());
        Self::new(&relay.urls, secret, relay.ttl)
    }
}
