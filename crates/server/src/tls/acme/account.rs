//! The account with the authority: created once, then stored.

use instant_acme::{Account, AccountBuilder, AccountCredentials, NewAccount};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::AcmeError;
use super::http::Http;
use crate::data_dir::AcmeFolder;
use crate::settings;

/// The reserved size of an account as text: a key of 140 bytes in base64, and a few URLs.
const ACCOUNT_BYTES: usize = 8 * 1024;

/// A stored account. It belongs to one authority.
#[derive(Deserialize, Serialize)]
struct StoredAccount {
    directory: String,
    credentials: AccountCredentials,
}

/// Returns the stored account, or a new one.
///
/// # Errors
/// The authority refuses it or cannot be reached, or it cannot be stored.
pub(super) async fn open(
    settings: &settings::Acme,
    folder: &AcmeFolder,
) -> Result<Account, AcmeError> {
    let directory = settings.directory.as_str();
    if let Some(kept) = folder.account()? {
        let kept: StoredAccount = serde_json::from_slice(&kept)?;
        if kept.directory == directory {
            return Ok(builder(settings)?.from_credentials(kept.credentials).await?);
        }
    }
    let contact = settings.contact.as_ref().map(settings::AcmeContact::to_uri);
    let contact = contact.as_deref();
    let new = NewAccount {
        contact: contact.as_slice(),
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let created = builder(settings)?.create(&new, directory.to_owned(), None).await;
    let (account, credentials) = created?;
    let kept = StoredAccount { directory: directory.to_owned(), credentials };
    // Reserved in advance, because growing would leave copies of the private key in freed memory.
    let mut text = Zeroizing::new(Vec::with_capacity(ACCOUNT_BYTES));
    serde_json::to_writer(&mut *text, &kept)?;
    folder.save_account(&text)?;
    Ok(account)
}

/// Returns true if the authority does not know the account, as after a reset of a test authority.
pub(super) fn is_unknown(error: &AcmeError) -> bool {
    let AcmeError::Authority(instant_acme::Error::Api(problem)) = error else { return false };
    problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:accountDoesNotExist")
}

fn builder(settings: &settings::Acme) -> Result<AccountBuilder, AcmeError> {
    Ok(Account::builder_with_http(Box::new(Http::new(settings.ca.as_deref())?)))
}
