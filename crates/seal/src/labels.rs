//! The labels that separate one use of a key or hash from every other.
//!
//! Each ends with its only colon, so no label is a prefix of another.

macro_rules! label {
    ($purpose:literal) => {
        concat!("securecall-seal/1 ", $purpose, ":").as_bytes()
    };
}

// Keys that follow from a seed.
pub(crate) const IDENTITY_ED25519: &[u8] = label!("identity ed25519");
pub(crate) const IDENTITY_X25519: &[u8] = label!("identity x25519");
pub(crate) const IDENTITY_X_WING: &[u8] = label!("identity x-wing");

// What is signed.
pub(crate) const DIRECTORY_KEY: &[u8] = label!("directory key");
pub(crate) const SIGNATURE: &[u8] = label!("signature");

// What is hashed.
pub(crate) const RECORD_HASH: &[u8] = label!("record hash");
pub(crate) const FINGERPRINT: &[u8] = label!("fingerprint");
pub(crate) const COMMITMENT: &[u8] = label!("commitment");
pub(crate) const OFFER_HASH: &[u8] = label!("offer hash");
pub(crate) const TRANSCRIPT: &[u8] = label!("transcript");

// What the messages are bound to.
pub(crate) const OFFER: &[u8] = label!("offer");
pub(crate) const ANSWER: &[u8] = label!("answer");
pub(crate) const MESSAGE: &[u8] = label!("message");

// What is derived for a call.
pub(crate) const EXPORT: &[u8] = label!("export");
pub(crate) const CALLER_KEY: &[u8] = label!("caller key");
pub(crate) const CALLER_NONCE: &[u8] = label!("caller nonce");
pub(crate) const CALLEE_KEY: &[u8] = label!("callee key");
pub(crate) const CALLEE_NONCE: &[u8] = label!("callee nonce");
pub(crate) const AUTHENTICATION_SECRET: &[u8] = label!("short authentication secret");
pub(crate) const AUTHENTICATION_STRING: &[u8] = label!("short authentication string");

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [&[u8]; 20] = [
        IDENTITY_ED25519,
        IDENTITY_X25519,
        IDENTITY_X_WING,
        DIRECTORY_KEY,
        SIGNATURE,
        RECORD_HASH,
        FINGERPRINT,
        COMMITMENT,
        OFFER_HASH,
        TRANSCRIPT,
        OFFER,
        ANSWER,
        MESSAGE,
        EXPORT,
        CALLER_KEY,
        CALLER_NONCE,
        CALLEE_KEY,
        CALLEE_NONCE,
        AUTHENTICATION_SECRET,
        AUTHENTICATION_STRING,
    ];

    #[test]
    fn no_label_is_the_beginning_of_another() {
        for (index, label) in ALL.iter().enumerate() {
            for other in &ALL[index + 1..] {
                assert!(!label.starts_with(other) && !other.starts_with(label));
            }
        }
    }
}
