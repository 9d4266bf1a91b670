//! The check of the callee's key before a call: by the directory, the known keys, and the flags.

use securecall_client::{Client, ClientId, DirectoryKey, LookedUp};

use super::fingerprint::ExpectedKeys;
use super::screen::Screen;
use crate::failure::Failure;

/// The key of a callee that may be called.
pub(crate) struct CheckedKey {
    /// The key that the call is encrypted to.
    pub(crate) key: DirectoryKey,
    /// True if no key of this client was known before.
    pub(crate) is_new: bool,
}

/// Looks up the key of a client. Fails if it is not the known or the given one.
pub(crate) async fn look_up(
    client: &Client,
    who: &ClientId,
    expected: &ExpectedKeys,
    screen: &Screen,
) -> Result<CheckedKey, Failure> {
    let failed = |error: securecall_client::Error| Failure::Conversation(error.to_string());
    let (key, remembered) = match client.lookup(who).await.map_err(failed)? {
        LookedUp::Nothing => return Err(Failure::NoKey(who.as_str().to_owned())),
        LookedUp::New(key) => (key, None),
        LookedUp::Known(key) => {
            let fingerprint = key.fingerprint().to_string();
            (key, Some(fingerprint))
        }
        LookedUp::Changed { remembered, present } => (present, Some(remembered)),
    };
    let present = key.fingerprint().to_string();
    let changed = remembered.as_ref().is_some_and(|remembered| *remembered != present);
    match expected.of(who) {
        Some(given) if given == present => {
            if let Some(remembered) = remembered.as_ref().filter(|_| changed) {
                warn_of_replacement(screen, who, remembered, &present);
            }
            client.trust(&key).await.map_err(failed)?;
        }
        Some(given) => return Err(refuse(screen, who, "you gave", given, &present)),
        None if changed => {
            let remembered = remembered.unwrap_or_default();
            return Err(refuse(screen, who, "remembered", &remembered, &present));
        }
        None => {}
    }
    let is_new = remembered.is_none() && expected.of(who).is_none();
    Ok(CheckedKey { key, is_new })
}

/// Warns that a known key is replaced, because the user gave the fingerprint of the new one.
pub(crate) fn warn_of_replacement(
    screen: &Screen,
    who: &ClientId,
    remembered: &str,
    present: &str,
) {
    let who = who.as_str();
    screen.warn(&[
        &format!("The key of {who} HAS CHANGED: it is not the known one."),
        "You gave the fingerprint of the new one, so it is the known one from now on.",
        &format!("until now  {remembered}"),
        &format!("from now   {present}"),
        "If you have not compared it with them over a trusted channel, do that before",
        "you send anything. To return to the earlier one, use",
        &format!("  --fingerprint \"{who}={remembered}\""),
    ]);
}

/// Warns that a key is not the expected one, and returns the failure.
pub(crate) fn refuse(
    screen: &Screen,
    who: &ClientId,
    what: &str,
    expected: &str,
    present: &str,
) -> Failure {
    screen.warn(&[
        &format!("The key of {} is NOT THE ONE {what}.", who.as_str()),
        "Either they have a new device, or somebody intercepts the call.",
        &format!("{what:<10} {expected}"),
        &format!("present    {present}"),
        "Ask them over a trusted channel. Only if the present one is theirs, add",
        &format!("  --fingerprint \"{}={present}\"", who.as_str()),
    ]);
    Failure::OtherKey(who.as_str().to_owned())
}
