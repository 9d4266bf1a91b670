//! The environment of the process as a value, so that tests can provide their own.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::settings::{CONFIG_OF_PACKAGES, descriptors};

/// The prefix of all variables except `PORT`.
pub(crate) const VARIABLE_PREFIX: &str = "SECURECALL_";
/// The variable with which hosting platforms set the port of a service.
pub(crate) const PORT_VARIABLE: &str = "PORT";

/// The environment variables and limits of the process. It may contain a secret, so it has no
/// `Debug`.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    /// The limit of file descriptors, or `None` if there is none.
    pub descriptors_max: Option<u64>,
    /// The configuration file of an installed package, which is used if it exists and no other is
    /// named.
    pub config_of_packages: Option<PathBuf>,
}

/// Returns true for variables that Kubernetes sets for a service with the name of our program.
fn is_service_link(name: &str) -> bool {
    let rest = name.strip_prefix(VARIABLE_PREFIX).unwrap_or_default();
    rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}

impl Environment {
    /// Returns those of this process. Unrelated variables are not stored.
    #[must_use]
    pub fn of_process() -> Self {
        let named =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let config_of_packages = Some(CONFIG_OF_PACKAGES.into());
        Self { config_of_packages, ..Self::new(named, descriptors::allowed()) }
    }

    /// Creates the environment from these variables and this limit of file descriptors, without a
    /// package's file.
    pub fn new<N, V>(
        variables: impl IntoIterator<Item = (N, V)>,
        descriptors_max: Option<u64>,
    ) -> Self
    where
        N: Into<String>,
        V: Into<OsString>,
    {
        let ours = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .filter(|(name, _)| name.starts_with(VARIABLE_PREFIX) || name == PORT_VARIABLE)
            .filter(|(name, _)| !is_service_link(name))
            .collect();
        Self { variables: ours, descriptors_max, config_of_packages: None }
    }

    /// Returns the value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str)
    }

    /// Returns all variables that must be settings because of their prefix.
    pub(crate) fn prefixed(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        let all = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_os_str()));
        all.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
    }
}
