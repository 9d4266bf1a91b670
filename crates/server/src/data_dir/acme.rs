//! What is kept of ACME: the account with the authority, and the last certificate with its key.

use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::{put_in_place, unfinished, write_new};

const ACCOUNT: &str = "account.json";
/// In one file, so that a certificate never lies beside the key of another.
const CERTIFICATE: &str = "certificate.pem";

/// The part of the data folder that belongs to ACME, for the owner alone to read.
#[derive(Debug)]
pub(crate) struct AcmeFolder(PathBuf);

impl AcmeFolder {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// The account as it was saved. None: there is none yet.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn account(&self) -> io::Result<Option<String>> {
        match fs::read_to_string(self.0.join(ACCOUNT)) {
            Ok(account) => Ok(Some(account)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps the account.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn save_account(&self, account: &str) -> io::Result<()> {
        save(&self.0.join(ACCOUNT), account)
    }

    /// Forgets the account, which the authority does not know.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(crate) fn forget_account(&self) -> io::Result<()> {
        fs::remove_file(self.0.join(ACCOUNT))
    }

    /// Where the certificate is, if there is one, with its key.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join(CERTIFICATE)
    }

    /// Keeps a certificate with its key.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn save_certificate(&self, chain_and_key: &str) -> io::Result<()> {
        save(&self.certificate(), chain_and_key)
    }
}

fn save(path: &Path, content: &str) -> io::Result<()> {
    let unfinished = unfinished(path);
    write_new(&unfinished, content.as_bytes())?;
    put_in_place(&unfinished, path)
}
