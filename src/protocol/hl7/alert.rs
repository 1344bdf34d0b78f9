//! PCD-04 alerts (ORU^R40): an alarm of a device or a pump, told for information (hl7.md 4).
//!
//! Promises: what is told is shown, whatever its numbering: rows are known by name, then by number. A
//! phase that nobody knows never ends an alert. A test message tells no alert. Values beside an alert
//! are part of its text and never a reading.

use super::alert_terms::{EVENTS, Facet, WORDS, facet, in_words, priority};
use super::codes;
use super::containment::{Containment, Path};
use super::identity::Whom;
use super::memory::Memory;
use super::message::{Delimiters, Header, Segment, Segments, first, parts, told};
use super::numerics::{Subject, Terms, obx, subject};
use super::report::obr;
use super::settings::Settings;
use super::text::{self, Charset};
use super::time::Times;
use crate::observation::{AlertPhase, DeviceAlert, DeviceTime};
use crate::protocol::{Event, Events, Fault};
use crate::vocabulary::{Moment, Priority};
use std::borrow::Cow;

/// The event of a keep-alive.
const KEEP_ALIVE: u32 = 196_614;
/// The event that only says that there is one, told elsewhere.
const ALARM: u32 = 196_616;
/// What the message says about an alert's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Begins,
    GoesOn,
    Ends,
    /// A point in time.
    Moment,
    /// No word, or one that we do not know.
    Nothing,
}

impl Told {
    fn read(word: &[u8]) -> Self {
        match word.to_ascii_lowercase().as_slice() {
            b"start" | b"start_only" => Self::Begins,
            b"present" | b"continue" | b"update" | b"escalate" | b"deescalate" | b"inactivate"
            | b"acknowledged" => Self::GoesOn,
            b"end" | b"stop" | b"reset" => Self::Ends,
            b"tpoint" => Self::Moment,
            _ => Self::Nothing,
        }
    }
}

/// One alert being read: one group of rows.
#[derive(Debug, Default)]
struct Notice<'a> {
    filler: &'a [u8],
    parent: &'a [u8],
    service: &'a [u8],
    begin: Option<DeviceTime>,
    event: Option<u32>,
    event_name: &'a [u8],
    event_text: Option<&'a [u8]>,
    event_at: Option<DeviceTime>,
    phase: Option<&'a [u8]>,
    is_inactive: bool,
    inactivation: Option<&'a [u8]>,
    priority: Option<Option<Priority>>,
    text: Option<&'a [u8]>,
    /// What the alert is about, and its value.
    about: Option<String>,
    has_rows: bool,
    unreal: bool,
}

/// A message being read.
pub struct Alerts<'a, 'm> {
    settings: &'m Settings,
    memory: &'m mut Memory,
    now: Moment,
    delimiters: Delimiters,
    charset: Charset,
    test: bool,
    header: Header<'a>,
    whom: Whom<'a>,
    times: Times<'a>,
    containment: Containment,
    notice: Notice<'a>,
    /// Something was told that must be in the record.
    tells: bool,
}

/// What came of an alert message.
pub struct Read<'a> {
    /// What belongs to the next message.
    pub rest: &'a [u8],
    /// There is something to record before the sender is answered.
    pub tells: bool,
}

impl<'a, 'm> Alerts<'a, 'm> {
    /// Alerts under `header`. With `test`, nothing in it is an alert.
    pub fn new(
        now: Moment,
        header: &Header<'a>,
        test: bool,
        settings: &'m Settings,
        memory: &'m mut Memory,
    ) -> Self {
        let delimiters = header.delimiters;
        let charset = settings
            .charset
            .unwrap_or_else(|| Charset::declared(first(header.field(18), delimiters.repetition)));
        Self {
            settings,
            memory,
            now,
            delimiters,
            charset,
            test,
            header: *header,
            whom: Whom::new(*header, charset),
            times: Times::default(),
            containment: Containment::default(),
            notice: Notice::default(),
            tells: false,
        }
    }

