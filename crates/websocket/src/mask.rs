//! Masking (RFC 6455, section 5.3): the same operation in both directions.

/// The four bytes with which a client masks one frame. It must be unpredictable for each frame
/// (RFC 6455, section 10.3), which is the caller's duty: this crate has no randomness.
pub type MaskKey = [u8; 4];

/// XORs `payload` with `key`, over and over, from the key's first byte.
///
/// Words first and the odd bytes last; the compiler turns the words into vector instructions.
#[inline]
pub fn mask(payload: &mut [u8], key: MaskKey) {
    // The same four bytes twice, so the byte order of the machine does not matter.
    let key = u32::from_ne_bytes(key);
    let word = u64::from(key) << 32 | u64::from(key);
    let (words, tail) = payload.as_chunks_mut::<8>();
    for bytes in words {
        *bytes = (u64::from_ne_bytes(*bytes) ^ word).to_ne_bytes();
    }
    // The words hold whole keys, so the tail starts at the key's first byte again.
    for (byte, key) in tail.iter_mut().zip(word.to_ne_bytes()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_masked_hello_of_the_rfc_is_unmasked() {
        let mut payload = [0x7f, 0x9f, 0x4d, 0x51, 0x58];
        mask(&mut payload, [0x37, 0xfa, 0x21, 0x3d]);
        assert_eq!(&payload, b"Hello");
    }

    proptest! {
        #[test]
        fn every_byte_meets_its_own_key_byte(
            payload in prop::collection::vec(any::<u8>(), 0..300),
            key: MaskKey,
        ) {
            let naive: Vec<u8> =
                payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect();
            let mut masked = payload;
            mask(&mut masked, key);
            prop_assert_eq!(masked, naive);
        }
    }
}
