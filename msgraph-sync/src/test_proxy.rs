//! A small proxy on loopback for this crate's tests: HTTP `CONNECT` or SOCKS 5, whatever host is asked for.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// How the proxy behaves.
#[derive(Clone)]
pub(crate) enum Manner {
    /// `CONNECT`, with this `Proxy-Authorization` where there is one.
    Connect { credentials: Option<&'static str> },
    /// `CONNECT` is answered with this status.
    Refuses(u16),
    /// SOCKS 5, with this user and password where there are some.
    Socks {
        user: Option<(&'static str, &'static str)>,
    },
    /// SOCKS 5 that answers every wish with this status.
    SocksRefuses(u8),
}

pub(crate) struct TestProxy {
    pub(crate) address: SocketAddr,
    asked_for: Arc<Mutex<Vec<String>>>,
}

impl TestProxy {
    /// A proxy that leads everything to one address.
    pub(crate) async fn start(manner: Manner, leads_to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked_for = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&asked_for);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (manner, asked) = (manner.clone(), Arc::clone(&asked));
                tokio::spawn(async move { serve(client, &manner, leads_to, &asked).await });
            }
        });
        Self { address, asked_for }
    }

    /// The `host:port` of every connection that was asked for.
    pub(crate) fn asked_for(&self) -> Vec<String> {
        self.asked_for.lock().unwrap().clone()
    }
}

async fn serve(
    mut client: TcpStream,
    manner: &Manner,
    leads_to: SocketAddr,
    asked: &Mutex<Vec<String>>,
) -> Option<()> {
    let is_let_through = match manner {
        Manner::Connect { credentials } => connect(&mut client, *credentials, asked).await?,
        Manner::Refuses(status) => {
            head(&mut client).await?;
            let answer = format!("HTTP/1.1 {status} No\r\n\r\n");
            client.write_all(answer.as_bytes()).await.ok()?;
            false
        }
        Manner::Socks { user } => socks(&mut client, *user, 0, asked).await?,
        Manner::SocksRefuses(status) => socks(&mut client, None, *status, asked).await?,
    };
    if is_let_through {
        let mut service = TcpStream::connect(leads_to).await.ok()?;
        copy_bidirectional(&mut client, &mut service).await.ok()?;
    }
    Some(())
}

/// The head of an HTTP request.
async fn head(client: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

async fn connect(
    client: &mut TcpStream,
    credentials: Option<&str>,
    asked: &Mutex<Vec<String>>,
) -> Option<bool> {
    let head = head(client).await?;
    let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
    asked.lock().unwrap().push(target.to_owned());
    let wanted = credentials.map(|it| format!("proxy-authorization: {it}\r\n").to_lowercase());
    let is_signed_in = wanted.is_none_or(|wanted| head.to_lowercase().contains(&wanted));
    let answer = if is_signed_in {
        "HTTP/1.1 200 Connection established\r\n\r\n"
    } else {
        "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\n\r\n"
    };
    client.write_all(answer.as_bytes()).await.ok()?;
    Some(is_signed_in)
}

/// RFC 1928, and RFC 1929 for the user.
async fn socks(
    client: &mut TcpStream,
    user: Option<(&str, &str)>,
    status: u8,
    asked: &Mutex<Vec<String>>,
) -> Option<bool> {
    let _version = client.read_u8().await.ok()?;
    let methods = text(client).await?;
    let method = if user.is_some() { 2 } else { 0 };
    if !methods.bytes().any(|offered| offered == method) {
        client.write_all(&[5, 0xFF]).await.ok()?;
        return Some(false);
    }
    client.write_all(&[5, method]).await.ok()?;
    if let Some((name, password)) = user {
        let _version = client.read_u8().await.ok()?;
        let given = (text(client).await?, text(client).await?);
        let is_right = given == (name.to_owned(), password.to_owned());
        client.write_all(&[1, u8::from(!is_right)]).await.ok()?;
        if !is_right {
            return Some(false);
        }
    }
    let mut wish = [0; 4];
    client.read_exact(&mut wish).await.ok()?;
    let host = match wish[3] {
        1 => {
            let mut octets = [0; 4];
            client.read_exact(&mut octets).await.ok()?;
            std::net::Ipv4Addr::from(octets).to_string()
        }
        _ => text(client).await?,
    };
    let port = client.read_u16().await.ok()?;
    asked.lock().unwrap().push(format!("{host}:{port}"));
    client
        .write_all(&[5, status, 0, 1, 0, 0, 0, 0, 0, 0])
        .await
        .ok()?;
    Some(status == 0)
}

/// A text after its length.
async fn text(client: &mut TcpStream) -> Option<String> {
    let mut bytes = vec![0; usize::from(client.read_u8().await.ok()?)];
    client.read_exact(&mut bytes).await.ok()?;
    String::from_utf8(bytes).ok()
}
