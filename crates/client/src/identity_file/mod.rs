//! The file with a client's id and seed. Whoever reads it is that client, so nobody else may.

mod error;
#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use securecall_seal::{Identity, Seed, Suite};
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use crate::folder::{folder_of, sync_folder};
pub use error::IdentityFileError;

/// An identity has about 130 bytes; a larger file is another file.
const FILE_BYTES_MAX: u64 = 4096;
const VERSION: u64 = 1;

/// A client id and its seed, as they stand in a file: what an application keeps from one run to the
/// next. It is the file of `securecall keys`, too.
pub struct StoredIdentity {
    /// The client id.
    pub client_id: String,
    /// The seed of all its keys.
    pub seed: Seed,
}

impl StoredIdentity {
    /// Returns the identity in this file; where there is no file, a new one for `client_id`, which
    /// is written first.
    ///
    /// # Errors
    /// [`IdentityFileError::OtherClient`], and those of [`StoredIdentity::read`] and
    /// [`StoredIdentity::create`].
    pub fn read_or_create(
        path: impl AsRef<Path>,
        client_id: &str,
    ) -> Result<Self, IdentityFileError> {
        let path = path.as_ref();
        let new = || Self { client_id: client_id.to_owned(), seed: Seed::random() };
        let stored = match Self::read(path) {
            Err(IdentityFileError::Missing { .. }) => {
                let new = new();
                match new.create(path) {
                    Ok(()) => return Ok(new),
                    // Another program was faster by a moment, and its identity counts.
                    Err(IdentityFileError::Exists { .. }) => Self::read(path)?,
                    Err(error) => return Err(error),
                }
            }
            read => read?,
        };
        if stored.client_id != client_id {
            return Err(IdentityFileError::OtherClient { path: path.to_owned() });
        }
        Ok(stored)
    }

    /// Reads the file, unless somebody else could.
    ///
    /// # Errors
    /// [`IdentityFileError::Missing`], and [`IdentityFileError::NotOurs`],
    /// [`IdentityFileError::Exposed`], [`IdentityFileError::Malformed`] for a file that is not
    /// used.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, IdentityFileError> {
        let path = path.as_ref();
        let failed = |cause| IdentityFileError::io(path, cause);
        let file = File::open(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => IdentityFileError::Missing { path: path.to_owned() },
            _ => failed(cause),
        })?;
        check_owner(&file, path)?;
        // Room for all of it, so that no copy is left behind where it grew.
        let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
        let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
        let malformed = || IdentityFileError::Malformed { path: path.to_owned() };
        match read {
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(malformed()),
            Err(error) => Err(failed(error)),
            Ok(_) => Self::parse(&text).ok_or_else(malformed),
        }
    }

    /// Writes a new file with mode 600, in a folder that is made with mode 700 if it is missing.
    /// The file is there whole or not at all.
    ///
    /// # Errors
    /// [`IdentityFileError::Exists`]: a file that is there stays as it is.
    /// [`IdentityFileError::Seal`]: the text is no client id, and nothing is written.
    pub fn create(&self, path: impl AsRef<Path>) -> Result<(), IdentityFileError> {
        let path = path.as_ref();
        self.identity()?;
        let folder = folder_of(path);
        make_folder(folder).map_err(|cause| IdentityFileError::io(folder, cause))?;
        self.write(folder, path).map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => IdentityFileError::Exists { path: path.to_owned() },
            _ => IdentityFileError::io(path, cause),
        })
    }

    /// Returns the keys that follow, with the best suite.
    ///
    /// # Errors
    /// [`IdentityFileError::Seal`]: the text is no client id.
    pub fn identity(&self) -> Result<Identity, IdentityFileError> {
        Ok(Identity::new(&self.client_id, &self.seed, Suite::XWing)?)
    }

    /// Under another name first, so that a crash leaves no half of an identity in the way. The
    /// draft has mode 600 from the beginning, and goes away when something fails.
    fn write(&self, folder: &Path, path: &Path) -> io::Result<()> {
        let mut draft = tempfile::Builder::new().prefix(".identity-").tempfile_in(folder)?;
        draft.write_all(self.to_text().as_bytes())?;
        draft.as_file().sync_all()?;
        draft.persist_noclobber(path).map_err(|failure| failure.error)?;
        sync_folder(folder)
    }

    fn to_text(&self) -> Zeroizing<String> {
        let mut seed = hex(self.seed.as_bytes());
        let client_id = &self.client_id;
        let text = format!(
            "{{\"version\":{VERSION},\"clientId\":{},\"seed\":\"{}\"}}\n",
            json!(client_id),
            *seed
        );
        seed.zeroize();
        Zeroizing::new(text)
    }

    fn parse(text: &str) -> Option<Self> {
        let value: Value = serde_json::from_str(text).ok()?;
        if value.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let client_id = value.get("clientId")?.as_str()?.to_owned();
        let seed = Seed::from_bytes(unhex(value.get("seed")?.as_str()?)?);
        Some(Self { client_id, seed })
    }
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn check_owner(file: &File, path: &Path) -> Result<(), IdentityFileError> {
    let metadata = file.metadata().map_err(|cause| IdentityFileError::io(path, cause))?;
    if !metadata.is_file() {
        return Err(IdentityFileError::Malformed { path: path.to_owned() });
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        if metadata.uid() != rustix::process::geteuid().as_raw() {
            return Err(IdentityFileError::NotOurs { path: path.to_owned() });
        }
        let mode = metadata.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(IdentityFileError::Exposed { path: path.to_owned(), mode });
        }
    }
    Ok(())
}

fn hex(bytes: &[u8; 32]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).unwrap_or_default());
        }
    }
    text
}

fn unhex(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let mut bytes = Zeroizing::new([0; 32]);
    let is_hex = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    for (index, byte) in bytes.iter_mut().enumerate().filter(|_| is_hex) {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    is_hex.then_some(bytes)
}
