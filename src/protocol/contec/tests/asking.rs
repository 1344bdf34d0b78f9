//! Who asks when, and with which bytes.

use super::*;

/// What is sent at each of the session's deadlines up to `until`, with the second.
fn asked(session: &mut dyn Session, until: u64) -> Vec<(u64, Vec<u8>)> {
    let mut told = Vec::new();
    while let Some(due) = session
        .deadline()
        .filter(|due| *due <= Moment::from_secs(until))
    {
        let mut events = Events::new();
        let now = Now {
            moment: due,
            ..Now::default()
        };
        session.expire(now, &mut events);
        let second = due.as_micros() / 1_000_000;
        told.extend(sent(&events).into_iter().map(|bytes| (second, bytes)));
    }
    told
}

#[test]
fn v7_is_started_kept_alive_and_started_again() {
    let start = seven::START.to_vec();
    let keep_alive = seven::KEEP_ALIVE.to_vec();
    let packet = seven::write([4, 0x40, 2, 72, 97, 0, 1]);
    let mut session = session(&V7);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    assert_eq!(sent(&events).concat(), start);

    // While it streams, nothing but a keep-alive every 4 s.
    let mut said = Vec::new();
    for tenth in 1..=200 {
        let now = Now {
            moment: Moment::ZERO.after(Duration::from_millis(100 * tenth)),
            ..Now::default()
        };
        if session.deadline().is_some_and(|due| due <= now.moment) {
            events.clear();
            session.expire(now, &mut events);
            said.extend(sent(&events).into_iter().map(|bytes| (tenth, bytes)));
        }
        session.receive(now, &packet, &mut Events::new());
    }
    let expected = [40, 80, 120, 160, 200].map(|tenth| (tenth, keep_alive.clone()));
    assert_eq!(said, expected);

    // Silence from 20 s on: started again after 1 s, then ever more seldom.
    let seconds: Vec<u64> = asked(&mut *session, 40)
        .into_iter()
        .filter(|(_, bytes)| *bytes == start)
        .map(|(second, _)| second)
        .collect();
    assert_eq!(seconds, [21, 22, 24, 27, 31, 36]);

    // It answers late.
    session.receive(at(40), &packet, &mut Events::new());
    assert_eq!(session.deadline(), Some(Moment::from_secs(41)));
    session.closed(at(41), &mut Events::new());
    assert_eq!(session.deadline(), None);
    events.clear();
    session.opened(at(50), &mut events);
    assert_eq!(sent(&events), [start]);
}

#[test]
fn an_oximeter_that_never_answers_is_a_fault_after_three_starts() {
    let mut session = session(&V7);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    let mut faults_at = Vec::new();
    while let Some(due) = session
        .deadline()
        .filter(|due| *due <= Moment::from_secs(20))
    {
        events.clear();
        let now = Now {
            moment: due,
            ..Now::default()
        };
        session.expire(now, &mut events);
        // Noise and commands that come back are no answer.
        session.receive(now, &seven::START, &mut events);
        if faults(&events).contains(&Fault::Timeout) {
            faults_at.push(due.as_micros() / 1_000_000);
        }
    }
    assert_eq!(faults_at, [6, 10, 15, 20]);
}

#[test]
fn only_the_start_and_the_keep_alive_are_ever_sent() {
    let allowed = [seven::START.to_vec(), seven::KEEP_ALIVE.to_vec()];
    let mut session = session(&V7);
    let mut events = Events::new();
    session.opened(at(0), &mut events);
    let mut said = sent(&events);
    for second in 1..200_u64 {
        let mut events = Events::new();
        if second % 3 == 0 {
            let packet = seven::write([4, 0x40, 2, 72, 97, 0, 1]);
            session.receive(at(second), &packet, &mut events);
        }
        session.receive(at(second), &[0x0B, 0x80, 0x0D, 0x80, 0xFF], &mut events);
        while session
            .deadline()
            .is_some_and(|due| due <= at(second).moment)
        {
            session.expire(at(second), &mut events);
        }
        said.extend(sent(&events));
    }
    assert!(said.len() > 20);
    assert!(
        said.iter().all(|bytes| allowed.contains(bytes)),
        "{said:02x?}"
    );
    assert_eq!(
        sent(&heard(&V5, [&[0xC8, 0x40, 0x07, 0x48, 0x61][..]])),
        Vec::<Vec<u8>>::new()
    );
}

#[test]
fn a_device_streams_only_while_it_is_kept_alive() {
    let mut device = device(&V7);
    let screen = Screen::default();
    let streams = |device: &mut dyn Device, second| {
        let mut sent = Vec::new();
        device.present(at(second), &screen, &mut sent);
        !sent.is_empty()
    };
    assert!(!streams(&mut *device, 0));
    // A keep-alive alone starts nothing.
    device.receive(at(0), &seven::KEEP_ALIVE, &mut Vec::new());
    assert!(!streams(&mut *device, 0));
    for piece in seven::START.chunks(2) {
        device.receive(at(1), piece, &mut Vec::new());
    }
    assert!(streams(&mut *device, 10));
    device.receive(at(10), &seven::KEEP_ALIVE, &mut Vec::new());
    assert!(streams(&mut *device, 19));
    assert!(!streams(&mut *device, 20));
}
