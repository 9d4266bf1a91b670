//! The keys that were seen before.

use std::path::Path;

use securecall_client::{ClientId, KnownKeys};

use crate::failure::Failure;
use crate::files::identity_file::IdentityPath;

pub(super) struct Known(KnownKeys);

impl Known {
    /// Those in `file`; by default in the file beside the identity, which need not exist.
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
