//! A tiny blocking HTTP/1.1 client for `status` and the kiosk: one GET to the daemon of this machine.
//!
//! Every wait is bounded, and so is what it reads.

use super::runtime::{ADDRESS_FILE, TOKEN_FILE};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

/// The longest wait for the connection, and for each piece of the answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest answer, bytes.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// The address that the running, or last, daemon wrote.
pub fn address(runtime_dir: &Path) -> Option<SocketAddr> {
    fs::read_to_string(runtime_dir.join(ADDRESS_FILE))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The token that the running, or last, daemon wrote; `None` when it may not be read.
pub fn token(runtime_dir: &Path) -> Option<String> {
    let text = fs::read_to_string(runtime_dir.join(TOKEN_FILE)).ok()?;
    let token = text.trim();
    (token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .then(|| token.to_owned())
}

/// Asks for `path`: the status and the body. Fails when nobody answers in time, or not as HTTP with a
/// stated length.
pub fn get(address: SocketAddr, path: &str) -> io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    // A server may keep the connection open: the stated length says when the answer is whole.
    let mut answer = Vec::new();
    let mut piece = [0_u8; 16 * 1024];
    let mut stream = stream.take(MOST_BYTES);
    loop {
        let length = stream.read(&mut piece)?;
        answer.extend(piece.iter().take(length));
        if let Some(whole) = read(&answer) {
            return Ok(whole);
        }
        if length == 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the answer is not complete HTTP",
            ));
        }
    }
}

/// Status and body of an answer with a stated length.
fn read(answer: &[u8]) -> Option<(u16, String)> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()?
        .strip_prefix("HTTP/1.1 ")?
        .get(..3)?
        .parse()
        .ok()?;
    let length: usize = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())?;
    (body.len() == length).then(|| (status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let whole = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno";
        assert_eq!(read(whole), Some((503, "no".to_owned())));
        for cut in 0..whole.len() {
            assert_eq!(read(&whole[..cut]), None, "{cut}");
        }
        assert_eq!(read(b"SSH-2.0-x\r\n\r\n"), None);
        assert_eq!(read(b"HTTP/1.1 200 OK\r\n\r\nbody"), None);
        assert_eq!(read(&[0xff; 64]), None);
    }
}
