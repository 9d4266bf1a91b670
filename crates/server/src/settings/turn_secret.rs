//! Where the secret shared with the TURN servers comes from: the environment, or a file. Never a
//! flag, which every process of the machine can read, nor the configuration file, which is kept
//! with code.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{Origin, Secret, Surroundings};

/// The environment variable with the secret.
pub(super) const SECRET_VARIABLE: &str = "SECURECALL_TURN_SECRET";
/// The environment variable with the secret before the last rotation.
pub(super) const SECRET_PREVIOUS_VARIABLE: &str = "SECURECALL_TURN_SECRET_PREVIOUS";

/// Two secrets of any length that people use; a larger file is another file.
const FILE_BYTES_MAX: u64 = 4096;

/// The secrets and what there is to say about them.
pub(super) struct Secrets {
    pub(super) current: Secret,
    pub(super) previous: Option<Secret>,
    pub(super) origin: Origin,
    pub(super) warnings: Vec<String>,
}

impl Secrets {
    /// Looks in both places. `None`: neither has a secret.
    pub(super) fn find(
        file: Option<&Path>,
        surroundings: &Surroundings,
    ) -> Result<Option<Self>, TurnSecretError> {
        let current = surroundings.variable(SECRET_VARIABLE);
        let previous = surroundings.variable(SECRET_PREVIOUS_VARIABLE);
        match (file, current, previous) {
            (None, None, None) => Ok(None),
            (None, None, Some(_)) => Err(TurnSecretError::PreviousAlone),
            (None, Some(current), previous) => Self::from_environment(current, previous).map(Some),
            (Some(file), None, None) => Self::from_file(file).map(Some),
            (Some(_), Some(_), _) => Err(TurnSecretError::Twice(SECRET_VARIABLE)),
            (Some(_), None, Some(_)) => Err(TurnSecretError::Twice(SECRET_PREVIOUS_VARIABLE)),
        }
    }

    fn from_environment(
        current: &OsStr,
        previous: Option<&OsStr>,
    ) -> Result<Self, TurnSecretError> {
        let of = |name: &str, value: &OsStr| {
            secret(value.as_encoded_bytes(), &Origin::Environment(name.to_owned()))
        };
        Ok(Self {
            current: of(SECRET_VARIABLE, current)?,
            previous: previous.map(|value| of(SECRET_PREVIOUS_VARIABLE, value)).transpose()?,
            origin: Origin::Environment(SECRET_VARIABLE.to_owned()),
            warnings: Vec::new(),
        })
    }

    fn from_file(path: &Path) -> Result<Self, TurnSecretError> {
        let unreadable = |cause| TurnSecretError::Unreadable { path: path.to_owned(), cause };
        let file = File::open(path).map_err(unreadable)?;
        let warnings = read_by_others(&file, path).map_err(unreadable)?;
        let mut content = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(unreadable)?;

        let origin = Origin::File(path.to_owned());
        let lines = lines(&content, &origin)?;
        let (current, previous) = match lines[..] {
            [current] => (current, None),
            [current, previous] => (current, Some(previous)),
            _ => return Err(TurnSecretError::Lines { origin }),
        };
        Ok(Self {
            current: secret(current, &origin)?,
            previous: previous.map(|line| secret(line, &origin)).transpose()?,
            origin,
            warnings,
        })
    }
}

/// The lines of a secret file; the last may end with a newline or without.
fn lines<'a>(content: &'a [u8], origin: &Origin) -> Result<Vec<&'a [u8]>, TurnSecretError> {
    if content.len() as u64 > FILE_BYTES_MAX {
        return Err(TurnSecretError::Lines { origin: origin.clone() });
    }
    let content = content.strip_suffix(b"\n").unwrap_or(content);
    let lines = content.split(|byte| *byte == b'\n');
    Ok(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)).collect())
}

fn secret(bytes: &[u8], origin: &Origin) -> Result<Secret, TurnSecretError> {
    if bytes.is_empty() {
        return Err(TurnSecretError::Empty { origin: origin.clone() });
    }
    // A blank that a paste left would make every credential wrong, and nobody would see it.
    if bytes.trim_ascii().len() != bytes.len() {
        return Err(TurnSecretError::Blank { origin: origin.clone() });
    }
    let text =
        str::from_utf8(bytes).map_err(|_| TurnSecretError::NotText { origin: origin.clone() })?;
    Ok(Secret::new(text.to_owned()))
}

/// A warning when others than the owner may read the file. Secrets that a container runtime
/// mounts are often like that, so it is no error.
fn read_by_others(file: &File, path: &Path) -> io::Result<Vec<String>> {
    let mode = file.metadata()?.permissions().mode();
    let path = path.display();
    Ok(if mode & 0o044 == 0 {
        Vec::new()
    } else {
        vec![format!("turn.secret_file {path} is readable for others: chmod 600 it")]
    })
}

/// Why there is no usable secret. Says where, never what.
#[derive(Debug, thiserror::Error)]
pub enum TurnSecretError {
    /// URLs without a secret.
    #[error(
        "turn.urls or turn.preset is set without a secret: set {SECRET_VARIABLE} or \
         turn.secret_file"
    )]
    Missing,
    /// A secret without URLs.
    #[error("a TURN secret is set ({origin}) without servers: set turn.urls or turn.preset")]
    WithoutUrls {
        /// Where the secret is.
        origin: Origin,
    },
    /// Both the environment and a file.
    #[error("turn.secret_file and {0} are both set: remove one of them")]
    Twice(&'static str),
    /// A previous secret without a current one.
    #[error("{SECRET_PREVIOUS_VARIABLE} is set without {SECRET_VARIABLE}: set both, or neither")]
    PreviousAlone,
    /// Nothing in it.
    #[error("the TURN secret is empty ({origin}): set it, or remove the setting")]
    Empty {
        /// Where the secret is.
        origin: Origin,
    },
    /// White space around it.
    #[error("the TURN secret begins or ends with white space ({origin}): remove it")]
    Blank {
        /// Where the secret is.
        origin: Origin,
    },
    /// Not UTF-8.
    #[error("the TURN secret is not UTF-8 text ({origin}): choose one that is")]
    NotText {
        /// Where the secret is.
        origin: Origin,
    },
    /// Not one or two lines, or too large.
    #[error(
        "turn.secret_file must have one or two lines, the current secret and the previous one, \
         and at most {FILE_BYTES_MAX} bytes ({origin})"
    )]
    Lines {
        /// Where the secret is.
        origin: Origin,
    },
    /// The file cannot be read.
    #[error("turn.secret_file {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}
