//! Keys of a feed that have no meaning with its transport.

use super::check_feed::FeedCheck;
use super::problem::Findings;

impl FeedCheck<'_> {
    /// Keys that belong to another transport than the one that is given.
    pub(super) fn refuse_strays(&self, findings: &mut Findings) {
        let raw = self.raw;
        let (serial, file) = (raw.serial.is_some(), raw.file.is_some());
        let bound = raw.listen.is_some() || raw.udp.is_some();
        let connection = raw.listen.is_some() || raw.connect.is_some();
        for (fits, belongs, key, line) in [
            (
                connection,
                "listen or connect",
                "tls",
                raw.tls.as_ref().map(|tls| tls.line),
            ),
            (
                bound,
                "listen or udp",
                "allow",
                raw.allow.as_ref().map(|at| at.line),
            ),
            (
                raw.udp.is_some(),
                "udp",
                "peer",
                raw.peer.as_ref().map(|at| at.line),
            ),
            (
                serial,
                "serial",
                "baud",
                raw.baud.as_ref().map(|at| at.line),
            ),
            (
                serial,
                "serial",
                "parity",
                raw.parity.as_ref().map(|at| at.line),
            ),
            (
                serial,
                "serial",
                "stop-bits",
                raw.stop_bits.as_ref().map(|at| at.line),
            ),
            (
                serial,
                "serial",
                "flow",
                raw.flow.as_ref().map(|at| at.line),
            ),
            (file, "file", "pace", raw.pace.as_ref().map(|at| at.line)),
            (
                file,
                "file",
                "bytes-per-second",
                raw.bytes_per_second.as_ref().map(|at| at.line),
            ),
        ] {
            if let (false, Some(line)) = (fits, line) {
                findings.wrong(
                    line,
                    &format!("feed.{key}"),
                    format!("has a meaning with {belongs} only"),
                );
            }
        }
    }
}
