//! Every vendor's way of saying the same, as far as it is known, and the clinic's own rows.

use super::hl7_rig::{
    Rig, alert_lines, faults, frame, frames, identities, line, lines, observations, readings, sent,
};
use infusewatch::vocabulary::Site;

#[test]
fn efficia() {
    let events = Rig::new(&[]).receive(&frame(&[
        "MSH|^~\\&|^EfficiaCM||||20260301101500||ORU^R01|US12345678000000021|P|2.4",
        "PID|||\"\"||\"\"^\"\"",
        "PV1||I|^^C4|||||||||||||||A",
        "OBR|1|||MONITOR|||20260301101500",
        "OBX|1|NM|0002-4182^HR^MDIL|1|72|0004-0aa0^bpm^MDIL|50-120||||F",
        "OBX|2|NM|0002-4bb8^SpO2^MDIL|1|97|0004-0220^%^MDIL|90-100||||F",
        "OBX|3|NM|0002-4822^Pulse^MDIL|1|73|0004-0aa0^bpm^MDIL|50-120||||F||||||0002-4bb8^SpO2^MDIL",
        "OBX|4|NM|0002-50b0^etCO2^MDIL|1|5.1|0004-0f03^kPa^MDIL|||||F",
        "OBX|5|NM|0002-f0c7^Temp^MDIL|1|98.6|0004-1140^F^MDIL|||||F||||||0002-f110^Oral^MDIL",
        "OBX|6|NM|0002-4a05^NBPs^MDIL|1|131|0004-0f20^mmHg^MDIL|||||F|||20260301101000",
        "OBX|7|NM|0002-4a06^NBPd^MDIL|1|79|0004-0f20^mmHg^MDIL|||||F|||20260301101000",
        // Nothing on the screen, and a question mark on the screen.
        "OBX|8|NM|0002-5000^Resp^MDIL|1||0004-0ae0^rpm^MDIL|||||F",
        "OBX|9|NM|0002-500a^RR^MDIL|1||0004-0ae0^rpm^MDIL|||||X",
        // Slips of the printed manual must not become numbers.
        "OBX|10|NM|0002*f0c7^Temp^MDIL|1|36.5|0004-17a0^C^MDIL|||||F",
        "OBX|11|NM|0002-f0c7^Temp^MDIL|1|36.5|0004-1710^C^MDIL|||||F",
    ]));
    let found = observations(&events);
    let told = lines(&found);
    assert_eq!(
        told.iter()
            .filter(|line| !line.contains("vendor:") && !line.starts_with("mdc:"))
            .collect::<Vec<_>>(),
        [
            "hr 72",
            "spo2 97",
            "pr 73",
            "etco2 38.3",
            "temp 37.0",
            "nibp-sys 131",
            "nibp-dia 79",
            "rr not-available",
            "temp unknown-unit",
        ]
    );
    assert_eq!(identities(&events)[0].device.as_deref(), Some("EfficiaCM"));
    assert_eq!(identities(&events)[0].patient, None);
    // Without MSH-15 and MSH-16: the original mode.
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&[
        "MSH|^~\\&|^EfficiaCM||||20260301101500||ORU^R01|US12345678000000021|P|2.4",
    ]));
    assert!(rig.commit(&events, true)[0].contains("MSA|AA|US12345678000000021\r"));
}

#[test]
fn philips_central() {
    let events = Rig::new(&[]).receive(&frame(&[
        "MSH|^~\\&|||||||ORU^R01|HP0301101500|P|2.3||||||8859/1",
        "PID|||\"\"||\"\"^\"\"|||\"\"",
        "PV1||I|ICU/PCU^^C3&0&0",
        "OBR|||||||20260301101500",
        "OBX||ST|0402-f8f5^sMode^MDIL|0|MONITORING||||||F||SETTING",
        "OBX||TX|2^Yellow Alarm^MDIL-ALERT||**SpO2   86  <90  ||||||F",
        "OBX||NM|0002-4bb8^SpO2^MDIL|0|86|0004-0220^%^MDIL|90-100||||F",
        "OBX||NM|0002-4a05^NBPs^MDIL|0|118|0004-0f20^mmHg^MDIL|||||F||APERIODIC|20260301094200",
    ]));
    assert_eq!(lines(&observations(&events)), ["spo2 86", "nibp-sys 118"]);
    assert_eq!(alert_lines(&events), ["start medium **SpO2 86 <90"]);
    let cuff = &observations(&events)[1];
    let age = cuff
        .message_at
        .or(observations(&events)[0].measured_at)
        .unwrap();
    assert_eq!(age.millis_since(cuff.measured_at.unwrap()), 33 * 60_000);
}

