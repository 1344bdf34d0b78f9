//! `judge`: the engine alone in simulated time. No clock, no device; the same input gives the same
//! bytes (contract, "judge").

mod input;
mod output;

use super::{ExitStatus, Failure};
use crate::engine::{Engine, Input};
use crate::observation::check_pressure_pair;
use crate::profile;
use crate::vocabulary::{Moment, Now, Parameter, WallTime};
use input::{Feeds, Line};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest line that is read; more is not a line of this format.
const LONGEST_LINE: u64 = 1 << 20;

/// The arguments of `judge`.
#[derive(clap::Args, Debug)]
pub struct Judge {
    /// The alarm profile; without it the shipped one judges.
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// JSON lines; without it they come from standard input.
    #[arg(value_name = "INPUT")]
    input: Option<PathBuf>,
}

impl Judge {
    /// Runs the engine over the input.
    pub fn run(self) -> Result<ExitStatus, Failure> {
        let profile = match &self.profile {
            Some(path) => super::profile_text(path)?,
            None => profile::SHIPPED.into(),
        };
        let source: Box<dyn Read> = match &self.input {
            Some(path) => {
                Box::new(File::open(path).map_err(|error| cannot_open("the input", path, &error))?)
            }
            None => Box::new(io::stdin().lock()),
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let mut run = Run::new(profile);
        let done = run.lines(BufReader::new(source), &mut out);
        match out.flush() {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(cannot_write(&error)),
            Ok(()) | Err(_) => done,
        }
    }
}

fn cannot_open(what: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        ExitStatus::CannotOpen,
        format!("cannot read {what} {}: {error}", path.display()),
    )
}

fn cannot_write(error: &io::Error) -> Failure {
    Failure::new(
        ExitStatus::CannotOpen,
        format!("cannot write the records to standard output: {error}"),
    )
}

/// One run of the engine.
struct Run {
    engine: Engine,
    feeds: Feeds,
    profile: Arc<str>,
    sessions: i64,
    unwell: BTreeSet<input::Unwell>,
    last: Moment,
    end: Option<Moment>,
    /// Readings of one feed at one moment, which belong together as in a monitor's frame.
    frame: Vec<Input>,
}

impl Run {
    fn new(profile: Arc<str>) -> Self {
        Self {
            engine: Engine::new(0),
            feeds: Feeds::default(),
            profile,
            sessions: 0,
            unwell: BTreeSet::new(),
            last: Moment::ZERO,
            end: None,
            frame: Vec::new(),
        }
    }

    fn lines(
        &mut self,
        mut source: impl BufRead,
        out: &mut impl Write,
    ) -> Result<ExitStatus, Failure> {
        let mut text = Vec::new();
        for number in 1_u64.. {
            text.clear();
            let length = source
                .by_ref()
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut text)
                .map_err(|error| bad_line(number, &format!("cannot be read: {error}")))?;
            if length == 0 {
                break;
            }
            if text.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let done = Line::parse(&text)
                .map_err(Stop::BadLine)
                .and_then(|line| self.line(line, out));
            if let Err(what) = done {
                self.end_frame(out).map_err(|error| cannot_write(&error))?;
                return Err(match what {
                    Stop::BadLine(what) => bad_line(number, &what),
                    Stop::Output(error) => cannot_write(&error),
                });
            }
        }
        let end = self.end.unwrap_or(self.last).max(self.last);
        let told = self.end_frame(out);
        match told.and_then(|()| self.step(end, &Input::Tick, out)) {
            Ok(()) => Ok(ExitStatus::Done),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitStatus::Done),
            Err(error) => Err(cannot_write(&error)),
        }
    }

    fn line(&mut self, line: Line, out: &mut impl Write) -> Result<(), Stop> {
        if line.is_end() {
            let at = line.at.unwrap_or(self.last);
            self.end = self.end.max(Some(at));
            return Ok(());
        }
        let at = line.at.ok_or_else(|| bad("has no time `t`"))?;
        if at < self.last {
            return Err(bad("is earlier than the line before"));
        }
        let mut inputs = Vec::new();
        line.inputs(&mut self.feeds, &mut inputs)
            .map_err(Stop::BadLine)?;
        let reading = inputs.pop_if(|input| matches!(input, Input::Reading { .. }));
        let continues = inputs.is_empty()
            && reading
                .as_ref()
                .is_some_and(|reading| self.continues_frame(at, reading));
        if !continues {
            self.end_frame(out).map_err(Stop::Output)?;
        }
        self.last = at;
        for input in inputs {
            let input = if let Input::Open { about, .. } = input {
                self.sessions += 1;
                Input::Open {
                    session: self.sessions,
                    about,
                    setup: self.feeds.setup(&self.profile),
                }
            } else {
                input
            };
            input::follow_health(&mut self.unwell, &input);
            self.step(at, &input, out).map_err(Stop::Output)?;
            // A session opens with a fresh engine: what is not well is told again.
            if matches!(input, Input::Open { .. }) {
                for unwell in self.unwell.clone() {
                    self.step(at, &unwell.input(), out).map_err(Stop::Output)?;
                }
            }
        }
        self.frame.extend(reading);
        Ok(())
    }

    /// Whether a reading belongs to the frame that is being told.
    fn continues_frame(&self, at: Moment, input: &Input) -> bool {
        match (self.frame.first(), input) {
            (Some(Input::Reading { feed, .. }), Input::Reading { feed: same, .. }) => {
                at == self.last && feed == same
            }
            (Some(_) | None, _) => false,
        }
    }

    /// Judges a frame. What a decoder refuses because two of its values contradict each other is refused
    /// here too, before any of them is judged.
    fn end_frame(&mut self, out: &mut impl Write) -> io::Result<()> {
        const PAIRS: [(Parameter, Parameter); 2] = [
            (Parameter::NibpSys, Parameter::NibpDia),
            (Parameter::ArtSys, Parameter::ArtDia),
        ];
        let mut frame = std::mem::take(&mut self.frame);
        for (sys, dia) in PAIRS {
            let newest = |wanted: Parameter| {
                frame.iter().rposition(|input| {
                    matches!(input, Input::Reading { observation, .. }
                        if observation.parameter.known() == Some(wanted))
                })
            };
            let Some(places) = newest(sys).zip(newest(dia)) else {
                continue;
            };
            if let Ok(
                [
                    Input::Reading {
                        observation: sys, ..
                    },
                    Input::Reading {
                        observation: dia, ..
                    },
                ],
            ) = frame.get_disjoint_mut([places.0, places.1])
                && sys.measured_at == dia.measured_at
            {
                check_pressure_pair(sys, dia);
            }
        }
        for input in frame {
            self.step(self.last, &input, out)?;
        }
        Ok(())
    }

    fn step(&mut self, at: Moment, input: &Input, out: &mut impl Write) -> io::Result<()> {
        let millis = i64::try_from(at.as_micros() / 1_000).unwrap_or(i64::MAX);
        let now = Now {
            moment: at,
            wall: WallTime::from_millis(millis),
        };
        let mut records = Vec::new();
        let taken = self.engine.step(now, input, &mut records);
        for record in &records {
            output::record(out, record, &self.feeds)?;
        }
        if !taken.left.is_empty() {
            output::left(out, &taken)?;
        }
        Ok(())
    }
}

enum Stop {
    BadLine(String),
    Output(io::Error),
}

fn bad(what: &str) -> Stop {
    Stop::BadLine(what.to_owned())
}

fn bad_line(number: u64, what: &str) -> Failure {
    Failure::new(ExitStatus::BadData, format!("line {number}: {what}"))
}
