//! The session: asks, listens, asks again when nothing comes.

use super::super::event::{Event, Events, Fault};
use super::super::scrap::Scrap;
use super::super::session::{OptionProblem, Session, SessionOptions};
use super::alarm;
use super::basic::Class;
use super::frame::{Deframer, Piece};
use super::numerics::{Numerics, Times};
use super::record::{Fields, Kind, Record, Subrecord};
use super::request::{AlarmCommand, COMMAND, Request, physiological};
use super::settings::{Auxiliary, Settings};
use super::wave::{self, Labels, Samples};
use crate::observation::DeviceTime;
use crate::vocabulary::{Moment, Now};
use std::time::Duration;

/// Silent intervals before the monitor is asked again.
const SILENT_INTERVALS: u32 = 3;
/// An unanswered request is not repeated sooner: a monitor that begins a slow interval with each
/// request would otherwise never get to send.
const UNANSWERED: Duration = Duration::from_secs(15);
/// Monitors from this interface level on answer alarm requests on a serial line.
const ALARM_LEVEL: u8 = 10;

/// The registry's way to a session.
pub(super) fn open(options: &SessionOptions) -> Result<Box<dyn Session>, OptionProblem> {
    let settings = Settings::read(&options.options)?;
    Ok(Box::new(GeDri {
        deframer: Deframer::default(),
        monitor: Monitor {
            settings,
            scrap: Scrap::default(),
            numerics: Numerics::default(),
            labels: Labels::default(),
            alarms: alarm::Screen::new(),
            alarms_asked: Asked::No,
            due: None,
        },
    }))
}

/// One monitor on one line.
struct GeDri {
    deframer: Deframer,
    monitor: Monitor,
}

impl Session for GeDri {
    fn opened(&mut self, now: Now, events: &mut Events) {
        self.deframer.reset();
        self.monitor.numerics.cuff.reopened();
        self.monitor.ask(now, events);
    }

    fn receive(&mut self, now: Now, bytes: &[u8], events: &mut Events) {
        let Self { deframer, monitor } = self;
        deframer.receive(bytes, |piece| monitor.take(piece, now, events));
    }

    fn deadline(&self) -> Option<Moment> {
        self.monitor.due
    }

    fn expire(&mut self, now: Now, events: &mut Events) {
        self.monitor.ask(now, events);
    }

    fn closed(&mut self, now: Now, events: &mut Events) {
        if let Some(piece) = self.deframer.close() {
            self.monitor.take(piece, now, events);
        }
        self.monitor.scrap.flush(events);
        self.monitor.due = None;
    }
}

/// Whether alarms were asked for since the last request for values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
}

/// What is known of the monitor at the other end.
struct Monitor {
    settings: Settings,
    scrap: Scrap,
    numerics: Numerics,
    labels: Labels,
    alarms: alarm::Screen,
    alarms_asked: Asked,
    due: Option<Moment>,
}

/// What a record was.
enum Content {
    /// Displayed values: what the session waits for.
    Values,
    /// Anything else of the monitor's.
    Other,
}

impl Monitor {
    fn patience(&self) -> Duration {
        Duration::from_secs(u64::from(self.settings.interval.unsigned_abs())) * SILENT_INTERVALS
    }

    /// Asks for everything that is wanted.
    fn ask(&mut self, now: Now, events: &mut Events) {
        let values = |wanted| Request::Values {
            wanted,
            interval: self.settings.interval,
        };
        events.push(Event::Send(values(physiological::DISPLAYED).frame()));
        if self.settings.auxiliary == Auxiliary::Asked {
            events.push(Event::Send(values(physiological::AUXILIARY).frame()));
        }
        if !self.settings.waves.is_empty() {
            let waves = Request::Waves(self.settings.waves.clone());
            events.push(Event::Send(waves.frame()));
        }
        self.alarms_asked = Asked::No;
        self.due = Some(now.moment.after(self.patience().max(UNANSWERED)));
    }

