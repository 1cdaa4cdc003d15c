//! Forwards the audit trail to a syslog server: RFC 5424 messages that carry CEF, over UDP, TCP or TLS.
//!
//! Each line is sent at least once: how far a server has them is written down in the vault. TCP and TLS do not
//! acknowledge, so the lines of a connection that breaks may be lost on the way; the numbers and hashes tell.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use passportal_client::audit::AuditFormat;
use passportal_client::wire::AuditLine;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio_rustls::TlsConnector;
use tracing::{info, warn};
use url::Url;

use crate::vault::{Vault, VaultError};

/// How often new lines are looked for.
const PAUSE: Duration = Duration::from_secs(2);

/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(15);

/// How long connecting and sending may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Facility 13 (log audit), severity 6 (informational). Source: RFC 5424, section 6.2.1.
const PRIORITY: u8 = 13 * 8 + 6;

/// The same for a failed sign-in: severity 4 (warning).
const PRIORITY_OF_FAILURES: u8 = 13 * 8 + 4;

/// A syslog server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogServer {
    transport: Transport,
    host: String,
    port: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
    Tls,
}

impl Transport {
    fn scheme(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }
}

/// Not a syslog server.
#[derive(Clone, Debug, thiserror::Error)]
#[error("not a syslog server: udp://HOST:PORT, tcp://HOST:PORT or tls://HOST:PORT")]
pub struct NotASyslogServer;

impl FromStr for SyslogServer {
    type Err = NotASyslogServer;

    fn from_str(text: &str) -> Result<Self, NotASyslogServer> {
        let url = Url::parse(text).map_err(|_| NotASyslogServer)?;
        let (transport, usual) = match url.scheme() {
            "udp" => (Transport::Udp, 514),
            "tcp" => (Transport::Tcp, 601),
            "tls" => (Transport::Tls, 6514),
            _ => return Err(NotASyslogServer),
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or(NotASyslogServer)?;
        Ok(Self {
            transport,
            host: host.trim_matches(['[', ']']).to_owned(),
            port: url.port().unwrap_or(usual),
        })
    }
}

impl fmt::Display for SyslogServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}://{}:{}",
            self.transport.scheme(),
            self.host,
            self.port
        )
    }
}

/// Where the audit trail goes, and whom to trust there.
#[derive(Clone, Debug)]
pub struct Forwarding {
    /// The server.
    pub to: SyslogServer,
    /// The certificate authorities that TLS trusts, PEM.
    pub ca: Option<PathBuf>,
}

