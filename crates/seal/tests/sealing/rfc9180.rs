//! HPKE as this crate uses it, beside the vectors of its specifications.

use hpke::{
    Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _,
    aead::{Aead, AesGcm256, ChaCha20Poly1305},
    kdf::HkdfSha256,
    kem::{X25519HkdfSha256, XWing},
    setup_receiver, setup_sender_with_rng,
};

use crate::tape::{Tape, hex};

struct Vector {
    info: &'static str,
    /// The sender's randomness.
    encapsulation: &'static str,
    recipient_private_key: &'static str,
    plaintext: &'static str,
    /// Of each message: the additional data and the ciphertext.
    messages: &'static [(&'static str, &'static str)],
    /// Of each export: the context and the secret.
    exports: &'static [(&'static str, &'static str)],
}

/// mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002, of the test vectors of RFC 9180.
const X25519_AES_256_GCM: Vector = Vector {
    info: "4f6465206f6e2061204772656369616e2055726e",
    encapsulation: "2cd7c601cefb3d42a62b04b7a9041494c06c7843818e0ce28a8f704ae7ab20f9",
    recipient_private_key: "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
    plaintext: "4265617574792069732074727574682c20747275746820626561757479",
    messages: &[
        (
            "436f756e742d30",
            "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a",
        ),
        (
            "436f756e742d31",
            "2c43aff25343fdbff864506f0818b9d87df84ea01b1a2144d23b4d40c26bf655fdf197fe40297a8aebeed5cc2d",
        ),
        (
            "436f756e742d32",
            "e0a8f2cf92ff61215edbb8c55dc31fe9e2eb42a5685867bb6854211542099f9e940c4b41c192bc390835b1a5f7",
        ),
        (
            "436f756e742d33",
            "a8ea1deafbe4935d0d484a026301a339d4668c43c37f5e289bf758c7aeb3e2812d0321c12b71978855883420c0",
        ),
    ],
    exports: &[
        ("", "ded6cffafaea6b812cbf3e241e88332adbc077aca81512914213810ee291770a"),
        ("00", "04d3cb6cc116b28ffd22ad5bc276c60d31fec71ceb87ae24db811c64b7507339"),
        (
            "54657374436f6e74657874",
            "7c5ded445732c14fe09727d29b4251c0fd38455fe8440571e687f0886aac94d2",
        ),
    ],
};

/// mode 0, KEM 0x647a, KDF 0x0001, AEAD 0x0003, of draft-ietf-hpke-pq: there is no vector of X-Wing
/// with both this KDF and AES-256-GCM.
const X_WING_CHACHA20_POLY1305: Vector = Vector {
    info: "34663634363532303666366532303631323034373732363536333639363136653230353537323665",
    encapsulation: "2a1c0a3745fe8a48fb62034d300f54dfe1974a5b2e169e580a8789cb1cf5fd19\
                    0fc00f3fd899594e01a8b15334b9f3fa03d8de44da86e19f5776850fb689e6c8",
    recipient_private_key: "3ec47fa82dd5689d27c6190e724c74ec8f608df3331ce331929e37b829676630",
    plaintext: "34323635363137353734373932303639373332303734373237353734363832633230373437323735373436383230363236353631373537343739",
    messages: &[
        (
            "436f756e742d30",
            "c5c591f99092d5e38df0a52699af249c66f8275a863423c076de8147a53e65cc584041c963b77a7e59ea93841b1339b5efda8909b71f74bb0073ad62e899de310c1566dea2fd29eba377",
        ),
        (
            "436f756e742d31",
            "ce339b2b956509cf9a9d3d736e8529f4eb87f27483e0c647869bd1d32c6c95ab3ff3f151abb11f863e5ea7cb852dc0c92346b46ac340ab390f8d3b6bd85d5d2d11c77499e006e36e3699",
        ),
    ],
    exports: &[(
        "70736575646f72616e646f6d30",
        "5a78d37f40e078c17ef43fa40963f1ff7dcdee56e366da9099dc181c3eccaee5",
    )],
};

fn check<A: Aead, K: Kem>(vector: &Vector) {
    let private_key = K::PrivateKey::from_bytes(&hex(vector.recipient_private_key)).unwrap();
    let info = hex(vector.info);
    let (encapsulated_key, mut sender) = setup_sender_with_rng::<A, HkdfSha256, K>(
        &OpModeS::Base,
        &K::sk_to_pk(&private_key),
        &info,
        &mut Tape::new(&[&hex(vector.encapsulation)]),
    )
    .unwrap();
    let received = K::EncappedKey::from_bytes(&encapsulated_key.to_bytes()).unwrap();
    let mut receiver =
        setup_receiver::<A, HkdfSha256, K>(&OpModeR::Base, &private_key, &received, &info).unwrap();
    let plaintext = hex(vector.plaintext);
    for (aad, ciphertext) in vector.messages {
        assert_eq!(sender.seal(&plaintext, &hex(aad)).unwrap(), hex(ciphertext));
        assert_eq!(receiver.open(&hex(ciphertext), &hex(aad)).unwrap(), plaintext);
    }
    for (context, secret) in vector.exports {
        let mut exported = [0; 32];
        receiver.export(&hex(context), &mut exported).unwrap();
        assert_eq!(exported[..], hex(secret));
    }
}

#[test]
fn suite_1_gives_the_vectors_of_rfc_9180() {
    check::<AesGcm256, X25519HkdfSha256>(&X25519_AES_256_GCM);
}

#[test]
fn x_wing_gives_the_vectors_of_its_draft() {
    check::<ChaCha20Poly1305, XWing>(&X_WING_CHACHA20_POLY1305);
}
