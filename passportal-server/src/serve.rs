//! Serves a vault: one server per data directory, loopback or TLS.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use ipnet::IpNet;
use jiff::Timestamp;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::caller_address::TrustedProxies;
use crate::dashboard::Sessions;
use crate::data_dir::DataDir;
use crate::database::{Database, OpenError};
use crate::downloads::Downloads;
use crate::flag_times;
use crate::forward::Forwarding;
use crate::lock::{Lock, LockError};
use crate::notices::NoticeOptions;
use crate::serve_error::ServeError;
use crate::server_key::ServerKey;
use crate::sign_in_limit::SignInLimit;
use crate::slow_clients;
use crate::state::{AppState, Transport};
use crate::vault::{Vault, VaultError};

/// How long requests under way may take to end once the server is told to stop.
const GRACE: Duration = Duration::from_secs(1);

/// How often ended dashboard sessions are looked for, so that their keys leave memory, and ended snoozes.
const SWEEP: Duration = Duration::from_mins(1);

/// How often the standing flags are counted, for the trends.
const COUNT: Duration = Duration::from_mins(15);

/// How long new facts are gathered before channels are told of them together.
const NOTICE_INTERVAL: Duration = Duration::from_mins(1);

/// What to serve, and where.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// The directory that [`init`](crate::init()) filled.
    pub data_dir: PathBuf,
    /// The address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate. Without one only loopback addresses are accepted.
    pub tls: Option<TlsFiles>,
}

/// A certificate chain and its key, as PEM files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain.
    pub cert: PathBuf,
    /// The key.
    pub key: PathBuf,
}

/// A server that listens and does not answer yet.
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    tls: Option<RustlsConfig>,
    state: AppState,
    forwarding: Option<Forwarding>,
    notice_interval: Duration,
    proxies: TrustedProxies,
    patience: Duration,
    /// Held as long as the server lives: one server per data directory.
    lock: Lock,
}

impl Server {
    /// Opens the vault and the port.
    ///
    /// # Errors
    /// One variant of [`ServeError`] per thing that can be in the way.
    pub async fn bind(config: ServeConfig) -> Result<Self, ServeError> {
        if config.tls.is_none() && !config.listen.ip().is_loopback() {
            return Err(ServeError::NeedsTls {
                listen: config.listen,
            });
        }
        let dir = DataDir::new(&config.data_dir);
        if !dir.database().exists() {
            return Err(ServeError::NoVault {
                data_dir: config.data_dir,
            });
        }
        let lock = lock(&dir)?;
        let (listener, local_addr) = listen(config.listen)?;
        let tls = match config.tls {
            Some(files) => Some(load_tls(files).await?),
            None => None,
        };
        let state = open(&dir, transport(tls.as_ref()), local_addr).await?;
        Ok(Self {
            listener,
            local_addr,
            tls,
            state,
            forwarding: None,
            notice_interval: NOTICE_INTERVAL,
            proxies: TrustedProxies::default(),
            patience: slow_clients::PATIENCE,
            lock,
        })
    }

    /// Forwards the audit trail while it runs.
    #[must_use]
    pub fn forwarding_audit(mut self, forwarding: Option<Forwarding>) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// The address by which people reach the dashboard, where it is not the one it listens on: for the links of notices.
    /// With https, a proxy has the certificate, and cookies never travel in clear.
    #[must_use]
    pub fn known_as(mut self, dashboard: Option<Url>) -> Self {
        if let Some(dashboard) = dashboard {
            if dashboard.scheme() == "https" {
                self.state.transport = Transport::Tls;
            }
            self.state.dashboard = dashboard;
        }
        self
    }

    /// The folder whose files the downloads page offers, in place of `downloads` in the data directory.
    #[must_use]
    pub fn offering(mut self, folder: Option<PathBuf>) -> Self {
        if let Some(folder) = folder {
            self.state.downloads = Arc::new(Downloads::new(folder));
        }
        self
    }

    /// Proxies whose `X-Forwarded-For` tells the caller's address.
    #[must_use]
    pub fn behind(mut self, proxies: Vec<IpNet>) -> Self {
        self.proxies = proxies.into();
        self
    }

    /// How long new facts are gathered before channels are told of them together; a minute by default.
    #[must_use]
    pub fn telling_every(mut self, interval: Duration) -> Self {
        self.notice_interval = interval;
        self
    }

    /// Waits so long for a request's head, and between two pieces of its body; a minute without this.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it listens, as a URL without a path.
    pub fn url(&self) -> String {
        url(transport(self.tls.as_ref()), self.local_addr)
    }

