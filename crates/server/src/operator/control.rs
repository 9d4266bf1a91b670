//! The control socket in the data folder, through which operators send requests to a running
//! server.
//!
//! It has mode 0600 from the moment it gets its name. Operators are served one after another by a
//! thread of its own, which may block on them and on the disk. One that neither sends nor reads for
//! [`IDLE_TIMEOUT`] is disconnected. If the socket cannot be created, the server runs without it.

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

use super::responder::{Bounds, respond};
use crate::directory::Embedded;

/// The name of the socket in the data folder.
const CONTROL: &str = "control";

/// The private folder in which the socket is created.
const UNFINISHED: &str = "control.unfinished";

/// The time for which an operator may neither send nor read.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);

/// The bound of an import, which is held in memory: 35,000 records with keys of 1.7 KiB, or 300,000
/// with classical ones.
const IMPORT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The pause when there is no file descriptor left.
const OUT_OF_DESCRIPTORS_PAUSE: Duration = Duration::from_secs(1);

/// The control socket of a running server.
pub(crate) struct Control {
    path: PathBuf,
    state: Arc<Mutex<State>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// The connection of the current operator.
    current: Option<UnixStream>,
}

impl Control {
    /// Opens the socket in the folder at `data_dir`, whose lock must be held: an existing socket
    /// was left by a crash. Returns `None`, after logging the reason, if it cannot be created.
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

    /// Closes the socket, after the request in progress.
    pub(crate) fn close(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        {
            let mut state = self.state.lock();
            state.stopping = true;
            if let Some(operator) = &state.current {
                let _ = operator.shutdown(Shutdown::Both);
            }
        }
        // The thread is blocked in `accept`, so a connection is needed to wake it.
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

/// Connects to the server that uses the folder.
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

/// Removes what an interrupted start has left.
fn remove_unfinished(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn log_absence(data_dir: &Path, reason: &io::Error) {
    let hint = match reason.kind() {
        ErrorKind::InvalidInput => {
            ": its path is too long for a socket: use a shorter --data-dir, such as a symbolic link"
        }
        _ => "",
    };
    warn!(
        path = %data_dir.display(),
        %reason,
        "there is no control socket in the data folder: securecall directory can export, import \
         and reset only while the server is stopped{hint}"
    );
}

/// Serves operators until the socket is closed.
fn serve(listener: &UnixListener, state: &Mutex<State>, directory: &Embedded, bounds: &Bounds) {
    loop {
        let accepted = listener.accept().and_then(|(stream, _)| {
            stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
            stream.set_write_timeout(Some(IDLE_TIMEOUT))?;
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
        if let Err(reason) = respond(&stream, directory, bounds) {
            debug!(%reason, "an operator disconnected early");
        }
        state.lock().current = None;
    }
}
