//! What the display asks: a repeated cuff reading is one point, a refused command was not done.

use super::*;
use crate::engine::{Command, FeedId, Input, Record, RefusedRecord};
use crate::observation::{DeviceTime, Observation};
use crate::vocabulary::{Decimal, Parameter, Reading, WallTime};

fn measured(value: i64, measured_ms: i64) -> Body {
    let mut observation =
        Observation::new(Parameter::NibpSys, Reading::Valid(Decimal::whole(value)));
    observation.measured_at = Some(DeviceTime::civil(measured_ms));
    Body::Input(Input::Reading {
        feed: FeedId(0),
        observation,
    })
}

fn values(reader: &Reader, from: i64, points: usize) -> Vec<(i64, String)> {
    let wall = |seq: i64| WallTime::from_millis(sample::MIDNIGHT + seq * 100);
    let trend = reader.history("nibp-sys", wall(from), wall(1_000), points);
    let pieces = trend.unwrap().into_iter();
    pieces
        .map(|piece| {
            let seq = (piece.wall_ms - sample::MIDNIGHT) / 100;
            (seq, piece.value.unwrap().to_string())
        })
        .collect()
}

#[test]
fn one_inflation_is_one_point_however_often_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut ledger = ledger(&path);
    write(
        &mut ledger,
        &[sample::entry(1, Body::Input(sample::open(1)))],
    );
    let told = |seq, value, at| sample::in_session(seq, 1, measured(value, at));
    let reader = Reader::open(&path).unwrap();
    let mut seq = 1;
    let mut tell = |ledger: &mut Ledger, value, at, times| {
        for _ in 0..times {
            seq += 1;
            write(ledger, &[told(seq, value, at)]);
        }
    };
    tell(&mut ledger, 124, 60_000, 5);
    let first = [(2, "124".to_owned())];
    assert_eq!(values(&reader, 0, 1_000), first);
    // Told on between two questions: what is remembered knows it still.
    tell(&mut ledger, 124, 60_000, 3);
    tell(&mut ledger, 131, 360_000, 4);
    let [first] = first;
    let both = [first, (10, "131".to_owned())];
    assert_eq!(values(&reader, 1, 1_000), both);
    // From before the session: out of the rows.
    assert_eq!(values(&reader, 0, 1_000), both);
}

#[test]
fn what_was_refused_is_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let mut ledger = ledger(&path);
    let note = |text: &str| {
        Body::Input(Input::Command(Box::new(Command::Note {
            text: text.into(),
            by: None,
        })))
    };
    let refused = Body::Record(
        Record::Refused(RefusedRecord {
            command: "note".into(),
            error: "no".into(),
            hint: None,
        }),
        None,
    );
    write(
        &mut ledger,
        &[
            sample::in_session(1, 1, Body::Input(sample::open(1))),
            sample::in_session(2, 1, note("calm")),
            sample::in_session(3, 1, note("")),
            sample::in_session(4, 1, refused),
            sample::in_session(5, 1, note("awake")),
        ],
    );
    let events = Reader::open(&path).unwrap().events(1, 0).unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.seq, event.what.as_str(), &event.detail["text"]))
        .collect();
    assert_eq!(
        told,
        [(2, "note", &"calm".into()), (5, "note", &"awake".into())]
    );
}
