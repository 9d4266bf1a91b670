//! Automatic certificates: ACME (RFC 8555), proved by TLS-ALPN-01 (RFC 8737).
//!
//! 1. The stored certificate is used if it is valid for these domains. If it is not, it may become
//!    so, and is checked again before each order: the clock may be wrong at the start.
//! 2. When two thirds of its lifetime are over, or there is none: account, order, and a challenge
//!    for each domain. The authority connects to port 443 of the domain, which leads to our
//!    listener, and gets a certificate with the proof.
//! 3. The new certificate is stored in the data folder and used. Then 2 again.
//!
//! Failures never end the server. They are logged and retried with growing pauses, because
//! authorities limit failures (Let's Encrypt: 5 an hour).

mod account;
mod challenge;
mod http;
mod order;

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rand::RngExt as _;
use tokio::time::{sleep, timeout};

use super::{Certificate, CertificateError, Certificates};
use crate::data_dir::AcmeFolder;
use crate::settings;

/// The protocol that an authority requests (RFC 8737 section 6.2).
pub(super) const CHALLENGE_PROTOCOL: &[u8] = b"acme-tls/1";

/// The time limit of an order, which normally takes seconds.
const ORDER_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// The pause after a failure: the first, and the longest after doubling.
const RETRY_FIRST: Duration = Duration::from_secs(2 * 60);
const RETRY_MAX: Duration = Duration::from_secs(4 * 3600);
/// The longest single sleep: a machine's clock may be set, or stopped.
const SLEEP_MAX: Duration = Duration::from_secs(3600);

/// The state needed to always have a certificate.
pub(crate) struct Acme {
    pub(super) settings: settings::Acme,
    pub(super) folder: AcmeFolder,
    pub(super) certificates: Arc<Certificates>,
}

