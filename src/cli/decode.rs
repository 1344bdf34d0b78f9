//! `decode`: bytes of a device to JSON lines, as far as they can be read and without opening anything.
//!
//! Promises: bounded memory whatever the input, exit 0 and a `summary` line at the end however damaged
//! it is. Time stands still, except with `--hex-lines` and a column of seconds: then it follows the
//! column, and the session's deadlines fire on the way. What a session would send is printed as a
//! reply, as if everything before it were in the record.

use super::{ExitStatus, Failure, printed};
use crate::protocol::json::{self, Summary};
use crate::protocol::{
    Event, Events, Fault, Medium, Options, REGISTRY, Session, SessionOptions, find,
};
use crate::vocabulary::{Decimal, Moment, Now, WallTime};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

/// Arguments of `decode`.
#[derive(clap::Args, Debug)]
pub(super) struct Decode {
    /// The protocol; `infusewatch protocols` lists them.
    #[arg(long, value_name = "P")]
    protocol: String,
    /// A setting of the feed, as in its configuration; may be repeated.
    #[arg(long = "feed-option", value_name = "KEY=VALUE", value_parser = key_and_value)]
    feed_options: Vec<(String, String)>,
    /// One datagram a line as hex, alone or after the columns `seconds direction`.
    #[arg(long)]
    hex_lines: bool,
    /// The bytes; stdin when absent.
    file: Option<PathBuf>,
}

/// Bytes read at a time.
const CHUNK: usize = 8_192;
/// A longer hex line holds no datagram: 64 KiB as hex, and the columns.
const LONGEST_LINE: u64 = 2 * 65_536 + 64;
/// Deadlines that fire between two rows; a row far in the future must not keep us for ever.
const MOST_DEADLINES: usize = 10_000;

fn key_and_value(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("{text:?} is not KEY=VALUE"))
}

impl Decode {
    /// Decodes the input to stdout.
    pub(super) fn run(self) -> Result<ExitStatus, Failure> {
        let mut input: Box<dyn BufRead> = match &self.file {
            Some(path) => {
                let file = File::open(path).map_err(|error| {
                    let path = path.display();
                    Failure::new(
                        ExitStatus::CannotOpen,
                        format!("cannot open {path} to decode it: {error}"),
                    )
                })?;
                Box::new(BufReader::new(file))
            }
            None => Box::new(io::stdin().lock()),
        };
        let session = self.open(&mut input)?;
        let out = BufWriter::new(io::stdout().lock());
        let mut decoding = Decoding::new(session, out);
        let done = if self.hex_lines {
            decoding.rows(&mut input)
        } else {
            decoding.stream(&mut input)
        };
        match done.and_then(|()| decoding.finish()) {
            Ok(()) => Ok(ExitStatus::Done),
            Err(Stopped::Printing(error)) => printed(Err(error)),
            Err(Stopped::Reading(error)) => Err(Failure::new(
                ExitStatus::CannotOpen,
                format!("cannot read the bytes to decode: {error}"),
            )),
        }
    }

    /// A session of the wanted protocol with the wanted settings.
    fn open(&self, input: &mut dyn BufRead) -> Result<Box<dyn Session>, Failure> {
        let usage = |message: String| Failure::new(ExitStatus::Usage, message);
        let Some(protocol) = find(&self.protocol) else {
            let known: Vec<_> = REGISTRY.iter().map(|protocol| protocol.name).collect();
            return Err(usage(format!(
                "there is no protocol {:?}; choose one of: {}",
                self.protocol,
                known.join(" ")
            )));
        };
        let mut options: Options = self.feed_options.iter().cloned().collect();
        // A message in a file often has no MLLP frame around it.
        if protocol.name == "hl7-mllp" && !self.hex_lines && begins_with_msh(input) {
            options
                .entry("unframed".to_owned())
                .or_insert_with(|| "true".to_owned());
        }
        let problems = protocol.check(&options);
        if !problems.is_empty() {
            let list: Vec<_> = problems.iter().map(ToString::to_string).collect();
            return Err(usage(format!(
                "{}: {}; `infusewatch protocols` lists the settings",
                protocol.name,
                list.join("; ")
            )));
        }
        let medium = if self.hex_lines {
            Medium::Datagram
        } else {
            Medium::Stream
        };
        (protocol.open)(&SessionOptions { medium, options })
            .map_err(|problem| usage(format!("{}: {problem}", protocol.name)))
    }
}

