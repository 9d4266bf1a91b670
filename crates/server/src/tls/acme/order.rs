//! An order, from the domains to the certificate.

use std::time::Duration;

use instant_acme::{
    Account, AuthorizationStatus, ChallengeType, Identifier, NewOrder, Order, OrderStatus,
    RetryPolicy,
};

use zeroize::Zeroizing;

use super::{AcmeError, challenge};
use crate::settings::DomainName;
use crate::tls::Certificates;

/// The polling of an order: authorities take seconds.
const RETRIES: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(120));

/// Orders a certificate for the domains. Returns its chain and its new key, as PEM.
///
/// # Errors
/// The authority refuses it, or cannot verify the domains.
pub(super) async fn order(
    account: &Account,
    domains: &[DomainName],
    certificates: &Certificates,
) -> Result<Zeroizing<String>, AcmeError> {
    let names: Vec<_> =
        domains.iter().map(|domain| Identifier::Dns(domain.as_str().to_owned())).collect();
    let mut order = account.new_order(&NewOrder::new(&names)).await?;
    take_challenges(&mut order, certificates).await?;
    match order.poll_ready(&RETRIES).await? {
        OrderStatus::Ready => {}
        OrderStatus::Invalid => return Err(not_proved(&mut order).await),
        _ => return Err(AcmeError::OrderRefused),
    }
    let key = Zeroizing::new(order.finalize().await?);
    let chain = order.poll_certificate(&RETRIES).await?;
    let mut chain_and_key = Zeroizing::new(String::with_capacity(chain.len() + 1 + key.len()));
    for part in [&chain, "\n", &**key] {
        chain_and_key.push_str(part);
    }
    Ok(chain_and_key)
}

/// Prepares the proof for each domain, and then lets the authority verify it.
async fn take_challenges(order: &mut Order, certificates: &Certificates) -> Result<(), AcmeError> {
    let mut authorizations = order.authorizations();
    while let Some(authorization) = authorizations.next().await {
        let mut authorization = authorization?;
        // Proved for an earlier order.
        if authorization.status == AuthorizationStatus::Valid {
            continue;
        }
        let domain = authorization.identifier().to_string();
        let Some(mut challenge) = authorization.challenge(ChallengeType::TlsAlpn01) else {
            return Err(AcmeError::NoChallenge(domain));
        };
        certificates.answer_challenge(&domain, challenge::answer(&domain, &challenge)?);
        challenge.set_ready().await?;
    }
    Ok(())
}

/// Returns the error with the domain that was not proved.
async fn not_proved(order: &mut Order) -> AcmeError {
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let proved = authorization.refresh().await.map(|state| state.status);
        if matches!(proved, Ok(AuthorizationStatus::Invalid)) {
            return AcmeError::NotProved(authorization.identifier().to_string());
        }
    }
    AcmeError::OrderRefused
}
