//! A PCD-01 message (ORU^R01) from its header to observations (hl7.md 3).
//!
//! Walks the segments once. Every row with a value of its own becomes one observation, in the order
//! of the message; identities are said before the first reading they are for. A row that cannot be
//! read costs only itself.

use super::containment::{Containment, Path};
use super::drug::About;
use super::identity::Whom;
use super::item::Item;
use super::memory::Memory;
use super::message::{Delimiters, Header, Segment, Segments, first, parts};
use super::numerics::{Subject, Terms, obx, subject};
use super::pump::Infusion;
use super::settings::Settings;
use super::text::{self, Charset};
use super::time::Times;
use super::vendor_code;
use super::waves::{self, Wave};
use crate::observation::{DeviceTime, Observation, WaveLabel, check_pressure_pair};
use crate::protocol::{Event, Events, Fault};
use crate::vocabulary::{Cause, Parameter, ParameterId, Reading, Site};
use std::time::Duration;

/// Fields of OBR that we use.
pub mod obr {
    /// The number that the sender gave it.
    pub const FILLER: usize = 3;
    /// What the group is.
    pub const SERVICE: usize = 4;
    /// Begin of the interval that the rows are about.
    pub const BEGIN: usize = 7;
    /// Its end.
    pub const END: usize = 8;
    /// The number of what the group goes on about.
    pub const PARENT: usize = 29;
}

/// Where the two halves of a blood pressure stand in the list of events.
#[derive(Debug, Default)]
struct Halves {
    sys: Option<usize>,
    dia: Option<usize>,
}

/// One message being read.
pub struct Report<'a, 'm> {
    settings: &'m Settings,
    memory: &'m mut Memory,
    delimiters: Delimiters,
    test: bool,
    whom: Whom<'a>,
    times: Times<'a>,
    message_at: Option<DeviceTime>,
    begin: Option<DeviceTime>,
    end: Option<DeviceTime>,
    containment: Containment,
    wave: Option<Wave<'a>>,
    cuff: Halves,
    line: Halves,
    charset: Charset,
    /// OBR-4 of the group.
    service: &'a [u8],
    infusion: Option<Box<Infusion<'a>>>,
    /// A row about this patient was read.
    has_rows: bool,
    /// The message listed an alarm of a Philips monitor.
    lists_alarms: bool,
}

impl<'a, 'm> Report<'a, 'm> {
    /// A report under `header`. With `test`, nothing in it is a measurement.
    pub fn new(
        header: &Header<'a>,
        test: bool,
        settings: &'m Settings,
        memory: &'m mut Memory,
        events: &mut Events,
    ) -> Self {
        let delimiters = header.delimiters;
        let charset = settings
            .charset
            .unwrap_or_else(|| Charset::declared(first(header.field(18), delimiters.repetition)));
        let mut times = Times::default();
        let message_at = times.read(header.field(7), delimiters.component, events);
        Self {
            settings,
            memory,
            delimiters,
            test,
            whom: Whom::new(*header, charset),
            times,
            message_at,
            begin: None,
            end: None,
            containment: Containment::default(),
            wave: None,
            cuff: Halves::default(),
            line: Halves::default(),
            charset,
            service: &[],
            infusion: None,
            has_rows: false,
            lists_alarms: false,
        }
    }

