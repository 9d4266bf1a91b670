//! The labels that separate one use of a key or hash from every other.
//!
//! Each ends with its only colon, so no label is a prefix of another, nor of a label of sealing.

macro_rules! label {
    ($purpose:literal) => {
        concat!("securecall-identity/1 ", $purpose, ":").as_bytes()
    };
}

// What is signed.
pub(crate) const LINK: &[u8] = label!("link");
pub(crate) const BUNDLE: &[u8] = label!("bundle");
pub(crate) const PROOF: &[u8] = label!("proof");
pub(crate) const RESUME_PROOF: &[u8] = label!("resume proof");

// What is hashed.
pub(crate) const LINK_HASH: &[u8] = label!("link hash");
pub(crate) const RECORD_HASH: &[u8] = label!("record hash");
pub(crate) const RECOVERY_COMMITMENT: &[u8] = label!("recovery commitment");

// What is derived.
pub(crate) const RECOVERY_ED25519: &[u8] = label!("recovery ed25519");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_is_the_beginning_of_another() {
        let all = [
            LINK,
            BUNDLE,
            PROOF,
            RESUME_PROOF,
            LINK_HASH,
            RECORD_HASH,
            RECOVERY_COMMITMENT,
            RECOVERY_ED25519,
        ];
        for (index, label) in all.iter().enumerate() {
            for other in &all[index + 1..] {
                assert!(!label.starts_with(other) && !other.starts_with(label));
            }
        }
    }
}