/// Why a line was not forwarded.
#[derive(Debug, thiserror::Error)]
enum ForwardError {
    #[error("the syslog server cannot be reached")]
    Network(#[from] std::io::Error),
    #[error("the syslog server did not answer in time")]
    TooSlow(#[from] tokio::time::error::Elapsed),
    #[error("the certificate authorities in `{}` cannot be used", path.display())]
    Authorities { path: PathBuf },
    #[error("TLS needs --syslog-ca")]
    NoAuthorities,
    #[error(transparent)]
    Vault(#[from] VaultError),
}

/// Forwards what is new, until it is aborted.
pub(crate) async fn run(vault: Arc<Vault>, forwarding: Forwarding) {
    let mut failing = false;
    loop {
        match forward(&vault, &forwarding).await {
            Ok(()) => {
                if failing {
                    info!(to = %forwarding.to, "the audit trail is forwarded again");
                }
                failing = false;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => {
                // Once, not every time that it is tried.
                if !failing {
                    let error: &dyn std::error::Error = &error;
                    warn!(error, to = %forwarding.to, "the audit trail could not be forwarded; it is tried again");
                }
                failing = true;
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

/// Sends every line that the server does not have yet, over one connection.
async fn forward(vault: &Vault, forwarding: &Forwarding) -> Result<(), ForwardError> {
    let target = forwarding.to.to_string();
    let mut last = vault.forwarded(&target).await?;
    let mut connection = None;
    loop {
        let lines = vault.audit_after(last).await?;
        let Some(end) = lines.last().map(|line| line.line) else {
            break;
        };
        let open = match connection.take() {
            Some(open) => open,
            None => tokio::time::timeout(PATIENCE, connect(forwarding)).await??,
        };
        connection = Some(tokio::time::timeout(PATIENCE, send(open, &lines)).await??);
        vault.note_forwarded(&target, end).await?;
        last = end;
    }
    if let Some(Connection::Stream(mut stream)) = connection {
        stream.shutdown().await?;
    }
    Ok(())
}

enum Connection {
    Datagrams(UdpSocket),
    Stream(Box<dyn AsyncWrite + Send + Unpin>),
}

async fn connect(forwarding: &Forwarding) -> Result<Connection, ForwardError> {
    let to = &forwarding.to;
    let address = (to.host.as_str(), to.port);
    Ok(match to.transport {
        Transport::Udp => {
            let resolved = tokio::net::lookup_host(address).await?.next();
            let address = resolved
                .ok_or(std::io::ErrorKind::NotFound)
                .map_err(std::io::Error::from)?;
            let any = if address.is_ipv4() {
                "0.0.0.0:0"
            } else {
                "[::]:0"
            };
            let socket = UdpSocket::bind(any).await?;
            socket.connect(address).await?;
            Connection::Datagrams(socket)
        }
        Transport::Tcp => Connection::Stream(Box::new(TcpStream::connect(address).await?)),
        Transport::Tls => {
            let ca = forwarding
                .ca
                .as_deref()
                .ok_or(ForwardError::NoAuthorities)?;
            let connector = TlsConnector::from(Arc::new(trusting(ca)?));
            let name = ServerName::try_from(to.host.clone()).map_err(std::io::Error::other)?;
            let stream = TcpStream::connect(address).await?;
            Connection::Stream(Box::new(connector.connect(name, stream).await?))
        }
    })
}

fn trusting(ca: &Path) -> Result<ClientConfig, ForwardError> {
    let unusable = || ForwardError::Authorities {
        path: ca.to_owned(),
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca).map_err(|_| unusable())? {
        let certificate = certificate.map_err(|_| unusable())?;
        roots.add(certificate).map_err(|_| unusable())?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| unusable())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn send(connection: Connection, lines: &[AuditLine]) -> Result<Connection, ForwardError> {
    match connection {
        Connection::Datagrams(socket) => {
            for line in lines {
                socket.send(message(line).as_bytes()).await?;
            }
            Ok(Connection::Datagrams(socket))
        }
        Connection::Stream(mut stream) => {
            let frames: String = lines.iter().map(frame).collect();
            stream.write_all(frames.as_bytes()).await?;
            stream.flush().await?;
            Ok(Connection::Stream(stream))
        }
    }
}

/// Octet counting: RFC 5425, section 4.3, and RFC 6587, section 3.4.1.
fn frame(line: &AuditLine) -> String {
    let text = message(line);
    format!("{} {text}", text.len())
}

fn message(line: &AuditLine) -> String {
    let priority = if line.what.starts_with("failed") {
        PRIORITY_OF_FAILURES
    } else {
        PRIORITY
    };
    let cef = AuditFormat::Cef.line(line);
    let at = format!("{:.6}", line.at);
    format!(
        "<{priority}>1 {at} - passportal-server - audit - {}",
        cef.trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_transport_host_and_port() {
        let named = |text: &str| text.parse::<SyslogServer>().map(|it| it.to_string()).ok();
        assert_eq!(named("udp://siem").as_deref(), Some("udp://siem:514"));
        assert_eq!(
            named("tls://siem.example").as_deref(),
            Some("tls://siem.example:6514")
        );
        assert_eq!(named("tcp://[::1]:1514").as_deref(), Some("tcp://::1:1514"));
        for wrong in ["siem:514", "http://siem", "udp://", "tcp:siem"] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }
}