#[test]
fn ge_b_series() {
    let mut rig = Rig::new(&[]);
    let ge = |code: &str, path: &str, value: &str, unit: &str| {
        format!("OBX|1|NM|{code}^MDC|{path}|{value}|{unit}^MDC|||||F|||||||00A0370000000001^B40_GE")
    };
    let rows = [
        ge(
            "147842^MDC_ECG_HEART_RATE",
            "1.5.1.1",
            "71",
            "264864^MDC_DIM_BEAT_PER_MIN",
        ),
        ge(
            "151562^MDC_RESP_RATE",
            "1.6.1.1",
            "14",
            "264928^MDC_DIM_RESP_PER_MIN",
        ),
        ge(
            "151562^MDC_RESP_RATE",
            "1.11.1.1",
            "13",
            "264928^MDC_DIM_RESP_PER_MIN",
        ),
        ge(
            "151712^MDC_CONC_AWAY_CO2_EXP",
            "1.11.1.2",
            "36",
            "266016^MDC_DIM_MMHG",
        ),
        ge(
            "150456^MDC_PULS_OXIM_SAT_O2",
            "1.22.1.1",
            "98",
            "262688^MDC_DIM_PERCENT",
        ),
    ];
    let mut segments = vec![
        "MSH|^~\\&|VSP^080019FFFE000001^EUI-64|GE Healthcare|||20260301101500||ORU^R01^ORU_R01|0040971443EC|P|2.6|||NE|AL||UNICODE UTF-8",
        "PID|||K-205",
        "PV1||I|CARDIO^^C3",
        "OBR|1||||||20260301101500",
    ];
    segments.extend(rows.iter().map(String::as_str));
    let bytes = frame(&segments);
    let events = rig.receive(&bytes);
    let found = observations(&events);
    assert_eq!(
        lines(&found),
        ["hr 71", "rr 14", "rr 13", "etco2 36", "spo2 98"]
    );
    assert_eq!(found[1].site, Some(Site::Impedance));
    assert_eq!(found[2].site, Some(Site::Airway));
    assert!(rig.commit(&events, true)[0].contains("MSA|AA|0040971443EC\r"));
    // Its control id is the same every time: no repeat is thrown away.
    let again = rig.receive(&bytes);
    assert_eq!(observations(&again).len(), 5);
}

#[test]
fn nihon_kohden() {
    let mut rig = Rig::new(&[]);
    let events = rig.receive(&frame(&[
        "MSH|^~\\&|NIHON KOHDEN|NIHON KOHDEN|CLIENT APP|CLIENT FACILITY|20260301101500||ORU^R01^ORU_R01|20260301000003|P|2.4|||NE|AL||ASCII||ASCII",
        "PV1||I|^^BED-001^10.0.0.9:1",
        "ORC|RE",
        "OBR|1|||VITAL|||20260301101500",
        "OBX|1|NM|001000^VITAL HR|1|70|/min|||||F|||20260301101500",
        "OBX|2|NM|007001^VITAL PR(spo2)|1|71|/min|||||F|||20260301101500",
        "OBX|3|NM|007000^VITAL SpO2|1|99|%|||||F|||20260301101500",
        "OBX|4|NM|072007^VITAL rPR(spo2)|1|140|/min|||||F|||20260301101500",
        "OBR|2|||NIBP|||20260301100000",
        "OBX|1|NM|009000^NIBP SYS|1|121|mmHg|||||F",
        "OBX|2|NM|009001^NIBP DIAS|1|72|mmHg|||||F",
    ]));
    let found = observations(&events);
    let ours: Vec<_> = found
        .iter()
        .filter(|one| one.parameter.known().is_some())
        .map(line)
        .collect();
    assert_eq!(
        ours,
        ["hr 70", "pr 71", "spo2 99", "nibp-sys 121", "nibp-dia 72"]
    );
    let cuff = found.last().unwrap();
    let age = cuff
        .message_at
        .unwrap()
        .millis_since(cuff.measured_at.unwrap());
    assert_eq!(age, 15 * 60_000);
    assert!(rig.commit(&events, true)[0].contains("MSA|AA|"));
    // Its question for a patient on the same port is refused.
    let question = rig.receive(&frame(&[
        "MSH|^~\\&|NIHON KOHDEN||||20260301101500||QRY^A19|5|P|2.4|||NE|AL",
    ]));
    assert!(sent(&question)[0].contains("MSA|AR|5|"));
}