    /// Reads all segments up to the end, or to the header of another message in the same frame.
    pub fn read(mut self, mut segments: Segments<'a>, events: &mut Events) -> Read<'a> {
        let mut segment = Segment::new();
        loop {
            let before = segments.rest();
            let more = segments.next(&mut segment);
            match segment.name() {
                b"OBX" if more => self.row(&segment, events),
                b"OBR" if more => {
                    self.finish(events);
                    self.group(&segment, events);
                }
                b"PID" if more => {
                    self.finish(events);
                    self.whom.patient(&segment);
                    self.group(&Segment::new(), events);
                }
                b"PV1" if more => self.whom.visit(&segment),
                b"MSH" if more => {
                    self.finish(events);
                    return Read {
                        rest: before,
                        tells: self.tells,
                    };
                }
                _ if more => {}
                _ => {
                    self.finish(events);
                    return Read {
                        rest: &[],
                        tells: self.tells,
                    };
                }
            }
        }
    }

    fn group(&mut self, group: &Segment<'a>, events: &mut Events) {
        self.whom.group();
        self.containment.clear();
        let component = self.delimiters.component;
        let [_, parent] = parts::<2>(group.field(obr::PARENT), component);
        self.notice = Notice {
            filler: group.field(obr::FILLER),
            parent,
            service: group.field(obr::SERVICE),
            begin: self.times.read(group.field(obr::BEGIN), component, events),
            ..Notice::default()
        };
    }

    fn row(&mut self, row: &Segment<'a>, events: &mut Events) {
        let path = Path::read(row.field(obx::PATH));
        let [code, name] = parts::<2>(row.field(obx::CODE), self.delimiters.component);
        let value = told(row.field(obx::VALUE));
        let is_device = path.is_device_level() && value.is_none();
        self.whom
            .row(row.field(obx::DEVICE), is_device && path.is_whole_device());
        let at = self
            .times
            .read(row.field(obx::TIME), self.delimiters.component, events);
        if is_device {
            self.containment.add(&path, at, None);
            return;
        }
        let terms = Terms {
            delimiters: &self.delimiters,
            settings: self.settings,
            test: false,
        };
        if terms.is_unreal(row) {
            self.notice.unreal = true;
            return;
        }
        if matches!(row.field(obx::STATUS), b"D" | b"W") {
            return;
        }
        self.notice.has_rows = true;
        let number = codes::number(code);
        if let Some(facet) = facet(number, name) {
            self.facet(facet, value);
        } else if number.is_some_and(|number| EVENTS.contains(&number))
            || name.starts_with(b"MDC_EVT_")
            || name.starts_with(b"MNDRY_EVT_")
        {
            self.event(
                number,
                name,
                row,
                at.or_else(|| self.containment.time(&path)),
            );
        } else if self.notice.about.is_none() && value.is_some() {
            self.notice.about = self.about(row);
        }
    }

    fn event(
        &mut self,
        number: Option<u32>,
        name: &'a [u8],
        row: &Segment<'a>,
        at: Option<DeviceTime>,
    ) {
        let component = self.delimiters.component;
        let value = told(row.field(obx::VALUE));
        let (notice, flags) = (&mut self.notice, row.field(obx::FLAGS));
        notice.event = number;
        notice.event_name = name;
        notice.event_at = at;
        if notice.priority.is_none() {
            notice.priority = flags
                .split(|&byte| byte == self.delimiters.repetition)
                .find_map(|flag| priority(first(flag, component)));
        }
        let Some(value) = value else { return };
        let [code, told_name] = parts::<2>(value, component);
        let coded = codes::number(code);
        if coded.is_some_and(|coded| EVENTS.contains(&coded))
            || told_name.starts_with(b"MDC_")
            || told_name.starts_with(b"MNDRY_")
        {
            notice.event = coded;
            notice.event_name = told_name;
        } else {
            notice.event_text = told(told_name).or(told(code));
        }
    }

    fn facet(&mut self, facet: Facet, value: Option<&'a [u8]>) {
        let Some(value) = value else { return };
        let [one, other] = parts::<2>(value, self.delimiters.component);
        let word = if one.is_empty() { other } else { one };
        match facet {
            Facet::Phase => self.notice.phase = Some(word),
            Facet::State => self.notice.is_inactive = word.eq_ignore_ascii_case(b"inactive"),
            Facet::Inactivation => self.notice.inactivation = Some(value),
            // A row of its own wins over the flags of the event's row.
            Facet::Priority => self.notice.priority = priority(word).or(Some(None)),
            Facet::Text => self.notice.text = Some(value),
            Facet::Other => {}
        }
    }

    /// What a row beside the event measures, in words.
    fn about(&self, row: &Segment<'a>) -> Option<String> {
        let [code, name] = parts::<2>(row.field(obx::CODE), self.delimiters.component);
        let what: Cow<'_, str> = match subject(row, self.settings, &self.delimiters) {
            Subject::Reading { parameter, .. } => parameter.name().into(),
            Subject::Device(_) | Subject::Alert(_) => return None,
            Subject::Contradiction { .. }
            | Subject::Foreign { .. }
            | Subject::Wave(_)
            | Subject::Infusion(_)
            | Subject::NoMetric => match told(name) {
                Some(name) => in_words(name).into(),
                None => self.decode(code),
            },
        };
        let value = self.decode(first(row.field(obx::VALUE), self.delimiters.component));
        let limits = self.decode(row.field(obx::LIMITS));
        Some(if limits.is_empty() {
            format!("{what} {value}")
        } else {
            format!("{what} {value} ({limits})")
        })
    }

