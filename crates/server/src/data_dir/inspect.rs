//! The check of a data folder without any change, not even to its lock or its access rights.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use rustix::fs::{Access, access};

use super::{DIRECTORY, DataDirError, SERVER_KEY, ServerKey, check_private, not_writable};
use crate::directory::OpenError;

/// The first bytes of every redb file.
const MAGIC: [u8; 9] = *b"redb\x1A\x0A\xA9\x0D\x0A";

/// Checks that a server of the current user could use or create the folder at `path`. The directory
/// is not read completely, because a server may be writing to it.
///
/// # Errors
/// As opening it, except that a running server is accepted.
pub(crate) fn inspect(path: &Path) -> Result<(), DataDirError> {
    match fs::metadata(path) {
        Ok(folder) if folder.is_dir() => inspect_folder(path),
        Ok(_) => Err(DataDirError::NotAFolder(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            can_be_made(path).map_err(|source| not_created(path, source))
        }
        Err(source) => Err(not_created(path, source)),
    }
}

fn inspect_folder(path: &Path) -> Result<(), DataDirError> {
    check_private(path).map_err(|source| not_writable(path, source))??;
    allows_all(path).map_err(|source| not_writable(path, source))?;
    ServerKey::inspect(&path.join(SERVER_KEY))?;
    let path = path.join(DIRECTORY);
    inspect_directory(&path).map_err(|source| DataDirError::Directory { path, source })
}

/// Checks that the missing folders can be created in the nearest existing one.
fn can_be_made(path: &Path) -> io::Result<()> {
    let is_there = |folder: &&Path| folder.try_exists().unwrap_or(true);
    match path.ancestors().skip(1).map(or_current).find(is_there) {
        Some(parent) if parent.is_dir() => allows_all(parent),
        _ => Err(ErrorKind::NotADirectory.into()),
    }
}

/// Returns the current folder for the empty parent of a relative name.
fn or_current(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

fn allows_all(folder: &Path) -> io::Result<()> {
    Ok(access(folder, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK)?)
}

fn inspect_directory(path: &Path) -> Result<(), OpenError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    access(path, Access::WRITE_OK).map_err(io::Error::from)?;
    let mut magic = [0; MAGIC.len()];
    match file.read_exact(&mut magic) {
        Ok(()) if magic == MAGIC => Ok(()),
        Ok(()) => Err(OpenError::Damaged("not a redb file".to_owned())),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err(OpenError::Damaged("the file is truncated".to_owned()))
        }
        Err(error) => Err(error.into()),
    }
}

fn not_created(path: &Path, source: io::Error) -> DataDirError {
    DataDirError::NotCreated { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;
    use std::time::SystemTime;

    use super::super::DataDir;
    use super::*;

    /// Returns everything visible of a folder: names, contents, access rights and times.
    fn seen(folder: &Path) -> Vec<(PathBuf, Vec<u8>, u32, SystemTime)> {
        let mut seen: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let metadata = fs::metadata(&path).unwrap();
                let content = fs::read(&path).unwrap_or_default();
                (path, content, metadata.permissions().mode(), metadata.modified().unwrap())
            })
            .collect();
        seen.sort();
        seen
    }

    #[test]
    fn a_folder_that_a_server_has_passes_and_stays_as_it_is() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let data_dir = DataDir::open(&path).unwrap();
        data_dir.server_key().unwrap();
        let directory = data_dir.directory().unwrap();
        fs::set_permissions(path.join(SERVER_KEY), Permissions::from_mode(0o640)).unwrap();
        let before = seen(&path);
        inspect(&path).unwrap();
        assert_eq!(seen(&path), before);
        directory.close();
    }

    #[test]
    fn a_folder_that_is_not_there_is_not_made() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("a/b/data");
        inspect(&path).unwrap();
        assert_eq!(seen(parent.path()), []);
        inspect(Path::new("no-such-folder")).unwrap();
    }

    #[test]
    fn a_file_in_the_way_is_refused_as_a_start_refuses_it() {
        let parent = tempfile::tempdir().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("data"), file.join("a/b")] {
            let started = DataDir::open(&path).unwrap_err().to_string();
            assert_eq!(inspect(&path).unwrap_err().to_string(), started);
        }
    }

    #[test]
    fn a_folder_in_which_others_may_write_is_refused_as_a_start_refuses_it() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
        let started = DataDir::open(folder.path()).unwrap_err().to_string();
        assert_eq!(inspect(folder.path()).unwrap_err().to_string(), started);
    }

    #[test]
    fn a_damaged_key_and_a_damaged_directory_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (key, directory) = (folder.path().join(SERVER_KEY), folder.path().join(DIRECTORY));
        fs::write(&key, "short").unwrap();
        assert!(matches!(inspect(folder.path()), Err(DataDirError::KeyDamaged(_))));
        fs::remove_file(key).unwrap();
        for content in [&b"no database at all"[..], b"", b"redb"] {
            fs::write(&directory, content).unwrap();
            let refused = inspect(folder.path());
            assert!(matches!(refused, Err(DataDirError::Directory { .. })), "{refused:?}");
            assert_eq!(fs::read(&directory).unwrap(), content);
        }
    }
}
