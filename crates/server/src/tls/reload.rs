//! Certificate files are read again when they change, on SIGHUP, and periodically while they are
//! unusable. Connections stay open.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::Signal;
use tokio::time::sleep;

use super::{Certificate, CertificateError, Certificates};

/// The interval of checks. Certificates are renewed weeks before they expire, so half a minute is
/// soon enough, and a check costs microseconds.
const CHECK_INTERVAL: Duration = Duration::from_secs(30);
/// The interval at which unusable files are read again. Many problems disappear without a change of
/// the files: a mount that comes late, a certificate that becomes valid in the next minute. It
/// costs reading two small files.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);
/// The time before the expiry of a certificate at which the operator is warned…
const EXPIRES_SOON: Duration = Duration::from_secs(7 * 24 * 3600);
/// …and the interval of this warning, and of the one about unusable files.
const REMINDER_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// A certificate in files, and their state when they were last read.
#[derive(Debug)]
pub(crate) struct CertificateFiles {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Option<Stamp>; 2],
}

/// The metadata that changes when a file is written, replaced, or made readable: inode, size, and
/// the times of the last change of its content and of its inode.
#[derive(Debug, PartialEq, Eq)]
struct Stamp([i64; 6]);

impl CertificateFiles {
    pub(crate) fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key, seen: [None, None] }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// As [`Certificate::read`].
    pub(crate) fn read(&mut self, now: SystemTime) -> Result<Certificate, CertificateError> {
        // Taken before reading, so that a change in between is detected next time.
        self.seen = self.stamps();
        Certificate::read(&self.certificate, &self.key, now)
    }

    /// Returns true if the files have changed since they were last read, successfully or not.
    fn have_changed(&self) -> bool {
        self.seen != self.stamps()
    }

    fn stamps(&self) -> [Option<Stamp>; 2] {
        [&self.certificate, &self.key].map(|path| {
            let file = fs::metadata(path).ok()?;
            let (inode, size) = (file.ino().cast_signed(), file.size().cast_signed());
            let [changed, changed_nsec] = [file.ctime(), file.ctime_nsec()];
            Some(Stamp([inode, size, file.mtime(), file.mtime_nsec(), changed, changed_nsec]))
        })
    }
}

/// Follows the files forever.
pub(crate) async fn follow(
    files: CertificateFiles,
    certificates: Arc<Certificates>,
    mut hangup: Signal,
) {
    let mut follower = Follower { files, certificates, refusal: None, reminded: None };
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            () = sleep(follower.next_check()) => false,
        };
        follower.check(asked, SystemTime::now());
    }
}

struct Follower {
    files: CertificateFiles,
    certificates: Arc<Certificates>,
    /// The error of the files at the last check, and the time when it was last logged.
    refusal: Option<(String, SystemTime)>,
    reminded: Option<SystemTime>,
}

impl Follower {
    /// Returns the time until the next check.
    fn next_check(&self) -> Duration {
        if self.refusal.is_some() { RETRY_INTERVAL } else { CHECK_INTERVAL }
    }

    /// Checks the files, and uses the certificate if it is valid.
    fn check(&mut self, asked: bool, now: SystemTime) {
        if asked || self.refusal.is_some() || self.files.have_changed() {
            match self.files.read(now) {
                Ok(certificate) => self.take(certificate),
                Err(error) => self.refuse(error.to_string(), asked, now),
            }
        }
        self.remind(now);
    }

    fn take(&mut self, certificate: Certificate) {
        self.refusal = None;
        let until = humantime::format_rfc3339_seconds(certificate.validity.not_after);
        tracing::info!("the certificate was read again; it is valid until {until}");
        self.certificates.replace(certificate);
    }

    /// Logs the error if it is new, if SIGHUP asked for the check, and once a day.
    fn refuse(&mut self, error: String, asked: bool, now: SystemTime) {
        let is_old =
            |(said, at): &(String, SystemTime)| *said == error && now < *at + REMINDER_INTERVAL;
        if asked || !self.refusal.as_ref().is_some_and(is_old) {
            let present = self.certificates.current().map(|present| present.validity.not_after);
            let until = present.map(humantime::format_rfc3339_seconds);
            let until = until.map(|until| format!(", valid until {until}")).unwrap_or_default();
            let every = RETRY_INTERVAL.as_secs();
            tracing::error!(
                "the certificate was not changed{until}: {error}. Retrying every {every} s"
            );
            self.refusal = Some((error, now));
        }
    }