    /// Answers until `shutdown` ends, then ends within about a second.
    ///
    /// # Errors
    /// When the listener breaks down.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let handle = Handle::new();
        let closing = self.state.closing.clone();
        let sessions = self.state.sessions.clone();
        let vault = Arc::clone(&self.state.vault);
        let mut background = JoinSet::new();
        background.spawn(stop_after(shutdown, closing.clone(), handle.clone()));
        let swept = Arc::clone(&vault);
        background.spawn(async move { sessions.sweep_every(SWEEP, &swept).await });
        background.spawn(flag_times::look_at_flags_every(SWEEP, Arc::clone(&vault)));
        background.spawn(flag_times::count_flags_every(COUNT, Arc::clone(&vault)));
        if let Some(forwarding) = self.forwarding {
            background.spawn(crate::forward::run(Arc::clone(&vault), forwarding));
        }
        let options = NoticeOptions {
            dashboard: self.state.dashboard.clone(),
            interval: self.notice_interval,
        };
        background.spawn(crate::notices::run(Arc::clone(&vault), options));
        let routes = slow_clients::limit_bodies(routes(self.state, self.proxies), self.patience);
        let served = serve(self.listener, self.tls, handle, self.patience, routes).await;
        background.shutdown().await;
        closing.cancel();
        vault.close().await;
        drop(self.lock);
        served
    }
}

async fn stop_after(
    shutdown: impl Future<Output = ()>,
    closing: CancellationToken,
    handle: Handle<SocketAddr>,
) {
    shutdown.await;
    closing.cancel();
    handle.graceful_shutdown(Some(GRACE));
}

async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    handle: Handle<SocketAddr>,
    patience: Duration,
    routes: Router,
) -> Result<(), ServeError> {
    let service = routes.into_make_service_with_connect_info::<SocketAddr>();
    if let Some(tls) = tls {
        let server = axum_server::from_tcp_rustls(listener, tls).map_err(ServeError::Run)?;
        let server = slow_clients::limit_heads(server.handle(handle), patience);
        server.serve(service).await
    } else {
        let server = axum_server::from_tcp(listener).map_err(ServeError::Run)?;
        let server = slow_clients::limit_heads(server.handle(handle), patience);
        server.serve(service).await
    }
    .map_err(ServeError::Run)
}

fn routes(state: AppState, proxies: TrustedProxies) -> Router {
    let transport = state.transport;
    let routes = crate::routes::all().into_router().with_state(state);
    crate::security_headers::add(routes, transport)
        .layer(axum::middleware::from_fn(crate::request_id::assign))
        .layer(axum::middleware::from_fn_with_state(
            proxies,
            crate::caller_address::remember,
        ))
}

fn transport(tls: Option<&RustlsConfig>) -> Transport {
    match tls {
        Some(_) => Transport::Tls,
        None => Transport::Loopback,
    }
}

fn url(transport: Transport, address: SocketAddr) -> String {
    let scheme = match transport {
        Transport::Tls => "https",
        Transport::Loopback => "http",
    };
    format!("{scheme}://{address}")
}

async fn open(
    dir: &DataDir,
    transport: Transport,
    address: SocketAddr,
) -> Result<AppState, ServeError> {
    let key_file = dir.server_key();
    let server_key = ServerKey::read(&key_file).map_err(|source| ServeError::Open {
        path: key_file,
        source,
    })?;
    let database = open_database(dir.database()).await?;
    let vault = Vault::new(database, server_key).await?;
    vault.prune().await?;
    flag_times::look_at_flags(&vault, Timestamp::now()).await?;
    let dashboard = url(transport, address).parse();
    let dashboard = dashboard.map_err(|error| ServeError::Vault(Box::new(error)))?;
    Ok(AppState {
        vault: Arc::new(vault),
        sessions: Sessions::default(),
        sign_in_limit: Arc::new(SignInLimit::default()),
        api_key_limit: Arc::new(SignInLimit::default()),
        transport,
        dashboard,
        downloads: Arc::new(Downloads::new(dir.downloads())),
        closing: CancellationToken::new(),
    })
}

async fn open_database(file: PathBuf) -> Result<Database, ServeError> {
    let opened = Database::open(&file).await;
    opened.map_err(|error| match error {
        OpenError::NotWritable(source) => ServeError::NotWritable { path: file, source },
        OpenError::Newer => ServeError::Newer { path: file },
        unusable @ OpenError::Unusable(_) => VaultError::from(unusable).into(),
    })
}

fn lock(dir: &DataDir) -> Result<Lock, ServeError> {
    let path = dir.lock();
    Lock::take(&path).map_err(|error| match error {
        LockError::Held(holder) => ServeError::InUse {
            data_dir: dir.path().to_owned(),
            holder,
        },
        LockError::NotWritable(error) => ServeError::NotWritable {
            path,
            source: Box::new(error),
        },
    })
}

fn listen(listen: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::PortInUse { listen },
        _ => ServeError::Listen { listen, source },
    };
    let listener = TcpListener::bind(listen).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let local = listener.local_addr().map_err(failed)?;
    Ok((listener, local))
}

async fn load_tls(files: TlsFiles) -> Result<RustlsConfig, ServeError> {
    // An application that embeds the server may have chosen its provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    RustlsConfig::from_pem_file(&files.cert, &files.key)
        .await
        .map_err(|source| ServeError::Tls {
            cert: files.cert,
            key: files.key,
            source,
        })
}
