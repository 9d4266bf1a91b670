//! The life of a server, from its settings to its end.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::SystemTime;

use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};

use crate::announcement::Announcement;
use crate::data_dir::{DataDir, DataDirError};
use crate::drain;
use crate::http::accept::{Workers, accept, event_loop};
use crate::http::listener::Listener;
use crate::operator::Control;
use crate::reload::live::Live;
use crate::reload::{Load, Reach, Reload};
use crate::server::Server;
use crate::service_manager;
use crate::settings::{Loaded, Settings, SettingsError};
use crate::telemetry::admin::{self, Admin};
use crate::telemetry::liveness::Liveness;
use crate::tls::{Source, TlsError};

/// The reason why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}. Choose another with {flag}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The flag that sets it.
        flag: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// The operating system provided no thread, event queue or signal handler.
    #[error("the operating system refused a resource of the server: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT, then drains. A second signal ends it at once.
///
/// # Errors
/// It cannot listen, or its data cannot be used. Once it serves it does not fail.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    start(settings, None)
}

/// Serves like [`serve()`], and reads the settings again at each SIGHUP. Those that can change
/// while the server runs ([`is_live`](crate::settings::is_live)) take effect at once. A
/// configuration that `load` refuses changes nothing.
///
/// # Errors
/// As [`serve()`].
pub fn serve_and_reload(
    loaded: Loaded,
    load: impl Fn() -> Result<Loaded, SettingsError> + Send + Sync + 'static,
) -> Result<(), ServeError> {
    start(loaded.settings.clone(), Some((loaded, Arc::new(load))))
}

fn start(settings: Settings, reloading: Option<(Loaded, Load)>) -> Result<(), ServeError> {
    let data_dir = DataDir::open(&settings.data_dir)?;
    let server_key = data_dir.server_key()?;
    let directory = data_dir
        .directory()?
        .with_records_max(settings.directory.records_max)
        .with_reset_delay(*settings.identity.reset_delay);
    let directory = Arc::new(directory);
    let (tls, source) = Source::open(&settings, &data_dir)?.unzip();
    let key_bytes_max = Arc::new(AtomicUsize::new(settings.directory.key_bytes_max));
    let control = Control::open(&settings.data_dir, directory.clone(), key_bytes_max.clone());
    let runtime = event_loop()?;
    runtime.block_on(async {
        let listener = bind(settings.listen, "--listen")?;
        let admin = match settings.admin.listen {
            Some(address) => Some(bind(address, "--admin-listen")?),
            None => None,
        };
        let live = Live::new(&settings, &server_key);
        let server = Server::new(&settings, live, directory.clone(), tls, Handle::current());
        let server = Arc::new(server);
        // By default SIGHUP would end the process.
        let hangup = signal(SignalKind::hangup())?;
        if let Some((loaded, load)) = reloading {
            let (server, directory) = (server.clone(), directory.clone());
            let reach = Reach { server, server_key, directory, key_bytes_max };
            tokio::spawn(Reload::new(load, loaded, reach).run(hangup));
        }
        if let Some(source) = source {
            tokio::spawn(source.run(signal(SignalKind::hangup())?));
        }
        directory.set_serving();
        run(server, &settings, listener, admin).await
    })?;
    drop(runtime);
    drop(control);
    directory.close();
    Ok(())
}

async fn run(
    server: Arc<Server>,
    settings: &Settings,
    listener: Listener,
    admin: Option<Listener>,
) -> Result<(), ServeError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut workers = Workers::start(settings.workers.count(), Handle::current())?;
    if let Err(error) = announce(settings, &listener, admin.as_ref(), server.tls.is_some()) {
        // A supervisor may read one line and close the pipe; that is no reason to stop.
        tracing::warn!(%error, "cannot print the address of the server on standard output");
    }
    service_manager::notify_ready();
    server.live.latest().proxies.announce();
    if let Some(admin) = admin {
        let liveness = Liveness::of(workers.handles());
        tokio::spawn(admin::serve(Admin { server: server.clone(), liveness }, admin));
    }
    {
        let serving = accept(&server, &listener, &mut workers);
        let stopping = async {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            service_manager::notify_stopping(*server.live.latest().drain.timeout);
            tokio::select! {
                () = drain::drain(&server) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        // While it drains it still accepts connections, to answer 503.
        tokio::select! { () = serving => {} () = stopping => {} }
    }
    workers.stop();
    tracing::info!("stopped");
    Ok(())
}

fn bind(address: SocketAddr, flag: &'static str) -> Result<Listener, ServeError> {
    Listener::bind(address).map_err(|source| ServeError::Listen { address, flag, source })
}

/// Prints the version, the addresses, and how to stop the server.
fn announce(
    settings: &Settings,
    listener: &Listener,
    admin: Option<&Listener>,
    tls: bool,
) -> io::Result<()> {
    let announcement = Announcement {
        listen: listener.local_addr()?,
        tls,
        admin: admin.map(Listener::local_addr).transpose()?,
        data_dir: path::absolute(&settings.data_dir)?,
        settings_file: settings.file.clone(),
        drain_timeout: *settings.drain.timeout,
    };
    // Written at once, because a reader of the first line may close the pipe then.
    let text = announcement.formatted(settings.log_format, SystemTime::now());
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
