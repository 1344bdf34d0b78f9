//! Whom readings are laid to: bed, device and patient as told.

use super::hl7_rig::{MSH, Rig, frame, identities, observations};
use infusewatch::observation::Identity;
use infusewatch::protocol::Event;

const HR: &str = "OBX|1|NM|147842^^MDC|1.1.1.1|80|264864^^MDC|||||R";

fn whom(bed: Option<&str>, device: Option<&str>, patient: Option<&str>) -> Identity {
    Identity {
        bed: bed.map(Into::into),
        device: device.map(Into::into),
        patient: patient.map(Into::into),
    }
}

fn told(options: &[(&str, &str)], segments: &[&str]) -> Vec<Identity> {
    identities(&Rig::new(options).receive(&frame(segments)))
}

const BARE: &str = "MSH|^~\\&|||||20260301101500||ORU^R01|1|P|2.6";

#[test]
fn a_null_is_nobody() {
    let device = Some("BEDSIDE");
    for (pid, patient) in [
        ("PID|||\"\"||\"\"^\"\"", None),
        ("PID|||\"\"^^^CLINIC^MR", None),
        ("PID|||", None),
        ("PID", None),
        (
            "PID|||12345^^^Authority^MR~6789^^^Authority^VN",
            Some("12345"),
        ),
        ("PID|||A\\T\\B", Some("A&B")),
        (
            "PID|||Unknown Patient^Unknown Patient||||||||||||||||||||||||||||Y",
            None,
        ),
    ] {
        assert_eq!(
            told(&[], &[MSH, pid, HR]),
            [whom(None, device, patient)],
            "{pid}"
        );
    }
    assert_eq!(told(&[], &[BARE, HR]), []);
}

#[test]
fn the_bed_is_where_the_clinic_says() {
    let pv1 = "PV1||I|^^Dept&Bed-7&3232237756&4601&&1";
    let bed = |options: &[(&str, &str)], pv1: &str| told(options, &[BARE, pv1, HR])[0].bed.clone();
    assert_eq!(
        bed(&[], pv1).as_deref(),
        Some("^^Dept&Bed-7&3232237756&4601&&1")
    );
    assert_eq!(
        bed(&[("bed-field", "PV1-3.3.2")], pv1).as_deref(),
        Some("Bed-7")
    );
    let list = [("bed-field", "PV1-3.4, PV1-3.1")];
    assert_eq!(bed(&list, "PV1||I|Unit^Room^Bed").as_deref(), Some("Unit"));
    assert_eq!(
        bed(&list, "PV1||I|Unit^Room^Bed^House").as_deref(),
        Some("House")
    );
}

#[test]
fn the_device_is_the_whole_device_not_its_module() {
    let mds = "OBX|1||69965^^MDC|1.0.0.0|||||||X|||||||MON-1^^00AA^EUI-64";
    let vmd = "OBX|2||69798^^MDC|1.1.0.0|||||||X|||||||MODULE-9";
    let metric = "OBX|3|NM|147842^^MDC|1.1.1.1|80|264864^^MDC|||||R|||||||SENSOR-3";
    let device = |segments: &[&str]| {
        let mut all = vec![BARE, "OBR|1"];
        all.extend(segments);
        told(&[], &all)
            .into_iter()
            .map(|whom| whom.device.unwrap().to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(device(&[mds, vmd, metric, HR]), ["MON-1"]);
    assert_eq!(device(&[vmd, metric, HR]), ["MODULE-9"]);
    assert_eq!(device(&[metric, HR]), ["SENSOR-3"]);
    // Lowest level first: the whole device stands last.
    assert_eq!(
        device(&[&format!("{HR}|||||||SENSOR-3~MODULE-9~MON-1")]),
        ["MON-1"]
    );
    assert_eq!(
        device(&[&format!("{HR}|||||||^^00AA00^EUI-64")]),
        ["00AA00"]
    );
    // Two devices in one group, and a new group of another one.
    let other = mds.replace("MON-1", "MON-2").replace("1.0.0.0", "2.0.0.0");
    assert_eq!(device(&[mds, HR, &other, HR]), ["MON-1", "MON-2"]);
    assert_eq!(device(&[mds, HR, "OBR|2", &other, HR]), ["MON-1", "MON-2"]);
    // Without any, the sender of the message.
    let sender = "MSH|^~\\&|^EfficiaCM||||20260301101500||ORU^R01|1|P|2.4";
    assert_eq!(
        told(&[], &[sender, HR]),
        [whom(None, Some("EfficiaCM"), None)]
    );
}

#[test]
fn readings_are_never_laid_to_the_patient_before() {
    // Two patients in one message, the second without a bed.
    let events = Rig::new(&[]).receive(&frame(&[
        BARE,
        "PID|||P1",
        "PV1||I|BED1",
        "OBR|1",
        HR,
        "PID|||P2",
        "OBR|1",
        HR,
    ]));
    assert_eq!(
        identities(&events),
        [
            whom(Some("BED1"), None, Some("P1")),
            whom(None, None, Some("P2")),
        ]
    );
    // A message that names nobody takes the identity back.
    let mut rig = Rig::new(&[]);
    let _ = rig.receive(&frame(&[BARE, "PID|||P1", HR]));
    let events = rig.receive(&frame(&[BARE, HR]));
    assert_eq!(identities(&events), [Identity::default()]);
    // Two messages in one frame.
    let events = Rig::new(&[]).receive(&frame(&[BARE, "PID|||P1", HR, BARE, "PID|||P2", HR]));
    assert_eq!(
        identities(&events),
        [whom(None, None, Some("P1")), whom(None, None, Some("P2"))]
    );
}

#[test]
fn the_identity_comes_before_the_first_reading_of_every_message() {
    let mut rig = Rig::new(&[]);
    for _ in 0..2 {
        let events = rig.receive(&frame(&[MSH, "PID|||P1", "OBR|1", HR, HR]));
        assert_eq!(events[0], Event::Frame);
        assert!(matches!(events[1], Event::Identity(_)));
        assert_eq!(identities(&events).len(), 1);
        assert_eq!(observations(&events).len(), 2);
    }
}

#[test]
fn a_name_that_does_not_decode_never_costs_a_reading() {
    let mut sent = frame(&[BARE, "PID|||NAME", HR]);
    let place = sent.windows(4).position(|four| four == b"NAME").unwrap();
    sent[place..place + 4].copy_from_slice(b"\xC8\xE2\xE0\xED");
    let name = |options: &[(&str, &str)]| {
        let events = Rig::new(options).receive(&sent);
        assert_eq!(observations(&events).len(), 1);
        identities(&events)[0]
            .patient
            .as_deref()
            .unwrap()
            .to_owned()
    };
    assert_eq!(name(&[]), "\u{C8}\u{E2}\u{E0}\u{ED}");
    assert_eq!(name(&[("charset", "windows-1251")]), "Иван");
    assert_eq!(name(&[("charset", "ascii")]), "\u{FFFD}".repeat(4));
    assert!(name(&[("charset", "utf-8")]).starts_with('\u{FFFD}'));
}
