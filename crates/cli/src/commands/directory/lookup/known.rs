//! The known keys: fingerprints seen in earlier calls.

use std::path::Path;

use securecall_client::{ClientId, KnownKeys};

use crate::failure::Failure;
use crate::files::identity_file::IdentityPath;

pub(super) struct Known(KnownKeys);

impl Known {
    /// Reads `file`, by default the one beside the identity. A missing file is an empty list.
    pub(super) fn read(
        file: Option<&Path>,
        identity: &IdentityPath,
        server: &str,
    ) -> Result<Self, Failure> {
        let path = identity.known_keys(file)?;
        let keys =
            KnownKeys::open(path, server).map_err(|error| Failure::KnownKeys(error.to_string()))?;
        Ok(Self(keys))
    }

    pub(super) fn fingerprint(&self, client_id: &ClientId) -> Option<&str> {
        self.0.fingerprint(client_id)
    }
}
