//! Requests byte for byte, as no HTTP library would send them.

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// What came back until the server closed the connection.
pub(crate) struct Raw {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Raw {
    pub(crate) fn status(&self) -> u16 {
        let status = self.head.split(' ').nth(1).expect(&self.head);
        status.parse().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect(&self.body)
    }
}

/// Opens a connection to the server at `url`.
pub(crate) async fn connect(url: &str) -> TcpStream {
    let address = url.strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

/// Sends a head (lines without `connection`) and a body, and reads to the end.
pub(crate) async fn exchange(url: &str, head: &[&str], body: &str) -> Raw {
    let mut stream = connect(url).await;
    let length = format!("content-length: {}", body.len());
    let head = [head, &["connection: close", &length, "", ""]].concat();
    let request = head.join("\r\n") + body;
    stream.write_all(request.as_bytes()).await.unwrap();
    read(&mut stream).await
}

/// Reads until the server closes the connection.
pub(crate) async fn read(stream: &mut TcpStream) -> Raw {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Raw {
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