    fn decode(&self, raw: &'a [u8]) -> Cow<'a, str> {
        text::decode(raw, &self.delimiters, self.charset)
    }

    /// Everything of a group is told.
    fn finish(&mut self, events: &mut Events) {
        let notice = std::mem::take(&mut self.notice);
        if !notice.has_rows || notice.unreal || self.test {
            return;
        }
        if let Some(whom) = self.whom.say(self.settings, &mut self.memory.identity) {
            events.push(Event::Identity(whom));
        }
        if notice.event == Some(KEEP_ALIVE) || notice.event_name == b"MDC_EVT_ACTIVE" {
            self.keep_alive(&notice, events);
            return;
        }
        let told = notice.phase.map_or(Told::Nothing, Told::read);
        if told == Told::Nothing && notice.phase.is_some_and(|word| self.memory.is_new(word)) {
            events.push(Event::Fault(Fault::UnknownCode));
        }
        let key = self.key(&notice, told);
        let phase = match told {
            Told::Begins => AlertPhase::Start,
            Told::Moment => AlertPhase::Present,
            Told::Ends => AlertPhase::End,
            Told::GoesOn | Told::Nothing if notice.is_inactive => AlertPhase::End,
            Told::GoesOn | Told::Nothing => AlertPhase::Continue,
        };
        let alert = DeviceAlert {
            key: key.as_str().into(),
            priority: notice.priority.flatten(),
            phase,
            text: self.words(&notice).into(),
            at: notice.event_at.or(notice.begin),
        };
        self.tells = true;
        self.memory.alerts.take(
            self.now,
            self.settings.alert_time,
            &self.memory.identity,
            alert,
            events,
        );
    }

    fn keep_alive(&mut self, notice: &Notice<'a>, events: &mut Events) {
        let sender = self.decode(self.header.field(3)).into_owned();
        let said = events.len();
        let ends = notice.is_inactive;
        self.memory
            .alerts
            .keep_alive(self.now, &self.memory.identity, &sender, ends, events);
        self.tells |= events.len() > said;
    }

    /// Which alert this is: the number of its first message, component by component. A first message
    /// is known by its phase, not by an empty parent; later ones may repeat the number instead of
    /// naming the parent.
    fn key(&self, notice: &Notice<'a>, told: Told) -> String {
        let number = |field: &[u8], delimiter: u8| {
            let components: Vec<Cow<'_, str>> = field
                .split(|&byte| byte == delimiter)
                .map(|part| text::decode(part.trim_ascii(), &self.delimiters, self.charset))
                .collect();
            components.join("^").trim_end_matches('^').to_owned()
        };
        let own = number(notice.filler, self.delimiters.component);
        let parent = number(notice.parent, self.delimiters.subcomponent);
        let is_first = matches!(told, Told::Begins | Told::Moment);
        if !parent.is_empty() && !is_first && (own.is_empty() || !self.memory.alerts.has(&own)) {
            parent
        } else if !own.is_empty() {
            own
        } else {
            // No number at all: the device and what happened.
            let device = self.memory.identity.device.as_deref();
            format!(
                "{}:{}:{}",
                device.unwrap_or_default(),
                notice.event.unwrap_or_default(),
                String::from_utf8_lossy(notice.event_name)
            )
        }
    }

    fn words(&self, notice: &Notice<'a>) -> String {
        let by_code = notice
            .event
            .filter(|&code| code != ALARM)
            .and_then(|code| WORDS.iter().find(|(known, _)| *known == code))
            .map(|(_, words)| (*words).to_owned());
        let mut words = match (notice.text, notice.event_text) {
            (Some(text), _) | (None, Some(text)) => self.decode(text).into_owned(),
            (None, None) => by_code
                .or_else(|| told(notice.event_name).map(in_words))
                .or_else(|| {
                    let [_, name] = parts::<2>(notice.service, self.delimiters.component);
                    told(name).map(in_words)
                })
                .unwrap_or_else(|| "alarm".to_owned()),
        };
        if let Some(about) = &notice.about {
            words = format!("{about}: {words}");
        }
        match notice.inactivation.map(|state| self.decode(state)) {
            Some(state) if state != "enabled" => format!("{words} [{state}]"),
            Some(_) | None => words,
        }
    }
}