/// Whether the input begins with a bare HL7 message. A first piece too short to tell is taken as not.
fn begins_with_msh(input: &mut dyn BufRead) -> bool {
    input
        .fill_buf()
        .is_ok_and(|begin| begin.starts_with(b"MSH"))
}

/// Why the work stopped.
enum Stopped {
    Reading(io::Error),
    Printing(io::Error),
}

/// One input on its way through one session.
struct Decoding<W> {
    session: Box<dyn Session>,
    out: W,
    summary: Summary,
    events: Events,
    /// The present, once the session is open.
    now: Option<Now>,
}

impl<W: Write> Decoding<W> {
    fn new(session: Box<dyn Session>, out: W) -> Self {
        Self {
            session,
            out,
            summary: Summary::default(),
            events: Events::new(),
            now: None,
        }
    }

    /// The whole input as one stream; time stands still.
    fn stream(&mut self, input: &mut dyn BufRead) -> Result<(), Stopped> {
        let now = self.arrive(Moment::ZERO)?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let length = match input.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Stopped::Reading(error)),
            };
            self.receive(now, chunk.get(..length).unwrap_or_default())?;
        }
    }

    /// One datagram a line.
    fn rows(&mut self, input: &mut dyn BufRead) -> Result<(), Stopped> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut *input)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut line)
                .map_err(Stopped::Reading)?;
            if read == 0 {
                return Ok(());
            }
            let whole = line.ends_with(b"\n") || (read as u64) < LONGEST_LINE;
            if !whole {
                skip_line(input).map_err(Stopped::Reading)?;
                self.bad_row()?;
                continue;
            }
            match Row::read(&String::from_utf8_lossy(&line)) {
                Some(Row::Nothing) => {}
                Some(Row::Sent { at }) => {
                    self.arrive(at)?;
                }
                Some(Row::Received { at, bytes }) => {
                    let now = self.arrive(at)?;
                    self.receive(now, &bytes)?;
                }
                None => self.bad_row()?,
            }
        }
    }

    fn bad_row(&mut self) -> Result<(), Stopped> {
        self.events.push(Event::Fault(Fault::BadMessage));
        self.say()
    }

    /// Time moves on to `at`, never back; the session's deadlines up to there fire. The first arrival
    /// opens the session.
    fn arrive(&mut self, at: Moment) -> Result<Now, Stopped> {
        let Some(before) = self.now else {
            let now = simulated(at);
            self.now = Some(now);
            self.session.opened(now, &mut self.events);
            self.say()?;
            return Ok(now);
        };
        let mut now = before;
        for _ in 0..MOST_DEADLINES {
            match self.session.deadline() {
                Some(due) if due <= at => {
                    now = simulated(due.max(now.moment));
                    self.session.expire(now, &mut self.events);
                    self.say()?;
                }
                Some(_) | None => break,
            }
        }
        let now = simulated(at.max(now.moment));
        self.now = Some(now);
        Ok(now)
    }

    fn receive(&mut self, now: Now, bytes: &[u8]) -> Result<(), Stopped> {
        self.summary.bytes += bytes.len() as u64;
        self.session.receive(now, bytes, &mut self.events);
        self.say()
    }

    /// Prints what the session said, and answers its questions for the record at once.
    fn say(&mut self) -> Result<(), Stopped> {
        let now = self.now.unwrap_or_default();
        while !self.events.is_empty() {
            let said = std::mem::take(&mut self.events);
            for same in said.chunk_by(|one, next| matches!(one, Event::Fault(_)) && one == next) {
                for event in same {
                    self.summary.count(event);
                    if let Event::AwaitCommit(token) = event {
                        self.session.committed(now, *token, true, &mut self.events);
                    }
                }
                let Some(mut line) = same.first().and_then(json::Line::of) else {
                    continue;
                };
                if let json::Line::Fault { count, .. } = &mut line {
                    *count = same.len() as u64;
                }
                self.print(&line)?;
            }
        }
        Ok(())
    }

    /// The end of the input, and the summary.
    fn finish(&mut self) -> Result<(), Stopped> {
        let now = match self.now {
            Some(now) => now,
            None => self.arrive(Moment::ZERO)?,
        };
        self.session.closed(now, &mut self.events);
        self.say()?;
        let summary = std::mem::take(&mut self.summary);
        self.print(&json::Line::Summary(&summary))?;
        self.out.flush().map_err(Stopped::Printing)
    }

    fn print(&mut self, line: &json::Line<'_>) -> Result<(), Stopped> {
        serde_json::to_writer(&mut self.out, line)
            .map_err(io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(Stopped::Printing)
    }
}

