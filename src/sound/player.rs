//! The process that plays: any program that reads S16LE, 48 kHz, mono on its standard input.
//!
//! Promises: nothing here ever waits for the player, neither to take samples nor to die; at most 4 KiB
//! wait in front of it; it is ended with its whole process group. The sound thread owns it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io::{self, Read, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStderr, ChildStdin, Command, ExitStatus, Stdio};
use std::time::Duration;

/// Bytes that may wait for the player: one page, 42 ms.
const QUEUE: usize = 4_096;

/// Bytes of the player's own words that are kept for the message.
const WORDS: usize = 400;

const BYTES_PER_SAMPLE: usize = size_of::<i16>();

/// Why no sound comes out.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The configuration says so.
    #[error("no player is configured: set [sound] player to hear alarms")]
    NoPlayer,
    /// The program does not start.
    #[error("cannot start the player {program:?}: {source}; install it or set [sound] player")]
    Start { program: String, source: io::Error },
    /// The program ended by itself.
    #[error("the player {program:?} ended ({status}){words}; is the sound card there?")]
    Ended {
        program: String,
        status: String,
        words: String,
    },
    /// The program closed its input without ending, or somebody killed it.
    #[error("the player {program:?} stopped listening or was killed{words}")]
    Closed { program: String, words: String },
    /// The program takes nothing.
    #[error("the player {program:?} takes no sound{words}; does the sound card hang?")]
    Stalled { program: String, words: String },
    /// The pipe to it does not work.
    #[error("cannot write to the player {program:?}: {source}")]
    Pipe { program: String, source: io::Error },
}

/// A running player.
#[derive(Debug)]
pub(super) struct Player {
    program: String,
    child: Child,
    input: ChildStdin,
    errors: ChildStderr,
    /// The newest of what it said on stderr.
    words: Vec<u8>,
    /// Bytes that did not fit into the pipe.
    pending: Vec<u8>,
    /// Bytes that went into the pipe.
    written: u64,
}

impl Player {
    /// Starts the command in a process group of its own.
    pub(super) fn start(command: &[String]) -> Result<Self, Failure> {
        let (program, arguments) = command.split_first().ok_or(Failure::NoPlayer)?;
        let cannot = |source| Failure::Start {
            program: program.clone(),
            source,
        };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(cannot)?;
        let (Some(input), Some(errors)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(cannot(io::Error::other("no pipes to it")));
        };
        // A smaller pipe is a second line of defence: what may wait is bounded by `room` anyway, so that
        // a kernel with larger pages, or one that refuses, changes nothing.
        if let Err(error) = fcntl_setpipe_size(&input, QUEUE) {
            tracing::debug!(%error, "the player's pipe keeps its size");
        }
        let player = Self {
            program: program.clone(),
            child,
            input,
            errors,
            words: Vec::new(),
            pending: Vec::new(),
            written: 0,
        };
        ioctl_fionbio(&player.input, true)
            .and_then(|()| ioctl_fionbio(&player.errors, true))
            .map_err(|error| player.pipe(error.into()))?;
        Ok(player)
    }

    /// Samples taken by the player so far, and samples that wait for it.
    pub(super) fn progress(&self) -> Result<(u64, u64), Failure> {
        let queued = ioctl_fionread(&self.input).map_err(|error| self.pipe(error.into()))?;
        let waiting = queued.saturating_add(self.pending.len() as u64);
        let taken = self.written.saturating_sub(queued);
        let samples = |bytes: u64| bytes.div_ceil(BYTES_PER_SAMPLE as u64);
        Ok((taken / BYTES_PER_SAMPLE as u64, samples(waiting)))
    }

    /// Samples that may be offered while `waiting` wait.
    pub(super) fn room(waiting: u64) -> usize {
        let waiting = usize::try_from(waiting).unwrap_or(usize::MAX);
        (QUEUE / BYTES_PER_SAMPLE).saturating_sub(waiting)
    }

    /// Writes these samples; what does not fit is kept for the next time.
    pub(super) fn offer(&mut self, samples: &[i16]) -> Result<(), Failure> {
        self.pending
            .extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        while !self.pending.is_empty() {
            match self.input.write(&self.pending) {
                Ok(taken) => {
                    self.pending.drain(..taken);
                    self.written = self.written.saturating_add(taken as u64);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    return Err(self.closed());
                }
                Err(error) => return Err(self.pipe(error)),
            }
        }
        Ok(())
    }

    /// Waits until `span` has passed, room appeared for what is pending, or the player hung up.
    pub(super) fn wait(&self, span: Duration) -> Result<(), Failure> {
        let wanted = if self.pending.is_empty() {
            PollFlags::empty()
        } else {
            PollFlags::OUT
        };
        let mut pipes = [PollFd::new(&self.input, wanted)];
        let timeout = Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(span.subsec_nanos()),
        };
        match poll(&mut pipes, Some(&timeout)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(self.pipe(error.into())),
        }
        let [pipe] = pipes;
        if pipe.revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return Err(self.closed());
        }
        Ok(())
    }

    /// Fails when the process has ended. It stays unreaped, so that its number cannot be reused before
    /// [`Player::end`] has ended the rest of its group.
    pub(super) fn check(&mut self) -> Result<(), Failure> {
        self.listen();
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(Pid::from_child(&self.child)), peek) {
            Ok(None) | Err(Errno::INTR) => Ok(()),
            Ok(Some(_)) => Err(self.closed()),
            Err(error) => Err(self.pipe(error.into())),
        }
    }

    /// Takes what the player says on stderr, so that it never waits for us; keeps the end of it.
    fn listen(&mut self) {
        let mut buffer = [0; WORDS];
        if let Ok(count) = self.errors.read(&mut buffer) {
            self.words.extend(buffer.iter().take(count));
            let surplus = self.words.len().saturating_sub(WORDS);
            self.words.drain(..surplus);
        }
    }

    /// The last line of what it said, for a message.
    fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.words)
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .map(|line| {
                let line = line.chars().filter(|letter| !letter.is_control());
                format!(": {}", line.collect::<String>())
            })
            .unwrap_or_default()
    }

    /// Kills the whole group; the process itself is reaped by [`Player::gone`].
    pub(super) fn kill(&self) {
        // The only possible failure is that the group is gone.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
    }

    /// How it ended, once it has. A process that hangs in the kernel may take its time even after
    /// [`Player::kill`].
    pub(super) fn gone(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Says precisely how it ended, where that was only seen from its pipe.
    pub(super) fn explain(&mut self, failure: Failure, status: Option<ExitStatus>) -> Failure {
        self.listen();
        let program = self.program.clone();
        let words = self.last_words();
        match (failure, status) {
            (Failure::Closed { .. }, Some(status))
                if status.signal() != Some(Signal::KILL.as_raw()) =>
            {
                Failure::Ended {
                    program,
                    status: status.to_string(),
                    words,
                }
            }
            (Failure::Closed { .. }, _) => Failure::Closed { program, words },
            (failure, _) => failure,
        }
    }

    /// It takes nothing.
    pub(super) fn stalled(&self) -> Failure {
        Failure::Stalled {
            program: self.program.clone(),
            words: self.last_words(),
        }
    }

    fn closed(&self) -> Failure {
        Failure::Closed {
            program: self.program.clone(),
            words: self.last_words(),
        }
    }

    fn pipe(&self, source: io::Error) -> Failure {
        Failure::Pipe {
            program: self.program.clone(),
            source,
        }
    }
}
