//! Whom a message is about: bed, device and patient as told (hl7.md 3.7, 3.8).
//!
//! Promises: a null or an unknown patient is nobody, never the name `""`; readings of a message
//! without an identity are never laid to the one before it.

use super::message::{Delimiters, Header, Segment, first, parts, told};
use super::settings::{FieldPath, Place, Settings};
use super::text::{self, Charset};
use crate::observation::Identity;
use std::borrow::Cow;
use std::sync::Arc;

/// The identity of the rows being read.
#[derive(Debug)]
pub struct Whom<'a> {
    header: Header<'a>,
    charset: Charset,
    pid: Segment<'a>,
    pv1: Segment<'a>,
    device: &'a [u8],
    /// What a pump calls itself in a row of its own.
    system: &'a [u8],
    /// The device is told by the whole device's own row.
    whole: bool,
    /// The device of this group is settled.
    settled: bool,
    /// The identity was said since something of it was told anew.
    said: bool,
    /// The identity was said in this message.
    said_here: bool,
}

impl<'a> Whom<'a> {
    /// The identity of a message before its first patient.
    pub const fn new(header: Header<'a>, charset: Charset) -> Self {
        Self {
            header,
            charset,
            pid: Segment::new(),
            pv1: Segment::new(),
            device: &[],
            system: &[],
            whole: false,
            settled: false,
            said: false,
            said_here: false,
        }
    }

    /// A PID segment: what follows is about this patient, whose visit and device are not yet told.
    pub fn patient(&mut self, pid: &Segment<'a>) {
        self.pid = *pid;
        self.pv1 = Segment::new();
        self.device = &[];
        self.system = &[];
        self.whole = false;
        self.said = false;
    }

    /// A PV1 segment.
    pub fn visit(&mut self, pv1: &Segment<'a>) {
        self.pv1 = *pv1;
        self.said = false;
    }

    /// A new group of rows begins: of the same device, unless it tells another.
    pub fn group(&mut self) {
        self.settled = false;
    }

    /// OBX-18 of a row. The whole device's own row decides; without one, what the group tells up to
    /// its first reading. A module or sensor is no other device.
    pub fn row(&mut self, device: &'a [u8], whole_device: bool) {
        if device.is_empty() || !whole_device && (self.whole || self.settled) {
            return;
        }
        self.whole |= whole_device;
        self.settled = true;
        if device != self.device {
            self.said = false;
            self.system = &[];
        }
        self.device = device;
    }

    /// A row with the identifier of a pump, whose message is sent by a station of many pumps.
    pub fn system(&mut self, system: &'a [u8]) {
        self.said &= system == self.system;
        self.system = system;
    }

    /// The identity, if it must be said before the next reading: it was not said since it changed,
    /// and there is something to say or something to take back.
    pub fn say(&mut self, settings: &Settings, last: &mut Identity) -> Option<Identity> {
        self.settled = true;
        if self.said {
            return None;
        }
        self.said = true;
        let whom = Identity {
            bed: keep(self.bed(settings), &last.bed),
            device: match self.device() {
                Some(told) => match settings.same_device.get(told.as_ref()) {
                    Some(counts) => Some(Arc::clone(counts)),
                    None => keep(Some(told), &last.device),
                },
                None => None,
            },
            patient: keep(self.patient_id(), &last.patient),
        };
        let nobody = Identity::default();
        let news = whom != *last || (!self.said_here && whom != nobody);
        self.said_here = true;
        last.clone_from(&whom);
        news.then_some(whom)
    }

    /// The first bed of the configured places that is told.
    fn bed(&self, settings: &Settings) -> Option<Cow<'a, str>> {
        settings.bed.iter().find_map(|path| {
            let field = match path.place {
                Place::Msh => self.header.field(path.field),
                Place::Pid => self.pid.field(path.field),
                Place::Pv1 => self.pv1.field(path.field),
            };
            self.text(part(field, path, &self.header.delimiters))
        })
    }

    /// The device's own identifier, else its universal one, else what a pump calls itself, else the
    /// sender of the message.
    fn device(&self) -> Option<Cow<'a, str>> {
        let Delimiters {
            component,
            repetition,
            ..
        } = self.header.delimiters;
        // Repetitions go from the lowest level up to the whole device.
        let whole = self
            .device
            .rsplit(|&byte| byte == repetition)
            .next()
            .unwrap_or_default();
        let [own, _, universal] = parts::<3>(whole, component);
        let [name, unique] = parts::<2>(self.header.field(3), component);
        [own, universal, self.system, name, unique]
            .into_iter()
            .find_map(|text| self.text(text))
    }

    /// PID-3.1 of the first identifier, unless PID-31 says that the patient is not known.
    fn patient_id(&self) -> Option<Cow<'a, str>> {
        let Delimiters {
            component,
            repetition,
            ..
        } = self.header.delimiters;
        if self.pid.field(31).eq_ignore_ascii_case(b"Y") {
            return None;
        }
        self.text(first(first(self.pid.field(3), repetition), component))
    }

    fn text(&self, raw: &'a [u8]) -> Option<Cow<'a, str>> {
        told(raw).map(|raw| text::decode(raw, &self.header.delimiters, self.charset))
    }
}

/// The part of a field that a path means.
fn part<'a>(field: &'a [u8], path: &FieldPath, delimiters: &Delimiters) -> &'a [u8] {
    let nth = |text: &'a [u8], delimiter: u8, n: Option<usize>| match n {
        None => text,
        Some(n) => text
            .split(|&byte| byte == delimiter)
            .nth(n.saturating_sub(1))
            .unwrap_or_default()
            .trim_ascii(),
    };
    let component = nth(field, delimiters.component, path.component);
    nth(component, delimiters.subcomponent, path.subcomponent)
}

/// The text as shared text, the former one again if it did not change.
fn keep(text: Option<Cow<'_, str>>, last: &Option<Arc<str>>) -> Option<Arc<str>> {
    let text = text?;
    match last {
        Some(last) if **last == *text => Some(Arc::clone(last)),
        Some(_) | None => Some(Arc::from(text.as_ref())),
    }
}