/// Both clocks at a simulated moment.
fn simulated(moment: Moment) -> Now {
    let millis = i64::try_from(moment.as_micros() / 1_000).unwrap_or(i64::MAX);
    Now {
        moment,
        wall: WallTime::from_millis(millis),
    }
}

/// Reads on to the end of the line without keeping it.
fn skip_line(input: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let length = buffer.len();
        input.consume(end.map_or(length, |at| at + 1));
        if end.is_some() {
            return Ok(());
        }
    }
}

/// One line of `--hex-lines`.
#[derive(Debug, PartialEq, Eq)]
enum Row {
    /// Empty or a comment.
    Nothing,
    /// Sent by the client of the recording: time passes.
    Sent { at: Moment },
    /// Received.
    Received { at: Moment, bytes: Vec<u8> },
}

impl Row {
    /// Reads `hex` alone or `seconds direction hex`; `None` for anything else.
    fn read(line: &str) -> Option<Self> {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match *words.as_slice() {
            [] => Some(Self::Nothing),
            [hex] => Some(Self::Received {
                at: Moment::ZERO,
                bytes: json::from_hex(hex)?,
            }),
            [seconds, direction, hex] => {
                let seconds = Decimal::parse(seconds.as_bytes()).ok()?;
                let micros = u64::try_from(seconds.rounded(6)?).ok()?;
                let at = Moment::from_micros(micros);
                let bytes = json::from_hex(hex)?;
                match direction {
                    "M>C" | "B" => Some(Self::Received { at, bytes }),
                    "C>M" => Some(Self::Sent { at }),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_hex_alone_or_with_both_columns() {
        let at = Moment::from_micros(1_500_000);
        let bytes = vec![0x7e, 0x31];
        for (line, row) in [
            ("", Some(Row::Nothing)),
            ("# seconds direction hex\n", Some(Row::Nothing)),
            (
                "7E31\r\n",
                Some(Row::Received {
                    at: Moment::ZERO,
                    bytes: bytes.clone(),
                }),
            ),
            (
                "1.5 M>C 7e31 # a comment",
                Some(Row::Received {
                    at,
                    bytes: bytes.clone(),
                }),
            ),
            ("1.500000000\tB\t7e31", Some(Row::Received { at, bytes })),
            ("1.5 C>M 7e31", Some(Row::Sent { at })),
            ("1.5 M>C 7e3", None),
            ("1.5 M<C 7e31", None),
            ("-1 M>C 7e31", None),
            ("x M>C 7e31", None),
            ("M>C 7e31", None),
        ] {
            assert_eq!(Row::read(line), row, "{line:?}");
        }
    }
}