    fn take(&mut self, piece: Piece<'_>, now: Now, events: &mut Events) {
        match piece {
            Piece::Rest(bytes) => self.scrap.skipped(bytes, events),
            Piece::Noise(bytes) => self.scrap.noise(bytes, events),
            Piece::Broken(fault, bytes) => self.scrap.broken(fault, bytes, events),
            Piece::Record(bytes, raw) => {
                let mut told = Events::new();
                match Record::parse(bytes).and_then(|record| self.read(&record, &mut told)) {
                    Ok(content) => {
                        self.scrap.frame(events);
                        events.append(&mut told);
                        if let Content::Values = content {
                            self.due = Some(now.moment.after(self.patience()));
                        }
                    }
                    Err(fault) => self.scrap.broken(fault, raw, events),
                }
            }
        }
    }

    /// Reads a record whole or not at all.
    fn read(&mut self, record: &Record<'_>, told: &mut Events) -> Result<Content, Fault> {
        let content = match record.header.kind {
            Kind::Physiological => self.physiological(record, told)?,
            Kind::Waveform => {
                refuse_echo(record, |sub| sub.code == COMMAND)?;
                for sub in &record.subrecords {
                    match wave::read(sub.code, sub.bytes, self.labels).ok_or(Fault::BadFrame)? {
                        Samples::Chunk(chunk) => told.push(Event::Wave(chunk)),
                        Samples::Unknown => {}
                    }
                }
                Content::Other
            }
            Kind::Alarm => {
                refuse_echo(record, |sub| sub.bytes.len() < alarm::ANSWER)?;
                for sub in record.subrecords.iter().filter(|sub| sub.code == COMMAND) {
                    let now = alarm::read(sub.bytes).ok_or(Fault::BadFrame)?;
                    let changes = alarm::changes(&self.alarms, &now, sent_at(record));
                    told.extend(changes.into_iter().map(Event::DeviceAlert));
                    self.alarms = now;
                }
                Content::Other
            }
            Kind::Network | Kind::Other => Content::Other,
        };
        if record.header.level >= ALARM_LEVEL && self.alarms_asked == Asked::No {
            self.alarms_asked = Asked::Yes;
            for command in [AlarmCommand::Once, AlarmCommand::OnChange] {
                told.push(Event::Send(Request::Alarms(command).frame()));
            }
        }
        Ok(content)
    }

    fn physiological(&mut self, record: &Record<'_>, told: &mut Events) -> Result<Content, Fault> {
        refuse_echo(record, |sub| sub.code == physiological::REQUEST)?;
        let mut basics = Vec::new();
        let mut stated = None;
        for sub in &record.subrecords {
            match sub.code {
                physiological::DISPLAYED => match Class::read(sub.bytes).ok_or(Fault::BadFrame)? {
                    Class::Basic(time, basic) => basics.push((time, basic)),
                    Class::Extended => {}
                },
                physiological::AUXILIARY => {
                    stated = Some(Fields(sub.bytes).u32().ok_or(Fault::BadFrame)?);
                }
                // Trends, and types that are in no document.
                _ => {}
            }
        }
        if let Some(time) = stated.filter(|time| *time != 0) {
            self.numerics.cuff.stated(unix(time));
        }
        let mut content = Content::Other;
        for (time, basic) in basics {
            self.labels = Labels {
                ecg: basic.ecg.label,
                pressures: basic.pressures.map(|group| group.label),
            };
            let times = Times {
                measured: unix(time),
                sent: sent_at(record),
            };
            self.numerics.tell(&basic, times, told);
            content = Content::Values;
        }
        Ok(content)
    }
}

/// Our own request that came back (a plug without a monitor) is no sign of life.
fn refuse_echo(
    record: &Record<'_>,
    is_request: impl Fn(&Subrecord<'_>) -> bool,
) -> Result<(), Fault> {
    if !record.subrecords.is_empty() && record.subrecords.iter().all(is_request) {
        return Err(Fault::BadAnswer);
    }
    Ok(())
}

fn sent_at(record: &Record<'_>) -> DeviceTime {
    unix(record.header.time)
}

/// The monitor's clock tells no zone.
fn unix(seconds: u32) -> DeviceTime {
    DeviceTime::civil(i64::from(seconds) * 1_000)
}