#[test]
fn comen() {
    let row = |code: &str, value: &str, unit: &str, status: &str| {
        format!("OBX|1|NM|{code}|1.1.1.1|{value}|{unit}|||||{status}")
    };
    let rows = [
        row(
            "149522^MDC_PULS_RATE^MDC",
            "74",
            "264864^MDC_DIM_BEAT_PER_MIN^MDC",
            "R",
        ),
        row(
            "150456^MDC_PULS_OXIM_SAT_O2^MDC",
            "8388607",
            "262688^MDC_DIM_PERCENT^MDC",
            "X",
        ),
        row(
            "160324^MDC_SPO2_SIGNAL_QUALITY_INDEX^MDC",
            "88",
            "262688^MDC_DIM_PERCENT^MDC",
            "R",
        ),
        row(
            "150344^MDC_TEMP^MDC",
            "98.1",
            "268160^MDC_DIM_FAHR^MDC",
            "R",
        ),
        row(
            "150021^MDC_PRESS_BLD_NONINV_SYS^MDC^17^NIBP^99COMEN",
            "120",
            "266016^MDC_DIM_MMHG^MDC",
            "R",
        ),
    ];
    let mut segments = vec![
        "MSH|^~\\&|COMEN^0001^EUI-64||||20260301101500||ORU^R01^ORU_R01|1|P|2.4||||||UNICODE UTF-8",
        "PV1||I|^^&10",
        "OBR|1||||||20260301101500",
    ];
    segments.extend(rows.iter().map(String::as_str));
    let events = Rig::new(&[("bed-field", "PV1-3.3.2")]).receive(&frame(&segments));
    assert_eq!(
        lines(&observations(&events)),
        [
            "art-pr 74",
            "spo2 not-available",
            "mdc:160324 88",
            "temp unknown-unit",
            "nibp-sys 120",
        ]
    );
    assert_eq!(identities(&events)[0].bed.as_deref(), Some("10"));
}

#[test]
fn mindray_egateway_with_its_three_connections() {
    let header = |kind: &str, id: &str| {
        format!(
            "MSH|^~\\&|MINDRAY_EGATEWAY^00A037009A000001^EUI-64|MINDRAY|||20260301101500.0000+0800||{kind}|{id}|P|2.6|||AL|NE||UNICODE UTF-8"
        )
    };
    let device = "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||MON-8^^00A037009A000008^EUI-64";
    let row = |n: u32, code: &str, path: &str, value: &str, unit: &str, flag: &str| {
        format!("OBX|{n}|NM|{code}|{path}|{value}|{unit}||{flag}|||R")
    };
    let rows = [
        row(
            2,
            "147842^MDC_ECG_HEART_RATE^MDC",
            "1.7.4.147842",
            "60",
            "264864^MDC_DIM_BEAT_PER_MIN^MDC",
            "",
        ),
        row(
            3,
            "150456^MDC_PULS_OXIM_SAT_O2^MDC",
            "1.3.1.150456",
            "99",
            "262688^MDC_DIM_PERCENT^MDC",
            "DEMO",
        ),
        row(
            4,
            "150344^MDC_TEMP^MDC",
            "1.4.1.150344",
            "98.6",
            "266560^MDC_DIM_FAHR^MDC",
            "",
        ),
        row(
            5,
            "378^MNDRY_BODY_SURFACE^99MNDRY",
            "1.1.1.378",
            "2",
            "",
            "",
        ),
    ];
    let vitals_header = header("ORU^R01^ORU_R01", "1");
    let mut segments = vec![
        &*vitals_header,
        "PV1||I|Ward^^C3",
        "OBR|1||||||20260301101500+0800",
        device,
    ];
    segments.extend(rows.iter().map(String::as_str));
    let events = Rig::new(&[]).receive(&frame(&segments));
    assert_eq!(
        lines(&observations(&events)).get(..3).unwrap(),
        ["hr 60", "spo2 demo", "temp 37.0"]
    );
    let vitals = identities(&events);

    let wave_header = header("ORU^R01^ORU_R01", "2");
    let events = Rig::new(&[]).receive(&frame(&[
        &wave_header,
        "PV1||I|Ward^^C3",
        "OBR|1|||100001^CONTINUOUS WAVEFORM^99MNDRY|||20260301101500+0800|20260301101501+0800",
        device,
        "OBX|2|NA|150452^MDC_PULS_OXIM_PLETH^MDC|1.3.1.150452|1^2^3^32767|262656^MDC_DIM_DIMLESS^MDC|||||R",
        "OBX|3|NM|0^MDC_ATTR_SAMP_RATE^MDC|1.3.1.150452.1|60|264640^MDC_DIM_HZ^MDC|||||R",
        "OBX|4|NM|262196^MDC_EVT_INOP^MDC|1.3.1.150452.3|32767||||||R",
    ]));
    let waves = super::hl7_rig::waves(&events);
    assert_eq!((waves[0].rate_hz, waves[0].samples[3]), (60, None));
    assert_eq!(observations(&events), []);

    let alert_header = header("ORU^R40^ORU_R40", "3");
    let events = Rig::new(&[]).receive(&frame(&[
        &alert_header,
        "PV1||I|Ward^^C3",
        "OBR|1||77^MINDRAY_EGATEWAY^00A037009A000001^EUI-64|196616^MDC_EVT_ALARM^MDC|||20260301101500+0800",
        device,
        "OBX|2|ST|10102^MNDRY_EVT_SPO2_TOO_LOW^99MNDRY|1.3.1.10102.1|**SpO2 Too Low||||||R",
        "OBX|3|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.3.1.10102.2|86|262688^MDC_DIM_PERCENT^MDC|90-100|L~PM~SP|||R",
        "OBX|4|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.3.1.10102.3|start||||||R",
        "OBX|5|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.3.1.10102.6|PM||||||R",
    ]));
    assert_eq!(
        alert_lines(&events),
        ["start medium spo2 86 (90-100): **SpO2 Too Low"]
    );
    assert_eq!(
        identities(&events),
        vitals,
        "the same bed and device on every connection"
    );
}

