//! From settings to a running server, and to its end.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::accept::{Workers, accept, event_loop};
use crate::admin::{self, Admin};
use crate::data_dir::{DataDir, DataDirError};
use crate::drain;
use crate::listener::Listener;
use crate::liveness::Liveness;
use crate::operator::Control;
use crate::server::Server;
use crate::settings::Settings;
use crate::tls::{Source, TlsError};

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// There can be no TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}. Choose another with {flag}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Which setting says so.
        flag: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The operating system gave no thread, event queue or signal.
    #[error("the operating system refused what a server needs: {0}")]
    System(#[from] io::Error),
}

/// Serves until SIGTERM or SIGINT, then drains. A second signal ends at once.
///
/// # Errors
/// When it cannot listen, or its data cannot be used. Once it serves it does not fail.
pub fn serve(settings: Settings) -> Result<(), ServeError> {
    let data_dir = DataDir::open(&settings.data_dir)?;
    let server_key = data_dir.server_key()?;
    let directory = data_dir.directory()?.with_records_max(settings.directory.records_max);
    let directory = Arc::new(directory);
    let (tls, source) = Source::open(&settings, &data_dir)?.unzip();
    let key_bytes_max = settings.directory.key_bytes_max;
    let control = Control::open(&settings.data_dir, directory.clone(), key_bytes_max);
    let runtime = event_loop()?;
    runtime.block_on(async {
        let listener = bind(settings.listen, "--listen")?;
        let admin = match settings.admin.listen {
            Some(address) => Some(bind(address, "--admin-listen")?),
            None => None,
        };
        let config = settings.core_config(server_key.expose());
        let server = Server::new(&settings, config, directory.clone(), tls, Handle::current());
        let hangup = signal(SignalKind::hangup())?;
        match source {
            Some(source) => tokio::spawn(source.keep(hangup)),
            None => tokio::spawn(live_through(hangup)),
        };
        run(Arc::new(server), &settings, listener, admin).await
    })?;
    drop(runtime);
    drop(control);
    directory.close();
    Ok(())
}

/// Checks what can be checked without serving: whether the data folder and the certificate can be
/// used.
///
/// # Errors
/// As [`serve`] would.
pub fn check(settings: &Settings) -> Result<(), ServeError> {
    let data_dir = DataDir::open(&settings.data_dir)?;
    data_dir.server_key()?;
    data_dir.directory()?.close();
    Source::open(settings, &data_dir)?;
    Ok(())
}

/// Without a certificate there is nothing to read again on SIGHUP; by default it would end us.
async fn live_through(mut hangup: Signal) {
    while hangup.recv().await.is_some() {
        tracing::info!("SIGHUP: there is no certificate to read again, nothing changes");
    }
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
    if let Err(error) = announce(&listener, server.tls.is_some(), admin.as_ref()) {
        // Whoever started it may read one line and close the pipe: no reason not to serve.
        tracing::warn!(%error, "cannot say on standard output where the server listens");
    }
    server.proxies.announce();
    if let Some(admin) = admin {
        let liveness = Liveness::of(workers.handles());
        tokio::spawn(admin::serve(Admin { server: server.clone(), liveness }, admin));
    }
    {
        let serving = accept(&server, &listener, &mut workers);
        let stopping = async {
            tokio::select! { _ = terminate.recv() => {} _ = interrupt.recv() => {} }
            tokio::select! {
                () = drain::drain(&server, &settings.drain) => {}
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        // While it drains it still accepts, to say 503.
        tokio::select! { () = serving => {} () = stopping => {} }
    }
    workers.stop();
    tracing::info!("stopped");
    Ok(())
}

fn bind(address: SocketAddr, flag: &'static str) -> Result<Listener, ServeError> {
    Listener::bind(address).map_err(|source| ServeError::Listen { address, flag, source })
}

/// Says where it listens, and what to try.
fn announce(listener: &Listener, tls: bool, admin: Option<&Listener>) -> io::Result<()> {
    let address = reachable(listener.local_addr()?);
    // The certificate is for a name, not for this address.
    let (s, insecure, no_check) = if tls { ("s", "-k ", "-n ") } else { ("", "", "") };
    let mut out = io::stdout().lock();
    writeln!(out, "listening on ws{s}://{address}/signal")?;
    if let Some(admin) = admin {
        writeln!(out, "metrics on http://{}/metrics", reachable(admin.local_addr()?))?;
    }
    writeln!(out)?;
    writeln!(out, "try: curl {insecure}http{s}://{address}/health")?;
    writeln!(out, "     npx wscat {no_check}-c ws{s}://{address}/signal")?;
    writeln!(out, r#"     > {{"type":"REGISTER","payload":{{"clientId":"alice"}}}}"#)?;
    out.flush()
}

/// The unspecified address as one that can be connected to from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
