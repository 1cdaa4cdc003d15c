//! Lines of JSON on a stream, each of a limited length and within a limited time.

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _,
};
use tokio::time::timeout;

/// What a stream allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The longest line.
    pub(super) length: usize,
    /// The longest time for one.
    pub(super) time: Duration,
}

/// The next line without its end; `None` where the other side has gone.
pub(super) async fn read(
    stream: &mut (impl AsyncBufRead + Unpin),
    limits: Limits,
) -> io::Result<Option<Vec<u8>>> {
    let most = u64::try_from(limits.length).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let mut limited = stream.take(most.saturating_add(1));
    let read = timeout(limits.time, limited.read_until(b'\n', &mut line));
    read.await.map_err(|_| io::ErrorKind::TimedOut)??;
    match line.pop() {
        None => Ok(None),
        Some(b'\n') => Ok(Some(line)),
        Some(_) if line.len() >= limits.length => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the line is too long",
        )),
        Some(_) => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Writes a value as a line.
pub(super) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    value: &impl Serialize,
    limits: Limits,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    if line.len() > limits.length {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the line is too long",
        ));
    }
    line.push(b'\n');
    let written = timeout(limits.time, async {
        stream.write_all(&line).await?;
        stream.flush().await
    });
    written.await.map_err(|_| io::ErrorKind::TimedOut)?
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        length: 8,
        time: Duration::from_secs(5),
    };

    async fn read_all(mut bytes: &[u8]) -> Vec<io::Result<Option<Vec<u8>>>> {
        let mut read_so_far = Vec::new();
        loop {
            let line = read(&mut bytes, LIMITS).await;
            let ended = !matches!(line, Ok(Some(_)));
            read_so_far.push(line);
            if ended {
                return read_so_far;
            }
        }
    }

    #[tokio::test]
    async fn lines_are_read_one_by_one_until_the_other_side_goes() {
        let lines = read_all(b"one\n\n12345678\n").await;
        let lines: Vec<_> = lines.into_iter().map(Result::unwrap).collect();
        let expected = [&b"one"[..], b"", b"12345678"].map(|line| Some(line.to_vec()));
        assert_eq!(lines[..3], expected);
        assert_eq!(lines[3], None);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_or_cut_off_is_an_error() {
        let kinds = async |bytes| {
            let last = read_all(bytes).await.pop().unwrap();
            last.unwrap_err().kind()
        };
        assert_eq!(kinds(b"123456789\n").await, io::ErrorKind::InvalidData);
        assert_eq!(kinds(b"1234567890123").await, io::ErrorKind::InvalidData);
        assert_eq!(kinds(b"12345").await, io::ErrorKind::UnexpectedEof);
        let mut out = Vec::new();
        let error = write(&mut out, &"12345678", LIMITS).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(out.is_empty());
    }

    #[tokio::test]
    async fn nobody_is_waited_for_for_ever() {
        let (mut ours, _theirs) = tokio::io::duplex(64);
        let mut ours = tokio::io::BufReader::new(&mut ours);
        let no_time = Limits {
            time: Duration::ZERO,
            ..LIMITS
        };
        let error = read(&mut ours, no_time).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