    /// Reads all segments up to the end, or to the header of another message in the same frame: what
    /// is left is returned.
    pub fn read(mut self, mut segments: Segments<'a>, events: &mut Events) -> &'a [u8] {
        let mut segment = Segment::new();
        loop {
            let before = segments.rest();
            if !segments.next(&mut segment) {
                self.finish_patient(events);
                return &[];
            }
            match segment.name() {
                b"OBX" => self.row(&segment, events),
                b"OBR" => {
                    self.finish_group(events);
                    self.group(&segment, events);
                }
                b"PID" => {
                    self.finish_patient(events);
                    self.whom.patient(&segment);
                    self.group(&Segment::new(), events);
                }
                b"PV1" => self.whom.visit(&segment),
                b"MSH" => {
                    self.finish_patient(events);
                    return before;
                }
                // Notes, orders, participations, a vendor's own: never a reading.
                _ => {}
            }
        }
    }

    fn group(&mut self, obr: &Segment<'a>, events: &mut Events) {
        self.whom.group();
        self.containment.clear();
        self.cuff = Halves::default();
        self.line = Halves::default();
        self.begin = self.time(obr.field(obr::BEGIN), events);
        self.end = self.time(obr.field(obr::END), events);
        self.service = obr.field(obr::SERVICE);
    }

    /// Everything of a group is told.
    fn finish_group(&mut self, events: &mut Events) {
        self.finish_wave(events);
        self.finish_infusion(events);
    }

    /// Everything about a patient is told.
    fn finish_patient(&mut self, events: &mut Events) {
        self.finish_group(events);
        // A plain report of numbers (Efficia's MONITOR) says nothing about alarms.
        let about_alarms = self.lists_alarms || self.has_rows && self.service != b"MONITOR";
        if about_alarms && !self.test && self.memory.listed.has_any() {
            self.say_whom(events);
            self.memory.listed.settle(&self.memory.identity, events);
        }
        self.has_rows = false;
        self.lists_alarms = false;
    }

    fn time(&mut self, field: &'a [u8], events: &mut Events) -> Option<DeviceTime> {
        self.times.read(field, self.delimiters.component, events)
    }

    fn row(&mut self, row: &Segment<'a>, events: &mut Events) {
        self.has_rows = true;
        let path = Path::read(row.field(obx::PATH));
        if row.field(obx::TYPE) == b"NA" {
            self.finish_wave(events);
            self.whom.row(row.field(obx::DEVICE), false);
            self.begin_wave(row, events);
            return;
        }
        if let Some(wave) = &mut self.wave {
            if wave.facet(row) {
                return;
            }
            self.finish_wave(events);
        }
        let subject = subject(row, self.settings, &self.delimiters);
        let device_level = path.is_device_level() && row.field(obx::VALUE).is_empty();
        let whole_device = device_level && path.is_whole_device();
        if whole_device {
            self.finish_infusion(events);
        }
        self.whom.row(row.field(obx::DEVICE), whole_device);
        match subject {
            Subject::Device(site) => self.device_level(&path, row, site, events),
            Subject::Infusion(item) => self.pump_row(item, &path, row, events),
            Subject::Alert(code) => self.listed_alarm(code, row, events),
            // What a pump tells beside the delivery is no reading of the patient.
            Subject::Foreign { .. }
                if self
                    .infusion
                    .as_ref()
                    .is_some_and(|infusion| infusion.is_pump()) => {}
            Subject::Foreign { .. } | Subject::NoMetric if device_level => {
                self.device_level(&path, row, None, events);
            }
            Subject::Wave(_) | Subject::NoMetric => {}
            // An attribute of a metric, whatever its code.
            Subject::Reading { .. } | Subject::Contradiction { .. } | Subject::Foreign { .. }
                if path.is_facet() => {}
            Subject::Reading { .. } | Subject::Contradiction { .. } | Subject::Foreign { .. } => {
                self.metric(&path, row, subject, events);
            }
        }
    }

    fn device_level(
        &mut self,
        path: &Path,
        row: &Segment<'a>,
        site: Option<Site>,
        events: &mut Events,
    ) {
        let time = self.time(row.field(obx::TIME), events);
        self.containment.add(path, time, site);
    }

    fn metric(
        &mut self,
        path: &Path,
        row: &Segment<'a>,
        subject: Subject<'a>,
        events: &mut Events,
    ) {
        let terms = Terms {
            delimiters: &self.delimiters,
            settings: self.settings,
            test: self.test,
        };
        let (mut observation, fault) = match subject {
            Subject::Reading {
                parameter,
                site,
                mdc,
                unit,
                fault,
            } => {
                let mut observation =
                    Observation::new(parameter, terms.reading(row, parameter, unit));
                observation.mdc = mdc;
                observation.site = if parameter == Parameter::Rr {
                    site.or_else(|| self.respiration_site(path, row))
                } else {
                    site
                };
                (observation, fault)
            }
            Subject::Contradiction { code, parameter } => {
                let reading = Reading::Invalid(Cause::CodeMismatch);
                let mut observation = match parameter {
                    Some(parameter) => Observation::new(parameter, reading),
                    None => Observation::unknown(ParameterId::Mdc(code), reading),
                };
                observation.mdc = Some(code);
                (observation, Some(Fault::CodeMismatch))
            }
            Subject::Foreign {
                mdc,
                identifier,
                unknown,
            } => {
                // Texts of parameters that are none of ours are not carried.
                if !matches!(row.field(obx::TYPE), b"NM" | b"SN") {
                    return;
                }
                let reading = match terms.number(row) {
                    Ok(value) => Reading::Valid(value),
                    Err(cause) => Reading::Invalid(cause),
                };
                let parameter = match mdc {
                    Some(code) => ParameterId::Mdc(code),
                    None => ParameterId::Vendor(vendor_code(identifier)),
                };
                (
                    Observation::unknown(parameter, reading),
                    unknown.then_some(Fault::UnknownCode),
                )
            }
            Subject::Wave(_)
            | Subject::Device(_)
            | Subject::Infusion(_)
            | Subject::Alert(_)
            | Subject::NoMetric => return,
        };
        if let Some(fault) = fault {
            self.fault(fault, row, events);
        }
        observation.message_at = self.message_at;
        observation.measured_at = self.row_time(path, row, events);
        self.say_whom(events);
        self.tell(observation, events);
    }

    /// Counts a fault of a row; an unknown code once.
    fn fault(&mut self, fault: Fault, row: &Segment<'a>, events: &mut Events) {
        if fault == Fault::UnknownCode {
            let code = first(row.field(obx::CODE), self.delimiters.component);
            if !self.memory.is_new(code) {
                return;
            }
        }
        events.push(Event::Fault(fault));
    }

    /// When a row was measured: its own time, else that of the nearest level, else of the group.
    fn row_time(
        &mut self,
        path: &Path,
        row: &Segment<'a>,
        events: &mut Events,
    ) -> Option<DeviceTime> {
        if row.field(obx::TIME).is_empty() {
            self.containment.time(path).or(self.begin)
        } else {
            self.time(row.field(obx::TIME), events)
        }
    }

    fn pump_row(&mut self, item: Item, path: &Path, row: &Segment<'a>, events: &mut Events) {
        let at = self.row_time(path, row, events);
        let terms = Terms {
            delimiters: &self.delimiters,
            settings: self.settings,
            test: self.test,
        };
        let service = self.service;
        let infusion = self
            .infusion
            .get_or_insert_with(|| Box::new(Infusion::new(service)));
        if let Err(fault) = infusion.row(item, path, row, &terms, at) {
            self.fault(fault, row, events);
        }
    }

    fn finish_infusion(&mut self, events: &mut Events) {
        let Some(infusion) = self.infusion.take().filter(|told| told.is_pump()) else {
            return;
        };
        self.whom
            .system(first(infusion.system(), self.delimiters.component));
        self.say_whom(events);
        let about = About {
            whom: &self.memory.identity,
            settings: self.settings,
            delimiters: &self.delimiters,
            charset: self.charset,
            test: self.test,
            message_at: self.message_at,
            begin: self.begin,
        };
        infusion.tell(&about, &mut self.memory.pumps, events);
    }

    /// An alarm in the list of a Philips monitor.
    fn listed_alarm(&mut self, code: &[u8], row: &Segment<'a>, events: &mut Events) {
        let terms = Terms {
            delimiters: &self.delimiters,
            settings: self.settings,
            test: self.test,
        };
        if terms.usable(row).is_err() {
            return;
        }
        self.lists_alarms = true;
        self.say_whom(events);
        let at = if row.field(obx::TIME).is_empty() {
            self.begin
        } else {
            self.time(row.field(obx::TIME), events)
        };
        let text = text::decode(row.field(obx::VALUE), &self.delimiters, self.charset);
        self.memory
            .listed
            .list(&self.memory.identity, code, &text, at, events);
    }

    /// Which of several respiration rates under one code this is: the module tells.
    fn respiration_site(&self, path: &Path, row: &Segment) -> Option<Site> {
        self.containment.site(path).or_else(|| {
            let [_, kind] = parts::<2>(row.field(obx::DEVICE), self.delimiters.component);
            match path.module() {
                // GE's B series tells the module by number only (hl7.md 6.3).
                Some(6) if kind.ends_with(b"_GE") => Some(Site::Impedance),
                Some(11 | 20) if kind.ends_with(b"_GE") => Some(Site::Airway),
                Some(_) | None => None,
            }
        })
    }

    fn say_whom(&mut self, events: &mut Events) {
        if let Some(whom) = self.whom.say(self.settings, &mut self.memory.identity) {
            events.push(Event::Identity(whom));
        }
    }

    /// Pushes the observation, and checks a systolic pressure against its diastolic one.
    fn tell(&mut self, observation: Observation, events: &mut Events) {
        let known = observation.parameter.known();
        let here = Some(events.len());
        events.push(Event::Observation(observation));
        let halves = match known {
            Some(Parameter::NibpSys | Parameter::NibpDia) => &mut self.cuff,
            Some(Parameter::ArtSys | Parameter::ArtDia) => &mut self.line,
            Some(_) | None => return,
        };
        if matches!(known, Some(Parameter::NibpSys | Parameter::ArtSys)) {
            halves.sys = here;
        } else {
            halves.dia = here;
        }
        let (Some(sys), Some(dia)) = (halves.sys, halves.dia) else {
            return;
        };
        if let Ok([Event::Observation(sys), Event::Observation(dia)]) =
            events.get_disjoint_mut([sys, dia])
            && sys.measured_at == dia.measured_at
        {
            check_pressure_pair(sys, dia);
        }
    }

    fn begin_wave(&mut self, row: &Segment<'a>, events: &mut Events) {
        let label: WaveLabel = match subject(row, self.settings, &self.delimiters) {
            Subject::Wave(label) => label.into(),
            Subject::Reading { mdc, .. } => {
                waves::foreign_label(mdc, first(row.field(obx::CODE), self.delimiters.component))
            }
            Subject::Contradiction { code, .. } => waves::foreign_label(Some(code), &[]),
            Subject::Foreign {
                mdc, identifier, ..
            } => waves::foreign_label(mdc, identifier),
            Subject::Device(_) | Subject::Infusion(_) | Subject::Alert(_) | Subject::NoMetric => {
                return;
            }
        };
        let terms = Terms {
            delimiters: &self.delimiters,
            settings: self.settings,
            test: self.test,
        };
        // A wave has no validity: what is not live is not shown at all.
        if terms.usable(row).is_ok() {
            self.say_whom(events);
            self.wave = Some(Wave::new(label, row, &self.delimiters));
        }
    }

    fn finish_wave(&mut self, events: &mut Events) {
        let Some(wave) = self.wave.take() else { return };
        let span = match (self.begin, self.end) {
            (Some(begin), Some(end)) => u64::try_from(end.millis_since(begin))
                .ok()
                .map(Duration::from_millis),
            (Some(_) | None, _) => None,
        };
        events.push(match wave.finish(span) {
            Some(chunk) => Event::Wave(chunk),
            None => Event::Fault(Fault::BadMessage),
        });
    }
}
