//! What the process finds around it, as a value: so that tests bring their own.

use std::collections::BTreeMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use crate::settings::{CONFIG_OF_PACKAGES, descriptors};

/// How the names of all variables begin, except `PORT`.
pub(crate) const VARIABLE_PREFIX: &str = "SECURECALL_";
/// The variable in which hosting platforms say where they expect a service.
pub(crate) const PORT_VARIABLE: &str = "PORT";

/// The environment and the limits of the process. May hold a secret, hence no `Debug`.
#[derive(Clone, Default)]
pub struct Surroundings {
    variables: BTreeMap<String, OsString>,
    /// How many file descriptors the process may have at most. `None`: no limit.
    pub descriptors_max: Option<u64>,
    /// The file that counts if it is there and no other is named. `None`: there is none.
    pub config_of_packages: Option<PathBuf>,
}

/// Whether Kubernetes sets this variable, for a service that is called like our program.
fn is_service_link(name: &str) -> bool {
    let rest = name.strip_prefix(VARIABLE_PREFIX).unwrap_or_default();
    rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_")
}

impl Surroundings {
    /// Those of this process. Variables of others are not kept.
    #[must_use]
    pub fn of_process() -> Self {
        let named =
            env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let config_of_packages = Some(CONFIG_OF_PACKAGES.into());
        Self { config_of_packages, ..Self::new(named, descriptors::allowed()) }
    }

    /// These variables and this limit of file descriptors, and no file of a package.
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

    /// The value of a variable.
    pub(crate) fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(name).map(OsString::as_os_str)
    }

    /// All variables that must be settings, since their names begin like ours.
    pub(crate) fn prefixed(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        let all = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_os_str()));
        all.filter(|(name, _)| name.starts_with(VARIABLE_PREFIX))
    }
}