#[test]
fn welch_allyn_by_the_clinics_own_labels() {
    let map = [
        ("map.SPO2", "spo2 %"),
        ("map.PULSE", "pr bpm"),
        ("map.NIBP@SYS", "nibp-sys mmHg"),
        ("map.NIBP@DIA", "nibp-dia mmHg"),
        ("map.NIBP@MEAN", "nibp-mean mmHg"),
        ("map.RESP", "rr"),
        ("map.TEMP@1", "temp"),
    ];
    let row = |code: &str, path: &str, value: &str, unit: &str, flag: &str| {
        format!("OBX|1|NM|{code}|{path}|{value}|{unit}||{flag}|||F|||20260301101000")
    };
    let rows = [
        row("SPO2", "1", "96", "Percent", ""),
        row("PULSE", "1", "77", "BPM", ""),
        row("NIBP", "SYS", "128", "mmHg", ""),
        row("NIBP", "DIA", "76", "mmHg", ""),
        row("NIBP", "MEAN", "93", "mmHg", ""),
        row("NIBP", "OTHER", "5", "mmHg", ""),
        row("RESP", "1", "14", "Br/M", "?"),
        row("TEMP", "1", "98.6", "DegF", ""),
        row("TEMP", "2", "40", "DegF", ""),
        row("SPO2", "1", "40", "Percent", "<"),
        row("SPO2", "1", "100", "Percent", ">"),
    ];
    let mut segments = vec![
        "MSH|^~\\&|WACS||||20260301101500||ORU^R01|1|P|2.4",
        "PV1||I|C3",
        "OBR|1||||||20260301101000",
    ];
    segments.extend(rows.iter().map(String::as_str));
    let told = lines(&readings(&map, &frame(&segments)));
    let ours: Vec<_> = told
        .iter()
        .filter(|line| !line.starts_with("vendor:"))
        .collect();
    assert_eq!(
        ours,
        [
            "spo2 96",
            "pr 77",
            "nibp-sys 128",
            "nibp-dia 76",
            "nibp-mean 93",
            "rr device-invalid",
            "temp 37.0",
            "spo2 out-of-range",
            "spo2 out-of-range",
        ]
    );
    // Without the clinic's rows nothing of it is a reading.
    let events = Rig::new(&[]).receive(&frame(&segments));
    assert_eq!(frames(&events), 1);
    assert!(
        observations(&events)
            .iter()
            .all(|one| one.parameter.known().is_none())
    );
    assert!(!faults(&events).is_empty());
}

#[test]
fn old_values_in_a_burst_keep_their_age() {
    let mut rig = Rig::new(&[("map.SPO2", "spo2 %")]);
    for minute in [15, 30, 45] {
        let time = format!("2026030108{minute}00");
        let events = rig.receive(&frame(&[
            "MSH|^~\\&|WACS||||20260301101500||ORU^R01|1|P|2.4",
            "OBR|1",
            &format!("OBX|1|NM|SPO2|1|96|%|||||F|||{time}"),
        ]));
        let found = observations(&events);
        let age = found[0]
            .message_at
            .unwrap()
            .millis_since(found[0].measured_at.unwrap());
        assert_eq!(age, (120 - i64::from(minute)) * 60_000 + 15 * 60_000);
    }
}
