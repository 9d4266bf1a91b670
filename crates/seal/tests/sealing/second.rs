//! The protocol a second time, written from `docs/sealing.md`, on an HPKE that has no line in
//! common with the first one: `hpke-rs` over libcrux.
//!
//! It shows every intermediate value, and can be made to deviate.

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hkdf::Hkdf;
use hpke_rs::{
    Hpke, HpkePrivateKey, HpkePublicKey, Mode,
    hpke_types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm},
    libcrux::HpkeLibcrux,
};
use hpke_rs_crypto::HpkeCrypto as _;
use sha2::{Digest as _, Sha256};

pub(crate) const OFFER: u8 = 1;
pub(crate) const ANSWER: u8 = 2;
pub(crate) const CALLER: u8 = 0;
pub(crate) const CALLEE: u8 = 1;

pub(crate) fn label(purpose: &str) -> Vec<u8> {
    format!("securecall-seal/1 {purpose}:").into_bytes()
}

pub(crate) fn hash(purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    Sha256::digest([&label(purpose), &parts.concat()[..]].concat()).into()
}

pub(crate) fn hkdf<const BYTES: usize>(salt: &[u8], ikm: &[u8], purpose: &str) -> [u8; BYTES] {
    let mut output = [0; BYTES];
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(&label(purpose), &mut output).unwrap();
    output
}

pub(crate) const fn public_key_bytes(suite: u8) -> usize {
    if suite == 1 { 32 } else { 1216 }
}

pub(crate) const fn encapsulated_key_bytes(suite: u8) -> usize {
    if suite == 1 { 32 } else { 1120 }
}

/// A client with its private keys.
pub(crate) struct Client {
    pub(crate) signing: SigningKey,
    /// By suite, from 1.
    pub(crate) kem_private_keys: Vec<[u8; 32]>,
    pub(crate) public: Public,
}

/// A client's public keys, as the directory has them.
#[derive(Clone)]
pub(crate) struct Public {
    pub(crate) id: String,
    pub(crate) record: Vec<u8>,
}

impl Client {
    pub(crate) fn new(id: &str, seed: &[u8; 32], best_suite: u8) -> Self {
        let signing = SigningKey::from_bytes(&hkdf(&[], seed, "identity ed25519"));
        let kem_private_keys: Vec<[u8; 32]> = ["identity x25519", "identity x-wing"]
            .into_iter()
            .take(usize::from(best_suite))
            .map(|purpose| hkdf(&[], seed, purpose))
            .collect();
        let mut record = vec![1, id.len() as u8];
        record.extend_from_slice(id.as_bytes());
        record.extend_from_slice(signing.verifying_key().as_bytes());
        record.push(best_suite);
        for (suite, private_key) in (1..).zip(&kem_private_keys) {
            let public_key = public_key(suite, private_key);
            record.push(suite);
            record.extend_from_slice(&(public_key.len() as u16).to_be_bytes());
            record.extend_from_slice(&public_key);
        }
        let signature = signing.sign(&[&label("directory key"), &record[..]].concat());
        record.extend_from_slice(&signature.to_bytes());
        Self { signing, kem_private_keys, public: Public { id: id.to_owned(), record } }
    }
}

impl Public {
    pub(crate) fn hash(&self) -> [u8; 32] {
        hash("record hash", &[&self.record])
    }

    fn party(&self) -> Vec<u8> {
        [&[self.id.len() as u8], self.id.as_bytes(), &self.hash()].concat()
    }

    pub(crate) fn identity(&self) -> VerifyingKey {
        let start = 2 + self.id.len();
        VerifyingKey::from_bytes(self.record[start..start + 32].try_into().unwrap()).unwrap()
    }

    pub(crate) fn kem_key(&self, suite: u8) -> &[u8] {
        let keys = 2 + self.id.len() + 32 + 1;
        let start = if suite == 1 { keys + 3 } else { keys + 3 + 32 + 3 };
        &self.record[start..start + public_key_bytes(suite)]
    }
}

fn kem(suite: u8) -> KemAlgorithm {
    if suite == 1 { KemAlgorithm::DhKem25519 } else { KemAlgorithm::XWingDraft06 }
}