    /// Warns once a day that the certificate expires.
    fn remind(&mut self, now: SystemTime) {
        let recently = self.reminded.is_some_and(|then| now < then + REMINDER_INTERVAL);
        let Some(certificate) = self.certificates.current() else { return };
        let not_after = certificate.validity.not_after;
        if !recently && now + EXPIRES_SOON > not_after {
            let until = humantime::format_rfc3339_seconds(not_after);
            let expires = if now > not_after { "expired" } else { "expires" };
            tracing::warn!("the certificate {expires} on {until}: renew its files");
            self.reminded = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use rcgen::{CertificateParams, KeyPair};
    use tempfile::TempDir;
    use time::OffsetDateTime;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// A certificate and its key, in files of that folder with that name.
    struct Written {
        certificate: PathBuf,
        key: PathBuf,
        der: Vec<u8>,
    }

    fn write(folder: &Path, name: &str, valid: [SystemTime; 2]) -> Written {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        [params.not_before, params.not_after] = valid.map(OffsetDateTime::from);
        let key_pair = KeyPair::generate().unwrap();
        let signed = params.self_signed(&key_pair).unwrap();
        let path = |end: &str| folder.join(format!("{name}.{end}"));
        let (certificate, key) = (path("pem"), path("key"));
        fs::write(&certificate, signed.pem()).unwrap();
        fs::write(&key, key_pair.serialize_pem()).unwrap();
        Written { certificate, key, der: signed.der().to_vec() }
    }

    /// Returns a follower of the files `own`, which are valid for a day, and a place for other
    /// files.
    fn follower(now: SystemTime) -> (Follower, Written, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let own = write(folder.path(), "own", [now - HOUR, now + 24 * HOUR]);
        let mut files = CertificateFiles::new(own.certificate.clone(), own.key.clone());
        let certificates = Arc::new(Certificates::default());
        certificates.replace(files.read(now).unwrap());
        (Follower { files, certificates, refusal: None, reminded: None }, own, folder)
    }

    fn shown(follower: &Follower) -> Vec<u8> {
        follower.certificates.current().unwrap().key.cert[0].to_vec()
    }

    #[test]
    fn one_that_is_not_valid_yet_is_taken_when_it_is_without_another_change() {
        let now = SystemTime::now();
        let (mut follower, own, folder) = follower(now);
        let renewed = write(folder.path(), "renewed", [now + HOUR, now + 48 * HOUR]);
        fs::rename(&renewed.certificate, &own.certificate).unwrap();
        fs::rename(&renewed.key, &own.key).unwrap();
        follower.check(false, now);
        assert_eq!(shown(&follower), own.der);
        assert_eq!(follower.next_check(), RETRY_INTERVAL);
        follower.check(false, now + HOUR);
        assert_eq!(shown(&follower), renewed.der);
        assert_eq!(follower.next_check(), CHECK_INTERVAL);
    }

    #[test]
    fn one_that_comes_before_its_key_is_taken_with_it() {
        let now = SystemTime::now();
        let (mut follower, own, folder) = follower(now);
        let renewed = write(folder.path(), "renewed", [now - HOUR, now + 48 * HOUR]);
        fs::rename(&renewed.certificate, &own.certificate).unwrap();
        follower.check(false, now);
        assert_eq!(shown(&follower), own.der);
        fs::rename(&renewed.key, &own.key).unwrap();
        follower.check(false, now);
        assert_eq!(shown(&follower), renewed.der);
    }

    #[test]
    fn the_same_error_is_logged_once_a_day_and_another_at_once() {
        let now = SystemTime::now();
        let (mut follower, own, _folder) = follower(now);
        let said = |follower: &Follower| follower.refusal.clone().unwrap();
        fs::write(&own.key, "no key").unwrap();
        follower.check(false, now);
        let first = said(&follower);
        follower.check(false, now + HOUR);
        assert_eq!(said(&follower), first);
        follower.check(false, now + REMINDER_INTERVAL);
        assert_eq!(said(&follower), (first.0.clone(), now + REMINDER_INTERVAL));
        fs::remove_file(&own.key).unwrap();
        follower.check(false, now + REMINDER_INTERVAL + HOUR);
        assert_ne!(said(&follower).0, first.0);
    }

    #[test]
    fn files_have_changed_when_they_were_written_replaced_removed_or_made_readable() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let (certificate, key) = (path("chain.pem"), path("key.pem"));
        fs::write(&certificate, "one").unwrap();
        fs::write(&key, "one").unwrap();
        let mut files = CertificateFiles::new(certificate.clone(), key.clone());
        let mut check = || {
            let changed = files.have_changed();
            // Unusable, but recorded as read.
            files.read(SystemTime::now()).unwrap_err();
            assert!(!files.have_changed());
            changed
        };
        assert!(check());
        fs::write(&certificate, "three").unwrap();
        assert!(check());
        fs::write(path("new"), "one").unwrap();
        fs::rename(path("new"), &key).unwrap();
        assert!(check());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(check());
        fs::remove_file(&key).unwrap();
        assert!(check());
        assert!(!check());
    }
}
