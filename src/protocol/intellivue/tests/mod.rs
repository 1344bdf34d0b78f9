//! The monitor as a whole. The parts' own tests stand beside them.

mod dialogue;
mod link;
mod results;
mod room;
mod round_trip;
mod values;
mod waves;

use super::super::device::{Device, DeviceOptions, Screen};
use super::super::event::{Event, Events};
use super::super::json::from_hex;
use super::super::session::{Medium, Options, Session, SessionOptions};
use super::super::transcript::{alerts, faults, identities, observed, sent, summary, waves};
use super::PROTOCOL;
use super::answer::{self, Told};
use super::frame;
use super::message::{Class, Link};
use super::numerics::{COMPOUND_VALUE, LABEL, TAKEN_AT, VALUE, Value};
use super::request::Question;
use super::wire::{self, attribute};
use crate::observation::{Identity, Observation};
use crate::vocabulary::{Cause, Decimal, Moment, Now, Parameter, Reading};
use std::collections::BTreeMap;

/// 2026-05-20T14:30:05 by the monitor.
const TAKEN: i64 = 1_779_287_405_000;
const HR: u32 = 0x0002_4182;
const SPO2: u32 = 0x0002_4BB8;
const NBP: u32 = 0x0002_4A04;

fn at_ms(millis: u64) -> Now {
    Now {
        moment: Moment::from_micros(millis * 1_000),
        ..Now::default()
    }
}

fn session_over(medium: Medium, options: &[(&str, &str)]) -> Box<dyn Session> {
    let options: Options = options
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    (PROTOCOL.open)(&SessionOptions { medium, options }).unwrap()
}

fn device() -> Box<dyn Device> {
    (PROTOCOL.device)(&DeviceOptions::default())
}

/// Everything said about these datagrams, without what is sent at the opening.
fn heard(datagrams: &[Vec<u8>]) -> Events {
    let mut session = session_over(Medium::Datagram, &[]);
    let mut events = Events::new();
    session.opened(at_ms(0), &mut events);
    events.clear();
    for datagram in datagrams {
        session.receive(at_ms(0), datagram, &mut events);
    }
    session.closed(at_ms(0), &mut events);
    events
}

/// A value with a whole number.
fn number(code: u16, state: u16, unit: u16, number: i64) -> Value {
    Value {
        code,
        state,
        unit,
        float: wire::to_float(Decimal::whole(number)),
    }
}

/// A numeric object: its label, its stamp, its values.
fn numeric(handle: u16, label: u32, taken: Option<i64>, values: &[Value]) -> Vec<u8> {
    let mut attributes = vec![attribute(LABEL, label.to_be_bytes())];
    attributes.extend(taken.map(|taken| attribute(TAKEN_AT, wire::to_absolute_time(taken))));
    let written: Vec<Vec<u8>> = values
        .iter()
        .map(|value| {
            let mut bytes = Vec::new();
            value.write(&mut bytes);
            bytes
        })
        .collect();
    match written.as_slice() {
        [] => {}
        [one] => attributes.push(attribute(VALUE, one)),
        several => {
            let mut bytes = Vec::new();
            wire::list(&mut bytes, several);
            attributes.push(attribute(COMPOUND_VALUE, bytes));
        }
    }
    answer::object(handle, &attributes)
}

/// An extended numerics result, `sequence` seconds after the monitor's start.
fn result(sequence: u16, link: Link, objects: &[Vec<u8>]) -> Vec<u8> {
    let told = Told {
        invoke: 7,
        question: Question {
            class: Class::Numerics.code(),
            group: 0,
            period: Some(1),
        },
        sequence,
        at: u32::from(sequence) * 8_192,
        link,
    };
    answer::polled(told, objects)
}

/// Whole results with these objects, the first with sequence number 1.
fn results(series: &[Vec<Vec<u8>>]) -> Vec<Vec<u8>> {
    (1..)
        .zip(series)
        .map(|(sequence, objects)| result(sequence, Link::End, objects))
        .collect()
}

/// An MDS Create event with these attributes beside the clock pair (0, [`TAKEN`]).
fn created(attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut all: Vec<Vec<u8>> = super::clock::Clock::pair(0, TAKEN).into();
    all.extend_from_slice(attributes);
    answer::created(1, 0, &all)
}

fn readings(events: &[Event]) -> Vec<(String, Reading)> {
    observed(events)
        .into_iter()
        .map(|seen| {
            let site = seen
                .site
                .map_or_else(String::new, |site| format!("@{}", site.name()));
            (format!("{}{site}", seen.parameter), seen.reading)
        })
        .collect()
}

/// What the last of these objects, told alone, reads as.
fn read_as(value: Value) -> Reading {
    let events = heard(&results(&[vec![numeric(1, 0, None, &[value])]]));
    assert_eq!(faults(&events), []);
    observed(&events)[0].reading
}

fn valid(value: i64) -> Reading {
    Reading::Valid(Decimal::whole(value))
}