fn hpke(suite: u8) -> Hpke<HpkeLibcrux> {
    Hpke::new(Mode::Base, kem(suite), KdfAlgorithm::HkdfSha256, AeadAlgorithm::Aes256Gcm)
}

pub(crate) fn public_key(suite: u8, private_key: &[u8; 32]) -> Vec<u8> {
    if suite == 1 {
        <HpkeLibcrux>::secret_to_public(kem(suite), private_key).unwrap()
    } else {
        <HpkeLibcrux>::kem_key_gen_derand(kem(suite), private_key).unwrap().0
    }
}

pub(crate) fn offer_context(suite: u8, caller: &Public, callee: &Public) -> Vec<u8> {
    [&label("offer"), &[1, OFFER, suite, CALLER][..], &caller.party(), &callee.party()].concat()
}

pub(crate) fn answer_context(
    suite: u8,
    caller: &Public,
    callee: &Public,
    call_id: &str,
    offer_hash: &[u8; 32],
) -> Vec<u8> {
    [
        &label("answer")[..],
        &[1, ANSWER, suite, CALLEE],
        &caller.party(),
        &callee.party(),
        &(call_id.len() as u16).to_be_bytes(),
        call_id.as_bytes(),
        offer_hash,
    ]
    .concat()
}

pub(crate) fn offer_front(suite: u8, caller: &Public, callee: &Public) -> Vec<u8> {
    [&[1, OFFER, suite, CALLER][..], &caller.hash(), &callee.hash()].concat()
}

pub(crate) fn answer_front(suite: u8, offer_hash: &[u8; 32]) -> Vec<u8> {
    [&[1, ANSWER, suite, CALLEE][..], offer_hash].concat()
}

/// An offer or answer, taken apart.
pub(crate) struct Envelope {
    pub(crate) encapsulated_key: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) fields: Vec<u8>,
    pub(crate) text: String,
    pub(crate) signature: [u8; 64],
    pub(crate) exported: Vec<u8>,
}

pub(crate) fn open(
    suite: u8,
    private_key: &[u8; 32],
    signer: &VerifyingKey,
    context: &[u8],
    front_bytes: usize,
    fields_bytes: usize,
    message: &[u8],
) -> Envelope {
    let (encapsulated_key, ciphertext) =
        message[front_bytes..].split_at(encapsulated_key_bytes(suite));
    let mut receiver = hpke(suite)
        .setup_receiver(
            encapsulated_key,
            &HpkePrivateKey::new(private_key.to_vec()),
            context,
            None,
            None,
            None,
        )
        .unwrap();
    let body = receiver.open(b"", ciphertext).unwrap();
    let exported = receiver.export(&label("export"), 32).unwrap();
    assert_eq!(body.len() % 256, 0);

    let length = body[fields_bytes..fields_bytes + 4].try_into().unwrap();
    let text_end = fields_bytes + 4 + u32::from_be_bytes(length) as usize;
    let signature: [u8; 64] = body[text_end..text_end + 64].try_into().unwrap();
    let signed = [&label("signature"), context, encapsulated_key, &body[..text_end]].concat();
    signer.verify_strict(&signed, &Signature::from_bytes(&signature)).unwrap();
    let text = String::from_utf8(body[fields_bytes + 4..text_end].to_vec()).unwrap();
    Envelope {
        encapsulated_key: encapsulated_key.to_vec(),
        fields: body[..fields_bytes].to_vec(),
        text,
        signature,
        exported,
        body,
    }
}

/// The parts of an envelope. The context that is signed can differ from the one of HPKE.
pub(crate) struct Making<'a> {
    pub(crate) suite: u8,
    pub(crate) to: &'a [u8],
    pub(crate) signer: &'a SigningKey,
    pub(crate) front: &'a [u8],
    pub(crate) hpke_context: &'a [u8],
    pub(crate) signed_context: &'a [u8],
    pub(crate) fields: &'a [u8],
    pub(crate) text: &'a [u8],
}