/// The reason why there is no new certificate. All but one may be temporary.
#[derive(Debug, thiserror::Error)]
pub(super) enum AcmeError {
    #[error("{0}")]
    Authority(#[from] instant_acme::Error),
    #[error("the authority does not offer TLS-ALPN-01 for {0}")]
    NoChallenge(String),
    #[error("the authority could not verify {0}: does its port 443 lead to this server?")]
    NotProved(String),
    #[error("the authority refused the order")]
    OrderRefused,
    #[error("the authority did not answer in time")]
    Slow,
    #[error("the data folder cannot store it: {0}")]
    NotKept(#[from] io::Error),
    #[error("acme/account.json in the data folder is damaged ({0}): remove it to create a new one")]
    Damaged(#[from] serde_json::Error),
    #[error("no key could be generated: {0}")]
    Key(#[from] rcgen::Error),
    #[error(transparent)]
    Unusable(#[from] CertificateError),
    #[error("the challenge certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl Acme {
    /// Uses the stored certificate. Without one, handshakes fail until the first order is complete.
    pub(super) fn start(&self) {
        if !self.folder.certificate().exists() {
            return;
        }
        match self.use_stored(SystemTime::now()) {
            Ok(()) if self.certificates.current().is_some() => {}
            Ok(()) => tracing::info!("the stored certificate is for other domains"),
            Err(error) => tracing::warn!("the stored certificate cannot be used: {error}"),
        }
    }

    /// Uses the stored certificate, if it is for these domains and lasts longer than the current
    /// one.
    ///
    /// # Errors
    /// It cannot be read, or is not valid now.
    fn use_stored(&self, now: SystemTime) -> Result<(), CertificateError> {
        let path = self.folder.certificate();
        let kept = Certificate::read(&path, &path, now)?;
        let lasts_longer = |shown: Certificate| shown.not_after() < kept.not_after();
        if kept.covers(&self.settings.domains)
            && self.certificates.current().is_none_or(lasts_longer)
        {
            self.certificates.replace(kept);
        }
        Ok(())
    }

    /// Renews the certificate, forever.
    pub(super) async fn run(self) {
        let mut retry = RETRY_FIRST;
        loop {
            // The reason was logged at the start, or when the certificate came.
            let _ = self.use_stored(SystemTime::now());
            self.wait_until_due().await;
            match timeout(ORDER_TIMEOUT, self.renew()).await.unwrap_or(Err(AcmeError::Slow)) {
                Ok(until) => {
                    retry = RETRY_FIRST;
                    tracing::info!("a new certificate was issued; it is valid until {until}");
                }
                Err(error) => {
                    let pause = with_jitter(retry);
                    let (authority, seconds) = (&self.settings.directory, pause.as_secs());
                    let error = with_causes(&error);
                    let until = self.shown_until();
                    tracing::error!(
                        "no certificate from {authority}: {error}. Retrying in {seconds} s; {until}"
                    );
                    sleep(pause).await;
                    retry = (retry * 2).min(RETRY_MAX);
                }
            }
        }
    }

    async fn wait_until_due(&self) {
        while let Some(certificate) = self.certificates.current() {
            let due = certificate.validity.renewal_is_due();
            let Ok(wait) = due.duration_since(SystemTime::now()) else { return };
            sleep(wait.min(SLEEP_MAX)).await;
        }
    }

    fn shown_until(&self) -> String {
        match self.certificates.current() {
            None => "until then handshakes fail".to_owned(),
            Some(shown) => {
                let until = humantime::format_rfc3339_seconds(shown.validity.not_after);
                format!("the current one is valid until {until}")
            }
        }
    }

    /// Orders a certificate, stores it and uses it. Returns the end of its validity.
    async fn renew(&self) -> Result<humantime::Rfc3339Timestamp, AcmeError> {
        let account = account::open(&self.settings, &self.folder).await?;
        let ordered = order::order(&account, &self.settings.domains, &self.certificates).await;
        self.certificates.forget_challenges();
        if matches!(&ordered, Err(error) if account::is_unknown(error)) {
            self.folder.forget_account()?;
        }
        self.folder.save_certificate(&ordered?)?;
        let path = self.folder.certificate();
        let certificate = Certificate::read(&path, &path, SystemTime::now())?;
        let until = humantime::format_rfc3339_seconds(certificate.validity.not_after);
        self.certificates.replace(certificate);
        Ok(until)
    }
}

/// Formats an error with its causes in one line: the HTTP client's own error says only that the
/// connection failed.
fn with_causes(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line += ": ";
            line += &text;
        }
        cause = error.source();
    }
    line
}

/// Adds up to a quarter, so that servers that failed together do not retry together.
fn with_jitter(pause: Duration) -> Duration {
    pause.mul_f64(1.0 + rand::rng().random::<f64>() / 4.0)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use time::OffsetDateTime;

    use super::*;
    use crate::data_dir::DataDir;
    use crate::settings::Settings;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Stores a certificate for that domain. Returns it as DER.
    fn keep(acme: &Acme, domain: &str, not_before: SystemTime) -> Vec<u8> {
        let mut params = CertificateParams::new([domain.to_owned()]).unwrap();
        params.not_before = not_before.into();
        params.not_after = OffsetDateTime::from(not_before + 24 * HOUR);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        acme.folder.save_certificate(&(certificate.pem() + &key.serialize_pem())).unwrap();
        certificate.der().to_vec()
    }

    #[test]
    fn a_stored_certificate_is_used_as_soon_as_it_is_valid() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(&folder.path().join("data")).unwrap();
        let settings = Settings::from_flags(["--acme-domains=a.example"]).unwrap().acme;
        let certificates = Arc::new(Certificates::default());
        let acme = Acme { settings, folder: data_dir.acme().unwrap(), certificates };
        let shown = || acme.certificates.current().map(|shown| shown.key.cert[0].to_vec());
        let now = SystemTime::now();

        assert!(acme.use_stored(now).is_err(), "there is none");
        let kept = keep(&acme, "a.example", now + HOUR);
        assert!(acme.use_stored(now).is_err(), "it is not valid yet");
        assert_eq!(shown(), None);
        acme.use_stored(now + HOUR).unwrap();
        assert_eq!(shown(), Some(kept.clone()));

        let renewed = keep(&acme, "a.example", now + 2 * HOUR);
        acme.use_stored(now + HOUR).unwrap_err();
        assert_eq!(shown(), Some(kept));
        acme.use_stored(now + 2 * HOUR).unwrap();
        assert_eq!(shown(), Some(renewed.clone()));

        keep(&acme, "b.example", now + 3 * HOUR);
        acme.use_stored(now + 3 * HOUR).unwrap();
        assert_eq!(shown(), Some(renewed), "that one is for another name");
    }
}
