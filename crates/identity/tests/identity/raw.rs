//! Links, bundles and proofs written from docs/identity.md, without the crate: also those that it
//! would never make.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer as _, SigningKey};
use sha2::{Digest as _, Sha256};

pub(crate) const INCEPTION: u8 = 1;
pub(crate) const ROTATE: u8 = 2;
pub(crate) const RECOVER: u8 = 3;
pub(crate) const TOMBSTONE: u8 = 4;
pub(crate) const RESET: u8 = 5;

pub(crate) fn label(purpose: &str) -> Vec<u8> {
    format!("securecall-identity/1 {purpose}:").into_bytes()
}

pub(crate) fn hash(purpose: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::digest([&label(purpose), bytes].concat()).into()
}

pub(crate) fn sign(key: &SigningKey, purpose: &str, bytes: &[u8]) -> [u8; 64] {
    key.sign(&[&label(purpose), bytes].concat()).to_bytes()
}

pub(crate) fn armor(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn unhex<const COUNT: usize>(digits: &str) -> [u8; COUNT] {
    let byte = |index| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).unwrap();
    std::array::from_fn(byte)
}

/// The fields of a link.
#[derive(Clone)]
pub(crate) struct RawLink {
    pub(crate) version: u8,
    pub(crate) algorithm: u8,
    pub(crate) kind: u8,
    pub(crate) id: Vec<u8>,
    pub(crate) epoch: u32,
    pub(crate) sequence: u8,
    pub(crate) time: u64,
    pub(crate) previous: [u8; 32],
    pub(crate) fields: Vec<[u8; 32]>,
}

impl RawLink {
    pub(crate) fn new(kind: u8, id: &str, epoch: u32, sequence: u8) -> Self {
        Self {
            version: 1,
            algorithm: 1,
            kind,
            id: id.into(),
            epoch,
            sequence,
            time: 1_800_000_000 + u64::from(sequence),
            previous: [0; 32],
            fields: Vec::new(),
        }
    }

    pub(crate) fn unsigned(&self) -> Vec<u8> {
        let length = u8::try_from(self.id.len()).unwrap();
        let mut bytes = vec![self.version, self.algorithm, self.kind, length];
        bytes.extend(&self.id);
        bytes.extend(self.epoch.to_be_bytes());
        bytes.push(self.sequence);
        bytes.extend(self.time.to_be_bytes());
        bytes.extend(self.previous);
        bytes.extend(self.fields.as_flattened());
        bytes
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        hash("link hash", &self.unsigned())
    }

    pub(crate) fn signed(&self, signers: &[&SigningKey]) -> Vec<u8> {
        let mut bytes = self.unsigned();
        for signer in signers {
            bytes.extend(sign(signer, "link", &self.unsigned()));
        }
        bytes
    }
}

/// The fields of a bundle.
#[derive(Clone)]
pub(crate) struct RawBundle {
    pub(crate) version: u8,
    pub(crate) algorithm: u8,
    pub(crate) id: String,
    pub(crate) number: u32,
    pub(crate) head_hash: [u8; 32],
    pub(crate) kem_keys: Vec<(u8, Vec<u8>)>,
    pub(crate) extensions: Vec<(u8, Vec<u8>)>,
}

impl RawBundle {
    pub(crate) fn unsigned(&self) -> Vec<u8> {
        let mut bytes = vec![self.version, self.algorithm, u8::try_from(self.id.len()).unwrap()];
        bytes.extend(self.id.as_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.head_hash);
        for entries in [&self.kem_keys, &self.extensions] {
            bytes.push(u8::try_from(entries.len()).unwrap());
            for (number, entry) in entries {
                bytes.push(*number);
                bytes.extend(u16::try_from(entry.len()).unwrap().to_be_bytes());
                bytes.extend(entry);
            }
        }
        bytes
    }

    pub(crate) fn signed(&self, signer: &SigningKey) -> Vec<u8> {
        let unsigned = self.unsigned();
        let signature = sign(signer, "bundle", &unsigned);
        [unsigned, signature.to_vec()].concat()
    }
}

/// The fields of a transcript.
#[derive(Clone)]
pub(crate) struct RawDemand {
    pub(crate) label: &'static str,
    pub(crate) origin: String,
    pub(crate) id: String,
    pub(crate) epoch: u32,
    pub(crate) sequence: u8,
    pub(crate) head_hash: [u8; 32],
    pub(crate) nonce: [u8; 32],
}

impl RawDemand {
    pub(crate) fn transcript(&self, client_nonce: &[u8; 32]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for text in [&self.origin, &self.id] {
            bytes.push(u8::try_from(text.len()).unwrap());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(self.epoch.to_be_bytes());
        bytes.push(self.sequence);
        bytes.extend(self.head_hash);
        bytes.extend(self.nonce);
        bytes.extend(client_nonce);
        bytes
    }

    pub(crate) fn proof(&self, signer: &SigningKey, client_nonce: &[u8; 32]) -> Vec<u8> {
        let signature = sign(signer, self.label, &self.transcript(client_nonce));
        [client_nonce.as_slice(), &signature].concat()
    }
}
