//! What a restart without replay must not hide.

use super::alarm_proof_bed::{Bed, command, reads};
use infusewatch::engine::restart::{self, Row};
use infusewatch::engine::{Command, Engine, Input, Record};
use infusewatch::vocabulary::{Moment, Now, Parameter, Rule, WallTime};
use std::time::Duration;

#[test]
fn alm_goal_8_an_absence_that_is_over_hides_no_alarm_after_a_restart() {
    let mut bed = Bed::opened(Duration::from_secs(3600));
    let opened = Bed::opening(Duration::from_secs(3600));
    let mut rows = vec![(1, Moment::ZERO, Some(opened), None)];
    for (second, input) in [
        (1, reads(Parameter::Spo2, 97)),
        (1, command(Command::Away { minutes: 15 })),
        // SpO2 has been valid for 10 s long before: the patient is back.
        (60, reads(Parameter::NibpSys, 75)),
    ] {
        for record in bed.wait_until(Moment::from_secs(second)) {
            rows.push((record.seq, record.at, None, Some(record.record)));
        }
        let records = bed.take(&input);
        let seq = bed.engine.seq() - u64::try_from(records.len()).unwrap();
        rows.push((seq, bed.at, Some(input), None));
        for record in records {
            rows.push((record.seq, record.at, None, Some(record.record)));
        }
    }
    let is_open = |engine: &Engine| {
        engine
            .open_alarms()
            .any(|(key, _)| key.rule == Rule::SbpLow)
    };
    assert!(is_open(&bed.engine));
    let carry = restart::summarise(
        rows.iter().map(
            |(seq, at, input, record): &(u64, Moment, Option<Input>, Option<Record>)| {
                let row = match (input, record) {
                    (Some(input), _) => Row::Input(input),
                    (None, record) => Row::Record(record.as_ref().unwrap()),
                };
                (*seq, *at, WallTime::default(), row)
            },
        ),
        "proof",
    )
    .unwrap();
    let mut again = Engine::new(bed.engine.seq());
    let now = Now {
        moment: Moment::ZERO,
        wall: WallTime::default(),
    };
    again.step(now, &Input::CarryOver(Box::new(carry)), &mut Vec::new());
    assert!(is_open(&again), "the alarm was dropped");
}
