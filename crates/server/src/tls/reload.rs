//! Certificate files are read again when they change, and on SIGHUP. Connections stay.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::Signal;
use tokio::time::{MissedTickBehavior, interval};

use super::{Certificate, CertificateError, Certificates};

/// Certificates are renewed weeks before they expire: half a minute is soon enough, and a look
/// costs microseconds.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// When an operator should hear of a certificate that nobody renews…
const EXPIRES_SOON: Duration = Duration::from_secs(7 * 24 * 3600);
/// …and how often.
const REMIND_EVERY: Duration = Duration::from_secs(24 * 3600);

/// A certificate in files, and what was last seen of them.
#[derive(Debug)]
pub(crate) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Option<Stamp>; 2],
}

/// What changes when a file is written or replaced.
type Stamp = (u64, i64, i64, u64);

impl CertificateFiles {
    pub(crate) fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key, seen: [None; 2] }
    }

    /// Reads them.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub(crate) fn read(&mut self) -> Result<Certificate, CertificateError> {
        // Before they are read: a change in between is seen at the next look.
        self.seen = self.stamps();
        Certificate::read(&self.certificate, &self.key, SystemTime::now())
    }

    /// Whether they are others than those that were read, whether that went well or not.
    pub(crate) fn have_changed(&self) -> bool {
        self.seen != self.stamps()
    }

    fn stamps(&self) -> [Option<Stamp>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let file = fs::metadata(path).ok()?;
            Some((file.ino(), file.mtime(), file.mtime_nsec(), file.size()))
        })
    }
}

/// Follows the files for ever.
pub(crate) async fn follow(
    mut files: CertificateFiles,
    certificates: Arc<Certificates>,
    mut hangup: Signal,
) {
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reminded = None;
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            _ = looks.tick() => false,
        };
        if asked || files.have_changed() {
            exchange(&mut files, &certificates);
        }
        remind(&certificates, &mut reminded);
    }
}

/// Shows the new certificate from now on, if it is one.
fn exchange(files: &mut CertificateFiles, certificates: &Certificates) {
    match files.read() {
        Ok(certificate) => {
            let until = humantime::format_rfc3339_seconds(certificate.validity.not_after);
            tracing::info!("the certificate was read again; it is valid until {until}");
            certificates.replace(certificate);
        }
        Err(error) => tracing::error!("the certificate stays as it was: {error}"),
    }
}

/// Says once a day that the certificate expires.
fn remind(certificates: &Certificates, reminded: &mut Option<SystemTime>) {
    let now = SystemTime::now();
    let recently = reminded.is_some_and(|then| now < then + REMIND_EVERY);
    let Some(certificate) = certificates.current() else { return };
    let not_after = certificate.validity.not_after;
    if !recently && now + EXPIRES_SOON > not_after {
        let until = humantime::format_rfc3339_seconds(not_after);
        tracing::warn!("the certificate expires on {until}: renew its files");
        *reminded = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_have_changed_when_they_were_written_replaced_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (certificate, key) = (path("chain.pem"), path("key.pem"));
        fs::write(&certificate, "one").unwrap();
        fs::write(&key, "one").unwrap();
        let mut files = CertificateFiles::new(certificate.clone(), key.clone());
        let mut look = || {
            let changed = files.have_changed();
            // Of no use, but seen.
            files.read().unwrap_err();
            assert!(!files.have_changed());
            changed
        };
        assert!(look());
        fs::write(&certificate, "three").unwrap();
        assert!(look());
        fs::write(path("new"), "one").unwrap();
        fs::rename(path("new"), &key).unwrap();
        assert!(look());
        fs::remove_file(&key).unwrap();
        assert!(look());
        assert!(!look());
    }
}
