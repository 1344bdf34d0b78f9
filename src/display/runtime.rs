//! The runtime directory: where `status`, the kiosk and other programs of this machine find the
//! daemon's address and token.

use super::token::Token;
use rustix::fs::{Mode, OFlags};
use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The file with `host:port`.
pub const ADDRESS_FILE: &str = "address";
/// The file with the token.
pub const TOKEN_FILE: &str = "token";

/// The runtime directory of the contract: what systemd gives, else what the configuration says, else
/// beside the journal.
pub fn runtime_dir(configured: Option<&Path>, journal: &Path) -> PathBuf {
    match (std::env::var_os("RUNTIME_DIRECTORY"), configured) {
        (Some(given), _) if !given.is_empty() => PathBuf::from(given),
        (_, Some(configured)) => configured.to_owned(),
        (_, None) => match journal.parent() {
            Some(folder) => folder.to_owned(),
            None => PathBuf::from("."),
        },
    }
}

/// Writes both files, each whole or not at all; the address last, because it says "ready".
pub(super) fn publish(folder: &Path, address: SocketAddr, token: &Token) -> io::Result<()> {
    make_folder(folder, 0o750)?;
    replace(&folder.join(TOKEN_FILE), token.reveal(), Mode::from(0o640))?;
    replace(
        &folder.join(ADDRESS_FILE),
        &address.to_string(),
        Mode::from(0o644),
    )
}

/// Makes a folder and its parents with this mode, unless it is there.
pub(crate) fn make_folder(folder: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(folder)
}

/// Writes text to a fresh file beside `path` and moves it there, so that a reader sees the old or
/// the new content and the mode is right from the first byte on.
pub(crate) fn replace(path: &Path, text: &str, mode: Mode) -> io::Result<()> {
    let fresh = path.with_extension("new");
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
    let mut file = fs::File::from(rustix::fs::open(&fresh, flags, mode)?);
    writeln!(file, "{text}")?;
    fs::rename(&fresh, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_are_replaced_with_their_modes() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("run");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let mut seen = Vec::new();
        for port in [8300, 8301] {
            let token = Token::generate().unwrap();
            publish(&folder, SocketAddr::from(([127, 0, 0, 1], port)), &token).unwrap();
            let address = fs::read_to_string(folder.join(ADDRESS_FILE)).unwrap();
            assert_eq!(address, format!("127.0.0.1:{port}\n"));
            let written = fs::read_to_string(folder.join(TOKEN_FILE)).unwrap();
            assert!(token.matches(written.trim()));
            seen.push(written);
        }
        assert_ne!(seen[0], seen[1]);
        // The umask may take bits away, never add any.
        assert_eq!(mode(&folder) & !0o750, 0);
        assert_eq!(mode(&folder.join(TOKEN_FILE)) & !0o640, 0);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }
}
