//! The recovery key out of 24 words, and the rate of rotations.

use std::time::Duration;

use bip0039::{English, Mnemonic};
use securecall_identity::{RecoveryKey, Rotations};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    fixtures::{entropy, public, recovery},
    raw::hex,
};

pub(super) fn file() -> Value {
    json!({ "recoveryKeys": recovery_keys(), "rotations": rotations() })
}

fn recovery_keys() -> Vec<Value> {
    (1..=3).map(recovery_key).collect()
}

fn recovery_key(number: u8) -> Value {
    let entropy = entropy(number);
    let words = Mnemonic::<English>::from_entropy(entropy).unwrap();
    let key = RecoveryKey::from_entropy(&Zeroizing::new(entropy));
    assert_eq!(*key.public_key().as_bytes(), public(&recovery(number)));
    json!({
        "name": format!("words {number}"),
        "words": words.phrase(),
        "entropy": hex(&entropy),
        "publicKey": hex(key.public_key().as_bytes()),
        "commitment": hex(key.commitment().as_bytes()),
    })
}

fn rotations() -> Vec<Value> {
    const NOW: u64 = 1_800_000_000;
    const HALF_DAY: u64 = 43_200;
    let full = NOW + 4 * HALF_DAY;
    vec![
        rotation("the first", 0, NOW, Ok(NOW + HALF_DAY)),
        rotation("the fourth at once", NOW + 3 * HALF_DAY, NOW, Ok(full)),
        rotation("the fifth at once", full, NOW, Err(HALF_DAY)),
        rotation("a second too soon", full, NOW + HALF_DAY - 1, Err(1)),
        rotation("half a day later", full, NOW + HALF_DAY, Ok(full + HALF_DAY)),
        rotation("a clock that was set back", u64::MAX, NOW, Err(HALF_DAY)),
        rotation("at the end of time", u64::MAX, u64::MAX, Ok(u64::MAX)),
    ]
}

/// The time is given in text, since it may have more digits than a double.
fn rotation(name: &str, paid_at: u64, now: u64, expected: Result<u64, u64>) -> Value {
    let found = Rotations::from_paid_at(paid_at).rotate(now);
    assert_eq!(found.map(Rotations::paid_at), expected.map_err(Duration::from_secs), "{name}");
    let (result, field, value) = match expected {
        Ok(paid_at) => ("accepted", "paidAtAfter", paid_at.to_string()),
        Err(seconds) => ("too_soon", "waitSeconds", seconds.to_string()),
    };
    json!({
        "name": name,
        "paidAt": paid_at.to_string(),
        "now": now.to_string(),
        "result": result,
        field: value,
    })
}
