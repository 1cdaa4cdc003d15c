//! A proxy on loopback that plays the way beyond this machine: `CONNECT` to hosts that lead to the test's own servers.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// A request for a way through is shorter.
const LONGEST_HEAD: usize = 8 * 1024;

/// A proxy, and the ways through that it was asked for.
pub struct TestProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

/// Whom the proxy lets through, and where to.
#[derive(Clone, Default)]
struct Rules {
    /// `Basic …` of its user; none may be anybody.
    user: Option<String>,
    /// `host:port`, and the server that stands for it.
    ways: Vec<(String, SocketAddr)>,
}

/// A proxy that is yet to be started.
#[derive(Default)]
pub struct TestProxyBuilder(Rules);

impl TestProxyBuilder {
    /// It lets nobody through but this user.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        let credentials = STANDARD.encode(format!("{name}:{password}"));
        self.0.user = Some(format!("Basic {credentials}"));
        self
    }

    /// Port 443 of this host is this server; hosts that are not named are refused with 403.
    #[must_use]
    pub fn way(mut self, host: &str, to: SocketAddr) -> Self {
        self.0.ways.push((format!("{host}:443"), to));
        self
    }

    /// Starts it, until the test's runtime ends.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start(self) -> anyhow::Result<TestProxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (rules, seen) = (self.0.clone(), Arc::clone(&seen));
                tokio::spawn(async move { serve(client, &rules, &seen).await });
            }
        });
        Ok(TestProxy { address, asked })
    }
}

impl TestProxy {
    /// A proxy that leads nowhere and lets anybody ask.
    pub fn builder() -> TestProxyBuilder {
        TestProxyBuilder::default()
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its host and port.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// The `host:port` of every way through that was asked for, in order.
    pub fn asked_for(&self) -> Vec<String> {
        self.asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

async fn serve(mut client: TcpStream, rules: &Rules, seen: &Mutex<Vec<String>>) -> Option<()> {
    let head = head(&mut client).await?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    seen.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(target.to_owned());
    let (answer, way) = rules.answer(&head, target);
    let answer = format!("HTTP/1.1 {answer}\r\n\r\n");
    client.write_all(answer.as_bytes()).await.ok()?;
    let mut server = TcpStream::connect(way?).await.ok()?;
    copy_bidirectional(&mut client, &mut server).await.ok()?;
    Some(())
}

impl Rules {
    /// The answer's status and headers, and the way, where there is one.
    fn answer(&self, head: &str, target: &str) -> (&'static str, Option<SocketAddr>) {
        if !self.lets_in(head) {
            let want =
                "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"";
            return (want, None);
        }
        match self.ways.iter().find(|(host, _)| host == target) {
            Some((_, to)) => ("200 Connection established", Some(*to)),
            None => ("403 Forbidden", None),
        }
    }

    fn lets_in(&self, head: &str) -> bool {
        let Some(user) = &self.user else {
            return true;
        };
        let given = head.lines().filter_map(|line| line.split_once(": "));
        let mut given = given.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
        given.any(|(_, value)| value == user)
    }
}

/// The head of an HTTP request.
async fn head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
        if head.len() > LONGEST_HEAD {
            return None;
        }
    }
    String::from_utf8(head).ok()
}