impl Making<'_> {
    /// The message and the exported secret.
    pub(crate) fn seal(&self) -> (Vec<u8>, Vec<u8>) {
        self.seal_padded(|body| body.resize(body.len().next_multiple_of(256), 0))
    }

    pub(crate) fn seal_padded(&self, pad: impl FnOnce(&mut Vec<u8>)) -> (Vec<u8>, Vec<u8>) {
        let (encapsulated_key, mut sender) = hpke(self.suite)
            .setup_sender(
                &HpkePublicKey::new(self.to.to_vec()),
                self.hpke_context,
                None,
                None,
                None,
            )
            .unwrap();
        let length = (self.text.len() as u32).to_be_bytes();
        let mut body = [self.fields, &length, self.text].concat();
        let signed = [&label("signature"), self.signed_context, &encapsulated_key, &body].concat();
        body.extend_from_slice(&self.signer.sign(&signed).to_bytes());
        pad(&mut body);
        let ciphertext = sender.seal(b"", &body).unwrap();
        let message = [self.front, &encapsulated_key, &ciphertext].concat();
        (message, sender.export(&label("export"), 32).unwrap())
    }
}

/// The keys of a call.
pub(crate) struct Schedule {
    pub(crate) transcript: [u8; 32],
    pub(crate) caller: Direction,
    pub(crate) callee: Direction,
    pub(crate) authentication_secret: [u8; 32],
}

/// The key of one direction.
pub(crate) struct Direction {
    pub(crate) key: [u8; 32],
    pub(crate) nonce: [u8; 12],
    transcript: [u8; 32],
}

impl Schedule {
    pub(crate) fn new(
        answer_context: &[u8],
        answer: &[u8],
        offer_secret: &[u8],
        answer_secret: &[u8],
    ) -> Self {
        let transcript = hash("transcript", &[answer_context, answer]);
        let secret = [offer_secret, answer_secret].concat();
        let direction = |key, nonce| Direction {
            key: hkdf(&transcript, &secret, key),
            nonce: hkdf(&transcript, &secret, nonce),
            transcript,
        };
        Self {
            transcript,
            caller: direction("caller key", "caller nonce"),
            callee: direction("callee key", "callee nonce"),
            authentication_secret: hkdf(&transcript, &secret, "short authentication secret"),
        }
    }

    pub(crate) fn digits(&self, opening: &[u8]) -> String {
        let bytes = hkdf(&self.authentication_secret, opening, "short authentication string");
        let digits = format!("{:07}", u64::from_be_bytes(bytes) % 10_000_000);
        format!("{} {}", &digits[..3], &digits[3..])
    }
}

impl Direction {
    fn nonce(&self, sequence: u64) -> [u8; 12] {
        let sequence = [&[0; 4][..], &sequence.to_be_bytes()].concat();
        std::array::from_fn(|index| self.nonce[index] ^ sequence[index])
    }

    fn aad(&self, header_and_sequence: &[u8]) -> Vec<u8> {
        [&label("message"), header_and_sequence, &self.transcript].concat()
    }

    pub(crate) fn seal(&self, header: [u8; 4], sequence: u64, body: &[u8]) -> Vec<u8> {
        let front = [&header[..], &sequence.to_be_bytes()].concat();
        let payload = Payload { msg: body, aad: &self.aad(&front) };
        let nonce = self.nonce(sequence).into();
        let ciphertext = Aes256Gcm::new(&self.key.into()).encrypt(&nonce, payload).unwrap();
        [front, ciphertext].concat()
    }

    pub(crate) fn open(&self, message: &[u8]) -> Vec<u8> {
        let (front, ciphertext) = message.split_at(12);
        let sequence = u64::from_be_bytes(front[4..].try_into().unwrap());
        let payload = Payload { msg: ciphertext, aad: &self.aad(front) };
        let nonce = self.nonce(sequence).into();
        Aes256Gcm::new(&self.key.into()).decrypt(&nonce, payload).unwrap()
    }
}

/// The body of a candidate or signal.
pub(crate) fn body(opening: &[u8], text: &str) -> Vec<u8> {
    let length = (text.len() as u32).to_be_bytes();
    let mut body = [opening, &length, text.as_bytes()].concat();
    body.resize(body.len().next_multiple_of(256), 0);
    body
}
