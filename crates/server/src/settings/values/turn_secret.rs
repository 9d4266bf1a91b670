//! The secret that is shared with the TURN servers, from the environment or a file. It is never a
//! flag, which every process of the machine can read, nor in the configuration file, which is often
//! stored with code.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::settings::{Environment, Origin, Secret, TurnError};

/// The environment variable with the secret.
pub(crate) const SECRET_VARIABLE: &str = "SECURECALL_TURN_SECRET";

/// The bound of the file: longer than any secret; a larger file is the wrong file.
pub(crate) const FILE_BYTES_MAX: u64 = 4096;

/// A secret with its warnings.
pub(crate) struct Found {
    pub(crate) secret: Secret,
    pub(crate) origin: Origin,
    pub(crate) warnings: Vec<String>,
}

impl Found {
    /// Reads the secret from both places. Returns `None` if neither has one.
    pub(crate) fn look(
        file: Option<&Path>,
        environment: &Environment,
    ) -> Result<Option<Self>, TurnError> {
        match (file, environment.variable(SECRET_VARIABLE)) {
            (None, None) => Ok(None),
            (None, Some(text)) => Self::in_environment(text).map(Some),
            (Some(file), None) => Self::in_file(file).map(Some),
            (Some(_), Some(_)) => Err(TurnError::SecretTwice),
        }
    }

    fn in_environment(text: &OsStr) -> Result<Self, TurnError> {
        let origin = Origin::Environment(SECRET_VARIABLE.to_owned());
        let secret = secret(text.as_encoded_bytes(), &origin)?;
        Ok(Self { secret, origin, warnings: Vec::new() })
    }

    fn in_file(path: &Path) -> Result<Self, TurnError> {
        let unreadable = |cause| TurnError::Unreadable { path: path.to_owned(), cause };
        let file = File::open(path).map_err(unreadable)?;
        let warnings = read_by_others(&file, path).map_err(unreadable)?;
        let mut content = Zeroizing::new(Vec::new());
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut content).map_err(unreadable)?;

        let origin = Origin::File(path.to_owned());
        let secret = secret(only_line(&content, &origin)?, &origin)?;
        Ok(Self { secret, origin, warnings })
    }
}

/// Returns the only line of a secret file, with or without a line feed at its end.
fn only_line<'a>(content: &'a [u8], origin: &Origin) -> Result<&'a [u8], TurnError> {
    let line = content.strip_suffix(b"\n").unwrap_or(content);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.contains(&b'\n') || content.len() as u64 > FILE_BYTES_MAX {
        return Err(TurnError::Lines { origin: origin.clone() });
    }
    Ok(line)
}

fn secret(bytes: &[u8], origin: &Origin) -> Result<Secret, TurnError> {
    if bytes.is_empty() {
        return Err(TurnError::Empty { origin: origin.clone() });
    }
    // A space from copy and paste would silently invalidate every credential.
    if bytes.trim_ascii().len() != bytes.len() {
        return Err(TurnError::Blank { origin: origin.clone() });
    }
    let text = str::from_utf8(bytes).map_err(|_| TurnError::NotText { origin: origin.clone() })?;
    Ok(Secret::new(text.to_owned()))
}

/// Warns if others than the owner may read the file. It is not an error, because container runtimes
/// often mount secrets like that.
fn read_by_others(file: &File, path: &Path) -> io::Result<Vec<String>> {
    let mode = file.metadata()?.permissions().mode();
    let path = path.display();
    Ok(if mode & 0o044 == 0 {
        Vec::new()
    } else {
        vec![format!("turn.secret_file {path} is readable by others: run chmod 600 on it")]
    })
}
