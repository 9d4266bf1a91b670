//! Tests of the configuration as a whole.

mod every_setting;
mod precedence;
mod reference;
mod refusals;
mod secrecy;
mod tls;
mod turn;
mod unacknowledged;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::Command;
use tempfile::TempDir;

use super::{Environment, Loaded, SettingsError, with_options};

/// A folder for files, and the environment of a process.
struct World {
    folder: TempDir,
    file: Option<String>,
    variables: Vec<(String, String)>,
    flags: Vec<String>,
    descriptors_max: Option<u64>,
    config_of_packages: Option<PathBuf>,
}

impl World {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            file: None,
            variables: Vec::new(),
            flags: Vec::new(),
            descriptors_max: None,
            config_of_packages: None,
        }
    }

    fn file(mut self, toml: &str) -> Self {
        self.file = Some(toml.to_owned());
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn flag(mut self, flag: &str) -> Self {
        self.flags.push(flag.to_owned());
        self
    }

    fn descriptors(mut self, max: u64) -> Self {
        self.descriptors_max = Some(max);
        self
    }

    /// Writes a file into the folder, readable for its owner only.
    fn write(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        chmod(&path, 0o600);
        path
    }

    fn load(&self) -> Result<Loaded, SettingsError> {
        let mut flags = self.flags.clone();
        if let Some(toml) = &self.file {
            flags.push(format!("--config={}", self.write("securecall.toml", toml).display()));
        }
        let command = with_options(Command::new("securecall").no_binary_name(true));
        let flags = command.try_get_matches_from(flags)?;
        let mut environment = Environment::new(self.variables.clone(), self.descriptors_max);
        environment.config_of_packages = self.config_of_packages.clone();
        Loaded::new(&flags, &environment)
    }

    /// Returns the error, which must be one line.
    fn refusal(&self) -> String {
        let refusal = self.load().expect_err("it should be refused").to_string();
        assert!(!refusal.contains('\n'), "more than one line: {refusal}");
        refusal
    }
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
