//! The socket in the data folder at which a running server takes an operator's requests.
//!
//! It has mode 0600 from the moment at which it has its name. Operators are served one after
//! another, on a thread of their own that waits for them and for the disk; one that is silent or
//! does not read for [`PATIENCE`] is sent away. A server that cannot have the socket serves
//! without.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::Mutex;
use tracing::{debug, warn};

use super::attend::{Bounds, attend};
use crate::directory::Embedded;

/// The name of the socket in the data folder.
const CONTROL: &str = "control";

/// Where it is made: a folder that nobody else can enter.
const UNFINISHED: &str = "control.unfinished";

/// How long an operator may be silent, or not read.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is held in memory of an import: 35,000 records with keys of 1.7 KiB, or 300,000 with
/// classical ones.
const IMPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How long to wait when there is no descriptor left.
const OUT_OF_DESCRIPTORS_PAUSE: Duration = Duration::from_secs(1);

/// The socket, for as long as the server runs.
pub(crate) struct Control {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// The operator who is being served.
    current: Option<UnixStream>,
}

impl Control {
    /// Opens the socket in the folder at `data_dir`, whose lock must be held: what is there is of a
    /// server that crashed. `None`: there can be none, which is logged.
    pub(crate) fn open(
        data_dir: &Path,
        directory: Arc<Embedded>,
        key_bytes_max: Arc<AtomicUsize>,
    ) -> Option<Self> {
        let bounds = Bounds { import_bytes_max: IMPORT_BYTES_MAX, key_bytes_max };
        let opened = listen(data_dir).and_then(|listener| {
            let state = Arc::<Mutex<State>>::default();
            let thread = thread::Builder::new().name("control".to_owned()).spawn({
                let state = state.clone();
                move || serve(&listener, &state, &directory, &bounds)
            })?;
            Ok(Self { path: data_dir.join(CONTROL), state, thread: Some(thread) })
        });
        opened.map_err(|reason| log_absence(data_dir, &reason)).ok()
    }

    /// Closes the socket, after what an operator has asked for is done.
    pub(crate) fn close(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        {
            let mut state = self.state.lock();
            state.stopping = true;
            if let Some(operator) = &state.current {
                let _ = operator.shutdown(Shutdown::Both);
            }
        }
        // The thread waits for somebody to come.
        let woken = UnixStream::connect(&self.path);
        let _ = fs::remove_file(&self.path);
        if woken.is_ok() && thread.join().is_err() {
            warn!("the control thread had panicked");
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.close();
    }
}

/// Connects to the server that has the folder.
pub(super) fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(data_dir.join(CONTROL))
}

fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let unfinished = data_dir.join(UNFINISHED);
    remove_unfinished(&unfinished)?;
    DirBuilder::new().mode(0o700).create(&unfinished)?;
    let socket = unfinished.join(CONTROL);
    let listening = UnixListener::bind(&socket).and_then(|listener| {
        fs::set_permissions(&socket, Permissions::from_mode(0o600))?;
        fs::rename(&socket, data_dir.join(CONTROL))?;
        Ok(listener)
    });
    remove_unfinished(&unfinished)?;
    listening
}

/// Also what a start that was cut short has left.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn log_absence(data_dir: &Path, reason: &io::Error) {
    let hint = match reason.kind() {
        ErrorKind::InvalidInput => {
            ": its path is too long for a socket, so give --data-dir a shorter one (a link will do)"
        }
        _ => "",
    };
    warn!(
        path = %data_dir.display(),
        %reason,
        "there is no control socket in the data folder: securecall directory can export, import and \
         reset only while the server is stopped{hint}"
    );
}

/// Serves until told to stop.
fn serve(listener: &UnixListener, state: &Mutex<State>, directory: &Embedded, bounds: &Bounds) {
    loop {
        let accepted = listener.accept().and_then(|(stream, _)| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            let current = stream.try_clone()?;
            Ok((stream, current))
        });
        let mut now = state.lock();
        if now.stopping {
            return;
        }
        let Ok((stream, current)) = accepted else {
            drop(now);
            thread::sleep(OUT_OF_DESCRIPTORS_PAUSE);
            continue;
        };
        now.current = Some(current);
        drop(now);
        if let Err(reason) = attend(&stream, directory, bounds) {
            debug!(%reason, "an operator left early");
        }
        state.lock().current = None;
    }
}
