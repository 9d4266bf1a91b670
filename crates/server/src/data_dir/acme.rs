//! Storage of ACME: the account with the authority, and the last certificate with its key.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{put_in_place, unfinished, write_new};

const ACCOUNT: &str = "account.json";
/// The bound of an account, which has some 600 bytes.
const ACCOUNT_BYTES_MAX: usize = 64 * 1024;
/// The file of the certificate and its key: one file, so that they always belong together.
const CERTIFICATE: &str = "certificate.pem";

/// The ACME part of the data folder, readable only by the owner.
#[derive(Debug)]
pub(crate) struct AcmeFolder(PathBuf);

impl AcmeFolder {
    pub(super) fn open(path: PathBuf) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Reads the stored account with its private key, or `None` if there is none yet.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn account(&self) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut file = match File::open(self.0.join(ACCOUNT)) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // Reserved in advance, because growing would leave copies of the key in freed memory.
        let bytes = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
        let bytes = bytes.min(ACCOUNT_BYTES_MAX);
        let mut account = Zeroizing::new(Vec::with_capacity(bytes + 1));
        file.by_ref().take(bytes as u64).read_to_end(&mut account)?;
        Ok(Some(account))
    }

    /// Stores the account.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn save_account(&self, account: &[u8]) -> io::Result<()> {
        save(&self.0.join(ACCOUNT), account)
    }

    /// Removes the account, because the authority does not know it.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn forget_account(&self) -> io::Result<()> {
        fs::remove_file(self.0.join(ACCOUNT))
    }

    /// Returns the path of the certificate with its key, whether or not it exists.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.0.join(CERTIFICATE)
    }

    /// Stores a certificate with its key.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn save_certificate(&self, chain_and_key: &str) -> io::Result<()> {
        save(&self.certificate(), chain_and_key.as_bytes())
    }
}

fn save(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = unfinished(path);
    write_new(&unfinished, content)?;
    put_in_place(&unfinished, path)
}
