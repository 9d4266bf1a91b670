//! The file with a client's id and seed. Whoever reads it is that client, so nobody else may.

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use clap::Args;
use securecall_seal::{Identity, Seed, Suite};
use serde_json::{Value, json};
use zeroize::{Zeroize as _, Zeroizing};

use crate::folder::{folder_of, sync_folder_of};

/// Its owner reads and writes it, and nobody else does anything.
const MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;
/// An identity has about 130 bytes; a larger file is another file.
const FILE_BYTES_MAX: u64 = 4096;
const VERSION: u64 = 1;

/// Where the identity is.
#[derive(Debug, Clone, Args)]
pub(crate) struct IdentityPath {
    /// The identity file [default: securecall/identity.json in the configuration folder]
    #[arg(long, value_name = "FILE", env = "SECURECALL_IDENTITY")]
    identity: Option<PathBuf>,
}

impl IdentityPath {
    /// The path, as given or by default.
    pub(crate) fn resolve(&self) -> Result<PathBuf, IdentityError> {
        let by_default = || Some(configuration_folder()?.join("securecall/identity.json"));
        self.identity.clone().or_else(by_default).ok_or(IdentityError::NoHome)
    }

    /// The file of known keys: `given`, or the one beside the identity, which need not exist.
    pub(crate) fn known_keys(&self, given: Option<&Path>) -> Result<PathBuf, IdentityError> {
        let beside = || self.resolve().map(|path| path.with_file_name("known_keys"));
        given.map_or_else(beside, |given| Ok(given.to_owned()))
    }
}

/// The folder for configuration (XDG base directories). `None`: the environment names neither it
/// nor a home.
pub(crate) fn configuration_folder() -> Option<PathBuf> {
    let named = |variable| std::env::var_os(variable).map(PathBuf::from);
    let given = named("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
    given.or_else(|| named("HOME").map(|home| home.join(".config")))
}

/// What the file holds.
pub(crate) struct StoredIdentity {
    pub(crate) client_id: String,
    pub(crate) seed: Seed,
}

impl StoredIdentity {
    /// The keys that follow.
    pub(crate) fn identity(&self) -> Result<Identity, IdentityError> {
        Identity::new(&self.client_id, &self.seed, Suite::XWing).map_err(IdentityError::Seal)
    }

    /// Reads it, if nobody else could.
    pub(crate) fn read(path: &Path) -> Result<Self, IdentityError> {
        let failed = |cause| IdentityError::io(path, cause);
        let file = File::open(path).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => IdentityError::Missing(path.to_owned()),
            _ => failed(cause),
        })?;
        check_owner(&file, path)?;
        // Room for all of it, so that no copy is left behind where it grew.
        let mut text = Zeroizing::new(String::with_capacity(FILE_BYTES_MAX as usize));
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        Self::parse(&text).ok_or_else(|| IdentityError::Malformed(path.to_owned()))
    }

    /// Writes a new file. One that is there stays as it is.
    pub(crate) fn create(&self, path: &Path) -> Result<(), IdentityError> {
        let failed = |cause| IdentityError::io(path, cause);
        let folder = folder_of(path);
        let created = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
        created.map_err(|cause| IdentityError::io(folder, cause))?;
        let mut options = File::options();
        let opened = options.write(true).create_new(true).mode(MODE).open(path);
        let mut file = opened.map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => IdentityError::Exists(path.to_owned()),
            _ => failed(cause),
        })?;
        let written = file
            .write_all(self.to_text().as_bytes())
            .and_then(|()| file.sync_all())
            .and_then(|()| sync_folder_of(path));
        written.map_err(|cause| {
            // Half an identity would only stand in the way.
            let _ = fs::remove_file(path);
            failed(cause)
        })
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

fn check_owner(file: &File, path: &Path) -> Result<(), IdentityError> {
    let metadata = file.metadata().map_err(|cause| IdentityError::io(path, cause))?;
    if !metadata.is_file() {
        return Err(IdentityError::Malformed(path.to_owned()));
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(IdentityError::NotOurs(path.to_owned()));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(IdentityError::Exposed {
            path: path.to_owned(),
            mode: metadata.mode() & 0o777,
        });
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

/// Why there is no identity to work with. Each says what to do next.
#[derive(Debug)]
pub(crate) enum IdentityError {
    NoHome,
    Missing(PathBuf),
    Exists(PathBuf),
    NotOurs(PathBuf),
    Exposed { path: PathBuf, mode: u32 },
    Malformed(PathBuf),
    Io { path: PathBuf, cause: io::Error },
    Seal(securecall_seal::Error),
}

impl IdentityError {
    fn io(path: &Path, cause: io::Error) -> Self {
        Self::Io { path: path.to_owned(), cause }
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHome => write!(f, "neither XDG_CONFIG_HOME nor HOME is set: name --identity"),
            Self::Missing(path) => write!(
                f,
                "there is no identity in {}: make one with securecall keys new CLIENT_ID",
                path.display()
            ),
            Self::Exists(path) => write!(
                f,
                "{} is there already and stays as it is: name another --identity, or move it away",
                path.display()
            ),
            Self::NotOurs(path) => write!(
                f,
                "{} belongs to another user, who is that client too: make an identity of your own",
                path.display()
            ),
            Self::Exposed { path, mode } => write!(
                f,
                "{} can be used by others (mode {mode:03o}): chmod 600 it, and if somebody may have \
                 read it, make a new identity",
                path.display()
            ),
            Self::Malformed(path) => write!(
                f,
                "{} is no identity: restore it with securecall keys restore, or name another",
                path.display()
            ),
            Self::Io { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::Seal(error) => write!(f, "{error}"),
        }
    }
}
