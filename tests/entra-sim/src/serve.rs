//! Listening: plain or with TLS, on a port that the system may choose, until a future ends it.
//!
//! Only HTTP/1.1 is spoken, so that a dropped connection costs exactly one request.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::edge::Scheme;
use crate::simulator::Simulator;

/// How long open requests may finish after the end was asked for.
const GRACE: Duration = Duration::from_secs(2);

/// Certificate chain and key, as PEM files.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate chain.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why the simulator does not listen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address cannot be listened at.
    #[error("could not listen at {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A PEM file cannot be read.
    #[error("could not read `{}`", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: pem::Error,
    },
    /// Certificate and key do not serve.
    #[error("the certificate and its key cannot be used")]
    Tls(#[source] rustls::Error),
    /// Serving ended by itself.
    #[error("could not go on serving")]
    Run(#[source] io::Error),
}

/// A bound simulator that does not answer yet.
pub struct Listening {
    simulator: Simulator,
    listener: TcpListener,
    address: SocketAddr,
    tls: Option<RustlsConfig>,
}

/// Takes the port; `0` lets the system choose one.
///
/// # Errors
/// When the address is in use or the TLS files do not serve.
pub fn bind(
    simulator: Simulator,
    listen: SocketAddr,
    tls: Option<TlsFiles>,
) -> Result<Listening, ServeError> {
    let tls = tls.map(|files| rustls_config(&files)).transpose()?;
    let refused = |source| ServeError::Bind {
        address: listen,
        source,
    };
    let listener = TcpListener::bind(listen).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    Ok(Listening {
        simulator,
        listener,
        address,
        tls,
    })
}

/// Binds and runs in one step, for callers that know the port.
///
/// # Errors
/// As [`bind`] and [`Listening::run`].
pub async fn serve(
    simulator: Simulator,
    listen: SocketAddr,
    tls: Option<TlsFiles>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    bind(simulator, listen, tls)?.run(shutdown).await
}

impl Listening {
    /// Where it listens, with the port that the system chose.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://…` or `https://…`, to be used as authority and as Graph endpoint.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme().name(), self.address)
    }

    /// Answers until `shutdown` ends, then lets open requests finish.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), ServeError> {
        let service = self.simulator.router_for(self.scheme()).into_make_service();
        let handle = Handle::new();
        let ending = handle.clone();
        let waiting = tokio::spawn(async move {
            shutdown.await;
            ending.graceful_shutdown(Some(GRACE));
        });
        let served = match self.tls {
            Some(config) => {
                let server =
                    axum_server::from_tcp_rustls(self.listener, config).map_err(ServeError::Run)?;
                server.handle(handle).serve(service).await
            }
            None => {
                axum_server::from_tcp(self.listener)
                    .map_err(ServeError::Run)?
                    .handle(handle)
                    .serve(service)
                    .await
            }
        };
        waiting.abort();
        served.map_err(ServeError::Run)
    }

    fn scheme(&self) -> Scheme {
        if self.tls.is_some() {
            Scheme::Https
        } else {
            Scheme::Http
        }
    }
}

fn rustls_config(files: &TlsFiles) -> Result<RustlsConfig, ServeError> {
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        |source| ServeError::Pem { path, source }
    };
    let chain = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&files.cert))?;
    if chain.is_empty() {
        return Err(unreadable(&files.cert)(pem::Error::NoItemsFound));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    let provider = Arc::new(ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(ServeError::Tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}
