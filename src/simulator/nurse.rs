//! The nurse of a scripted session: commands over the daemon's HTTP interface, as the page sends them.
//!
//! A small HTTP/1.1 client for one loopback daemon: one request per connection, bounded answer.

use crate::engine::Command;
use serde_json::Value;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest answer that is read.
const LONGEST: u64 = 4 * 1_024 * 1_024;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum NurseError {
    /// The daemon could not be reached, or went away.
    #[error("cannot reach the daemon at {address}: {error}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// The daemon refused.
    #[error("refused with status {status}: {error}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What the daemon said.
        error: String,
    },
    /// What came back is no answer.
    #[error("the answer cannot be read: {0}")]
    Unreadable(&'static str),
}

/// Somebody with the token.
#[derive(Clone, Debug)]
pub struct Nurse {
    address: String,
    token: String,
}

impl Nurse {
    /// A nurse at the daemon that listens on `address` (host and port), with its token.
    pub fn new(address: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            token: token.into(),
        }
    }

    /// Sends one command; the daemon's answer when it was taken.
    pub async fn command(&self, command: &Command) -> Result<Value, NurseError> {
        let body = serde_json::to_string(command)
            .map_err(|_| NurseError::Unreadable("the command has no text form"))?;
        self.request(&format!(
            "POST /api/v1/commands HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            self.token,
            body.len(),
        ))
        .await
    }

    /// The board as it is now.
    pub async fn board(&self) -> Result<Value, NurseError> {
        self.request(&format!(
            "GET /api/v1/now HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Connection: close\r\n\r\n",
            self.address, self.token,
        ))
        .await
    }

    async fn request(&self, request: &str) -> Result<Value, NurseError> {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = Vec::new();
            stream.take(LONGEST).read_to_end(&mut answer).await?;
            Ok(answer)
        };
        let answer = match tokio::time::timeout(PATIENCE, exchange).await {
            Ok(done) => done,
            Err(_elapsed) => Err(io::ErrorKind::TimedOut.into()),
        }
        .map_err(|error| NurseError::Unreachable {
            address: self.address.clone(),
            error,
        })?;
        read_answer(&answer)
    }
}

/// Status line, headers that do not matter here, and a JSON body until the end of the connection.
fn read_answer(answer: &[u8]) -> Result<Value, NurseError> {
    let text =
        std::str::from_utf8(answer).map_err(|_| NurseError::Unreadable("it is not UTF-8"))?;
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or(NurseError::Unreadable("it has no end of headers"))?;
    let status: u16 = head
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|status| status.parse().ok())
        .ok_or(NurseError::Unreadable("it has no status"))?;
    let value: Value = serde_json::from_str(body).unwrap_or(Value::Null);
    if (200..300).contains(&status) {
        return Ok(value);
    }
    let error = value
        .get("error")
        .and_then(Value::as_str)
        .unwrap_or("without a reason");
    Err(NurseError::Refused {
        status,
        error: error.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use tokio::net::TcpListener;

    async fn answered(answer: &'static str) -> (Result<Value, NurseError>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut buffer = [0; 1_024];
                let length = stream.read(&mut buffer).await.unwrap();
                request.extend_from_slice(&buffer[..length]);
            }
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8(request).unwrap()
        });
        let nurse = Nurse::new(address, "secret");
        let done = nurse.command(&Command::StopInfusion).await;
        (done, server.await.unwrap())
    }

    #[tokio::test]
    async fn a_command_carries_the_token_and_comes_back_with_its_seq() {
        let (done, request) = answered(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"seq\":7,\"durable\":true}",
        )
        .await;
        assert_eq!(done.unwrap(), json!({"seq": 7, "durable": true}));
        assert!(request.starts_with("POST /api/v1/commands HTTP/1.1\r\n"));
        assert!(request.contains("\r\nAuthorization: Bearer secret\r\n"));
        assert!(request.ends_with("\r\n\r\n{\"command\":\"stop-infusion\"}"));
    }

    #[tokio::test]
    async fn a_refusal_says_why() {
        let (done, _) =
            answered("HTTP/1.1 409 Conflict\r\n\r\n{\"error\":\"not in infusion\"}").await;
        assert_eq!(
            done.unwrap_err().to_string(),
            "refused with status 409: not in infusion"
        );
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for answer in [
            &b""[..],
            b"\xff\r\n\r\n",
            b"hello\r\n\r\n{}",
            b"HTTP/1.1 200 OK",
        ] {
            assert!(read_answer(answer).is_err());
        }
    }
}
