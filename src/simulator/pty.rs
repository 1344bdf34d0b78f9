//! A pseudo-terminal with a stable name: the serial cable of a simulated device.
//!
//! We hold the master; the host opens the name as it would open a serial port. As on a wire, nothing
//! waits: what does not fit is lost, and what nobody reads for a second is thrown away, so that a
//! host which opens the port late never reads old numbers as new ones. Dropping the value hangs up
//! and removes the name.

use crate::clock::Clock;
use crate::vocabulary::Moment;
use rustix::fs::OFlags;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, QueueSelector};
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::unix::AsyncFd;

/// How long bytes may lie unread before they are thrown away.
const PATIENCE: Duration = Duration::from_secs(1);

/// A pseudo-terminal and the symbolic link that names it.
pub(super) struct Pty {
    master: AsyncFd<OwnedFd>,
    /// Held open so that the line does not hang up whenever the host closes it.
    slave: OwnedFd,
    link: PathBuf,
    device: PathBuf,
    clock: Clock,
    patience: Duration,
    unread: u64,
    unread_since: Option<Moment>,
}

impl Pty {
    /// Makes a pseudo-terminal and links it at `link`. A link to another pseudo-terminal is replaced;
    /// anything else there is left alone, and an error. Needs a tokio runtime.
    pub(super) fn create(link: &Path) -> io::Result<Self> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = rustix::pty::openpt(flags)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
        let mut settings = rustix::termios::tcgetattr(&slave)?;
        settings.make_raw();
        rustix::termios::tcsetattr(&slave, OptionalActions::Now, &settings)?;
        let before = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, before | OFlags::NONBLOCK)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let device = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
        #[expect(
            deprecated,
            reason = "its successor is unsafe; this descriptor is owned, and neither closed nor replaced while registered"
        )]
        let master = AsyncFd::new(master)?;
        place(link, &device)?;
        Ok(Self {
            master,
            slave,
            link: link.to_owned(),
            device,
            clock: Clock::real(),
            patience: PATIENCE,
            unread: 0,
            unread_since: None,
        })
    }

    /// Waits for bytes from the host.
    pub(super) async fn receive(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut ready = self.master.readable().await?;
            let read = ready.try_io(|master| Ok(rustix::io::read(master.get_ref(), &mut *buffer)?));
            match read {
                Ok(done) => return done,
                Err(_would_block) => {}
            }
        }
    }

    /// Puts bytes on the line without waiting.
    pub(super) fn send(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        // A host that locked the port and was killed must not lock out its successor.
        rustix::termios::ioctl_tiocnxcl(&self.slave)?;
        self.discard_unread()?;
        while !bytes.is_empty() {
            match rustix::io::write(self.master.get_ref(), bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn discard_unread(&mut self) -> io::Result<()> {
        let unread = rustix::io::ioctl_fionread(&self.slave)?;
        let untouched = unread > 0 && unread >= self.unread;
        self.unread = unread;
        if !untouched {
            self.unread_since = None;
            return Ok(());
        }
        let now = self.clock.now().moment;
        if now.since(*self.unread_since.get_or_insert(now)) >= self.patience {
            rustix::termios::tcflush(&self.slave, QueueSelector::IFlush)?;
            self.unread = 0;
            self.unread_since = None;
        }
        Ok(())
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if std::fs::read_link(&self.link).is_ok_and(|target| target == self.device)
            && let Err(error) = std::fs::remove_file(&self.link)
        {
            tracing::warn!(link = %self.link.display(), %error, "link not removed");
        }
    }
}

/// Links `device` at `link`, replacing only what is a link to a pseudo-terminal itself.
fn place(link: &Path, device: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(link) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
        Ok(_) => {
            let ours = std::fs::read_link(link).is_ok_and(|to| to.starts_with("/dev/pts"));
            if !ours {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "something that is no link to a pseudo-terminal is already there",
                ));
            }
            std::fs::remove_file(link)?;
        }
    }
    std::os::unix::fs::symlink(device, link)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, OpenOptions};
    use std::io::{Read, Write};

    fn host(link: &Path) -> File {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(link)
            .unwrap()
    }

    #[tokio::test]
    async fn bytes_pass_unchanged_both_ways() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        let mut pty = Pty::create(&link).unwrap();
        let mut host = host(&link);
        let every: Vec<u8> = (0..=255).collect();
        pty.send(&every).unwrap();
        let mut read = vec![0; 256];
        host.read_exact(&mut read).unwrap();
        assert_eq!(read, every);
        host.write_all(&every).unwrap();
        let mut back = Vec::new();
        while back.len() < 256 {
            let mut buffer = [0; 512];
            let length = pty.receive(&mut buffer).await.unwrap();
            back.extend_from_slice(&buffer[..length]);
        }
        assert_eq!(back, every);
    }

    #[tokio::test]
    async fn a_pulled_cable_is_the_end_of_the_file_and_the_name_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        let pty = Pty::create(&link).unwrap();
        let mut host = host(&link);
        drop(pty);
        assert!(std::fs::symlink_metadata(&link).is_err());
        assert_eq!(host.read(&mut [0; 16]).unwrap_or(0), 0);
        let again = Pty::create(&link).unwrap();
        drop(again);
    }

    #[tokio::test]
    async fn only_a_link_to_a_pseudo_terminal_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        std::fs::write(&link, "precious").unwrap();
        let error = Pty::create(&link).err().unwrap();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&link).unwrap(), "precious");
        std::fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("/dev/pts/no-such", &link).unwrap();
        let pty = Pty::create(&link).unwrap();
        assert_eq!(std::fs::read_link(&link).unwrap(), pty.device);
    }

    #[tokio::test]
    async fn a_line_that_nobody_reads_never_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let mut pty = Pty::create(&folder.path().join("port")).unwrap();
        for _ in 0..1_000 {
            pty.send(&[0x55; 1_024]).unwrap();
        }
    }

    #[tokio::test]
    async fn a_host_that_comes_late_reads_nothing_old() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("port");
        let mut pty = Pty::create(&link).unwrap();
        pty.patience = Duration::ZERO;
        pty.send(b"old").unwrap();
        while rustix::io::ioctl_fionread(&pty.slave).unwrap() < 3 {
            tokio::task::yield_now().await;
        }
        pty.send(b"new").unwrap();
        let mut read = [0; 3];
        host(&link).read_exact(&mut read).unwrap();
        assert_eq!(&read, b"new");
    }
}
