//! What only one part of the daemon may use: a device, a port, a file.

use super::problem::Findings;
use super::tree::At;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What may be used once only: devices, addresses, files.
#[derive(Debug, Default)]
pub(super) struct Claims {
    paths: BTreeMap<PathBuf, String>,
    peers: BTreeMap<String, String>,
    listens: Vec<(&'static str, SocketAddr, String)>,
}

impl Claims {
    /// Claims a device or a file for `user`; two names of one file are one file.
    pub(super) fn path(
        &mut self,
        path: &Path,
        line: usize,
        key: &str,
        user: &str,
        findings: &mut Findings,
    ) {
        let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.components().collect());
        if let Some(other) = self.paths.get(&real) {
            let what = format!(
                "{:?} is already used by {other}",
                path.display().to_string()
            );
            findings.wrong(line, key, what);
        } else {
            self.paths.insert(real, user.to_owned());
        }
    }

    /// Claims a port for `user`; a wildcard address overlaps every address of its port.
    pub(super) fn listen(
        &mut self,
        kind: &'static str,
        address: SocketAddr,
        line: usize,
        key: &str,
        user: &str,
        findings: &mut Findings,
    ) {
        let overlaps = |other: &SocketAddr| {
            other.port() == address.port()
                && address.port() != 0
                && (other.ip() == address.ip()
                    || other.ip().is_unspecified()
                    || address.ip().is_unspecified())
        };
        let taken = self
            .listens
            .iter()
            .find(|(other_kind, other, _)| *other_kind == kind && overlaps(other));
        if let Some((_, _, other)) = taken {
            findings.wrong(line, key, format!("{address} is already used by {other}"));
        } else {
            self.listens.push((kind, address, user.to_owned()));
        }
    }

    /// Claims a peer that we connect to for `user`.
    pub(super) fn peer(
        &mut self,
        address: &At<String>,
        key: &str,
        user: &str,
        findings: &mut Findings,
    ) {
        if let Some(other) = self.peers.get(&address.value) {
            let what = format!("{:?} is already used by {other}", address.value);
            findings.wrong(address.line, key, what);
        } else {
            self.peers.insert(address.value.clone(), user.to_owned());
        }
    }
}
