//! From OBX rows to readings: what becomes a number, what becomes a cause, and under which time.

use super::hl7_rig::{
    MSH, Rig, faults, frame, frames, identities, line, lines, message, observations, obx, readings,
};
use infusewatch::protocol::{Event, Fault};
use infusewatch::vocabulary::Site;

const HR: &str = "147842^MDC_ECG_HEART_RATE^MDC";
const BPM: &str = "264864^MDC_DIM_BEAT_PER_MIN^MDC";
const SPO2: &str = "150456^MDC_PULS_OXIM_SAT_O2^MDC";
const PERCENT: &str = "262688^MDC_DIM_PERCENT^MDC";
const SYS: &str = "150021^MDC_PRESS_BLD_NONINV_SYS^MDC";
const DIA: &str = "150022^MDC_PRESS_BLD_NONINV_DIA^MDC";
const MMHG: &str = "266016^MDC_DIM_MMHG^MDC";

#[test]
fn one_message_with_everything_that_can_go_wrong_in_a_clinic() {
    let sent = frame(&[
        "MSH|^~\\&|CHAIRSIDE^0A0B0C0D0E0F0001^EUI-64||||20260301103000+0000||ORU^R01^ORU_R01|Q7|P|2.6|||AL|NE||UNICODE UTF-8",
        "PID|||A-77^^^CLINIC^MR||Doe^Jo",
        "PV1||O|INF^^CHAIR2",
        "OBR|1||5^CHAIRSIDE|182777000^monitoring of patient^SCT|||20260301102959+0000",
        "OBX|1||69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC|1.0.0.0|||||||X|||||||0A0B0C0D0E0F0001^^0A0B0C0D0E0F0001^EUI-64",
        "OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|71|264864^MDC_DIM_BEAT_PER_MIN^MDC|50-120||||R",
        "OBX|3|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.2.1.1||262688^MDC_DIM_PERCENT^MDC||INV|||X",
        "OBX|4|NM|151728^MDC_AWAY_CO2_ET^MDC|1.3.1.1|5.1|265987^MDC_DIM_KILO_PASCAL^MDC|||||R",
        "OBX|5|NM|150021^MDC_PRESS_BLD_NONINV_SYS^MDC|1.4.1.1|151|266016^MDC_DIM_MMHG^MDC|||||R|||20260301101500+0000",
    ]);
    let events = Rig::new(&[]).receive(&sent);
    assert_eq!(events[0], Event::Frame);
    let whom = &identities(&events)[0];
    assert_eq!(whom.bed.as_deref(), Some("INF^^CHAIR2"));
    assert_eq!(whom.device.as_deref(), Some("0A0B0C0D0E0F0001"));
    assert_eq!(whom.patient.as_deref(), Some("A-77"));
    let found = observations(&events);
    assert_eq!(
        lines(&found),
        ["hr 71", "spo2 device-invalid", "etco2 38.3", "nibp-sys 151"]
    );
    let age = |n: usize| {
        found[n]
            .message_at
            .unwrap()
            .millis_since(found[n].measured_at.unwrap())
    };
    assert_eq!(age(0), 1_000);
    assert_eq!(age(3), 15 * 60_000);
    assert_eq!(found[2].mdc, Some(151_728));
    assert_eq!(faults(&events), []);
}

#[test]
fn an_old_cuff_reading_keeps_its_time_however_often_it_is_repeated() {
    let mut rig = Rig::new(&[]);
    let mut told = Vec::new();
    for minute in 16..19 {
        let header = MSH.replace("20260301101500", &format!("202603011{minute}00"));
        let found = observations(&rig.receive(&frame(&[
            &header,
            "OBR|1",
            &format!(
                "{}|||20260301101201+0000",
                obx(SYS, "1.4.1.1", "118", MMHG, "", "F")
            ),
        ])));
        told.push(found[0].measured_at.unwrap().iso8601());
    }
    assert_eq!(told, ["2026-03-01T10:12:01Z"; 3]);
}

#[test]
fn numbers_that_stand_for_nothing_are_never_readings() {
    for value in [
        "", "-100", "-100.00", "-1000", "-10000", "-999", "-99.9", "-1", "32767", "8388607",
        "\"\"", "---", "--.-", "?", "***", "1e2", "NaN", "inf", "9,5", "0x5F", "97~98", "97^98",
    ] {
        let found = readings(
            &[],
            &message(&[obx(SPO2, "1.2.1.1", value, PERCENT, "", "F")]),
        );
        assert_eq!(lines(&found), ["spo2 not-available"], "{value:?}");
    }
    for (value, expected) in [
        ("0", "spo2 zero"),
        ("0.0", "spo2 zero"),
        ("101", "spo2 out-of-range"),
        ("-5", "spo2 out-of-range"),
        (" 97 ", "spo2 97"),
        ("+97", "spo2 97"),
        ("97.50", "spo2 97.50"),
    ] {
        let found = readings(
            &[],
            &message(&[obx(SPO2, "1.2.1.1", value, PERCENT, "", "F")]),
        );
        assert_eq!(lines(&found), [expected], "{value:?}");
    }
}

#[test]
fn value_types() {
    for (kind, value, expected) in [
        ("NM", "97", "spo2 97"),
        ("ST", "97", "spo2 97"),
        ("", "97", "spo2 97"),
        ("SN", "^97", "spo2 97"),
        ("SN", "=^97", "spo2 97"),
        ("SN", ">^97", "spo2 not-available"),
        ("SN", "^1^:^2", "spo2 not-available"),
        ("TX", "searching", "spo2 not-available"),
        ("CWE", "97^good^L", "spo2 not-available"),
    ] {
        let row = format!("OBX|1|{kind}|{SPO2}|1.2.1.1|{value}|{PERCENT}|||||F");
        assert_eq!(
            lines(&readings(&[], &message(&[row]))),
            [expected],
            "{kind} {value}"
        );
    }
}

#[test]
fn flags_and_status_decide_whether_a_number_may_be_used() {
    for (flags, status, expected) in [
        ("", "F", "spo2 97"),
        ("", "R", "spo2 97"),
        ("", "P", "spo2 97"),
        ("", "C", "spo2 97"),
        ("", "", "spo2 97"),
        ("N", "F", "spo2 97"),
        ("H~PH~SP", "R", "spo2 97"),
        ("EARLY", "R", "spo2 97"),
        ("ALACT~ALINH", "R", "spo2 97"),
        ("INV", "X", "spo2 device-invalid"),
        ("INV", "R", "spo2 device-invalid"),
        ("H~INV", "R", "spo2 device-invalid"),
        ("?", "F", "spo2 device-invalid"),
        ("NAV", "X", "spo2 not-available"),
        ("OFF", "R", "spo2 not-available"),
        ("MSK", "R", "spo2 not-available"),
        ("NAN", "R", "spo2 not-available"),
        ("BUSY", "X", "spo2 measuring"),
        ("QUES", "R", "spo2 low-quality"),
        ("CAL", "R", "spo2 calibrating"),
        ("<", "F", "spo2 out-of-range"),
        (">", "F", "spo2 out-of-range"),
        ("TEST", "R", "spo2 test"),
        ("DEMO", "R", "spo2 demo"),
        ("INV~DEMO", "X", "spo2 demo"),
        ("L~TEST~QUES", "R", "spo2 test"),
        ("", "X", "spo2 device-invalid"),
        ("", "S", "spo2 device-invalid"),
        ("", "U", "spo2 device-invalid"),
        ("", "D", "spo2 withdrawn"),
        ("", "W", "spo2 withdrawn"),
    ] {
        let found = readings(
            &[],
            &message(&[obx(SPO2, "1.2.1.1", "97", PERCENT, flags, status)]),
        );
        assert_eq!(lines(&found), [expected], "{flags:?} {status:?}");
    }
}

#[test]
fn a_sender_that_marks_good_numbers_with_x_can_be_believed() {
    let rows = |flags| message(&[obx(SPO2, "1.2.1.1", "97", PERCENT, flags, "X")]);
    let options = [("x-is-ok", "true")];
    assert_eq!(lines(&readings(&options, &rows(""))), ["spo2 97"]);
    assert_eq!(
        lines(&readings(&options, &rows("INV"))),
        ["spo2 device-invalid"]
    );
    let empty = message(&[obx(SPO2, "1.2.1.1", "", PERCENT, "", "X")]);
    assert_eq!(lines(&readings(&options, &empty)), ["spo2 not-available"]);
}

#[test]
fn test_messages_are_no_measurements_unless_the_bench_says_so() {
    for id in ["T", "D"] {
        let text = MSH.replace("|P|", &format!("|{id}|"));
        let sent = frame(&[&text, &obx(HR, "1.1.1.1", "80", BPM, "", "F")]);
        assert_eq!(lines(&readings(&[], &sent)), ["hr test"]);
        assert_eq!(
            lines(&readings(&[("accept-test", "true")], &sent)),
            ["hr 80"]
        );
    }
}

#[test]
fn a_setting_is_no_measurement() {
    let row = obx(HR, "1.1.1.1", "80", BPM, "", "F");
    for tail in [
        "||SETTING",
        "||CONFIGURATION",
        "||||||ASET",
        "||||||MSET^manual^MDC",
    ] {
        let found = readings(&[], &message(&[format!("{row}{tail}")]));
        assert_eq!(lines(&found), ["hr setting"], "{tail}");
    }
    for tail in ["||APERIODIC", "||||||AMEAS", "||||||0002-4bb8^SpO2^MDIL"] {
        let found = readings(&[], &message(&[format!("{row}{tail}")]));
        assert_eq!(lines(&found), ["hr 80"], "{tail}");
    }
}

#[test]
fn units_go_by_code_and_an_unknown_one_is_no_number() {
    for (code, value, unit, expected) in [
        (
            SYS,
            "16.0",
            "265987^MDC_DIM_KILO_PASCAL^MDC",
            "nibp-sys 120.0",
        ),
        (
            SYS,
            "120",
            "266048^MDC_DIM_CM_H2O^MDC",
            "nibp-sys unknown-unit",
        ),
        (SYS, "120", "", "nibp-sys unknown-unit"),
        (SYS, "120", "mm[Hg]^mm[Hg]^UCUM", "nibp-sys 120"),
        (
            "150344^MDC_TEMP^MDC",
            "98.6",
            "266560^MDC_DIM_FAHR^MDC",
            "temp 37.0",
        ),
        (
            "150344^MDC_TEMP^MDC",
            "98.6",
            "268160^MDC_DIM_FAHR^MDC",
            "temp unknown-unit",
        ),
        (
            "150344^MDC_TEMP^MDC",
            "36.60",
            "268192^MDC_DIM_DEGC^MDC",
            "temp 36.60",
        ),
        (
            "150448^MDC_PULS_OXIM_PERF_REL^MDC",
            "3.9",
            "262656^MDC_DIM_DIMLESS^MDC",
            "pi 3.9",
        ),
        ("150488^MDC_BLD_PERF_INDEX^MDC", "3.9", PERCENT, "pi 3.9"),
        ("150448^MDC_PULS_OXIM_PERF_REL^MDC", "3.9", "", "pi 3.9"),
        (
            SPO2,
            "97",
            "262656^MDC_DIM_DIMLESS^MDC",
            "spo2 unknown-unit",
        ),
        (HR, "80", "/min", "hr 80"),
        (
            "151708^MDC_CONC_AWAY_CO2_ET^MDC",
            "5.0",
            PERCENT,
            "etco2 unknown-unit",
        ),
    ] {
        let found = readings(&[], &message(&[obx(code, "1.1.1.1", value, unit, "", "R")]));
        assert_eq!(lines(&found), [expected], "{code} {unit}");
    }
}

#[test]
fn codes_and_names_must_not_contradict_each_other() {
    for (code, expected, fault) in [
        ("147842^MDC_ECG_CARD_BEAT_RATE^MDC", "hr 80", None),
        ("147842^^MDC", "hr 80", None),
        ("147842^HEARTBEAT^MDC", "hr 80", Some(Fault::UnknownCode)),
        (
            "1^MDC_ECG_HEART_RATE^MDC",
            "hr 80",
            Some(Fault::CodeMismatch),
        ),
        ("0^MDC_ECG_HEART_RATE", "hr 80", Some(Fault::CodeMismatch)),
        ("16770^MDC_ECG_HEART_RATE^MDC", "hr 80", None),
        (
            "147842^MDC_PULS_OXIM_PULS_RATE^MDC",
            "hr code-mismatch",
            Some(Fault::CodeMismatch),
        ),
        (
            "150017^MDC_PRESS_BLD_NONINV_SYS^MDC",
            "mdc:150017 code-mismatch",
            Some(Fault::CodeMismatch),
        ),
        ("148066^MDC_ECG_V_P_C_RATE^MDC", "mdc:148066 80", None),
        (
            "147232^MDC_SOMETHING^MDC",
            "mdc:147232 80",
            Some(Fault::UnknownCode),
        ),
        (
            "378^MNDRY_THING^99MNDRY",
            "vendor:hl7-mllp:378 80",
            Some(Fault::UnknownCode),
        ),
        (
            "378^MNDRY_HR^99MNDRY^147842^MDC_ECG_HEART_RATE^MDC",
            "hr 80",
            None,
        ),
        (
            "0^MDC_EEG_BISPECTRAL_INDEX^MDC",
            "vendor:hl7-mllp:MDC_EEG_BISPECTRAL_INDEX 80",
            Some(Fault::UnknownCode),
        ),
    ] {
        let events = Rig::new(&[]).receive(&message(&[obx(code, "1.1.1.1", "80", BPM, "", "R")]));
        assert_eq!(lines(&observations(&events)), [expected], "{code}");
        assert_eq!(
            faults(&events),
            fault.into_iter().collect::<Vec<_>>(),
            "{code}"
        );
    }
}

#[test]
fn an_unknown_code_is_counted_once_and_kept_every_time() {
    let mut rig = Rig::new(&[]);
    let sent = message(&[obx("147232^MDC_SOMETHING^MDC", "1.1.1.1", "8", "", "", "R")]);
    assert_eq!(faults(&rig.receive(&sent)), [Fault::UnknownCode]);
    let again = rig.receive(&sent);
    assert_eq!(faults(&again), []);
    assert_eq!(lines(&observations(&again)), ["mdc:147232 8"]);
}

#[test]
fn one_code_from_two_places_keeps_its_order_and_its_site() {
    let rr = "151562^MDC_RESP_RATE^MDC";
    let rpm = "264928^MDC_DIM_RESP_PER_MIN^MDC";
    let found = readings(
        &[],
        &message(&[
            "OBX|1||70666^MDC_DEV_ECG_RESP_VMD^MDC|1.6.0.0|||||||X".to_owned(),
            obx(rr, "1.6.1.1", "14", rpm, "", "R"),
            "OBX|1||69682^MDC_DEV_ANALY_AWAY_MULTI_PARAM_VMD^MDC|1.20.0.0|||||||X".to_owned(),
            obx(rr, "1.20.1.1", "12", rpm, "", "R"),
            obx(
                "150388^MDC_TEMP_SKIN^MDC",
                "1.26.1.1",
                "33.1",
                "268192^MDC_DIM_DEGC^MDC",
                "",
                "R",
            ),
            obx(
                "150372^MDC_TEMP_ESOPH^MDC",
                "1.26.1.2",
                "36.8",
                "268192^MDC_DIM_DEGC^MDC",
                "",
                "R",
            ),
        ]),
    );
    let sites: Vec<_> = found.iter().map(|one| (line(one), one.site)).collect();
    assert_eq!(
        sites,
        [
            ("rr 14".to_owned(), Some(Site::Impedance)),
            ("rr 12".to_owned(), Some(Site::Airway)),
            ("temp 33.1".to_owned(), Some(Site::Skin)),
            ("temp 36.8".to_owned(), Some(Site::Core)),
        ]
    );
    // A monitor that sends metrics only, and tells the module by its number.
    let alone = |module: u8| {
        let row = obx(rr, &format!("1.{module}.0.1"), "14", rpm, "", "R");
        readings(
            &[],
            &message(&[format!("{row}|||||||080019FFFE000001^B40_GE")]),
        )[0]
        .site
    };
    assert_eq!(alone(6), Some(Site::Impedance));
    assert_eq!(alone(11), Some(Site::Airway));
    assert_eq!(alone(9), None);
}

#[test]
fn every_line_end_gives_the_same_readings() {
    let usual = message(&[
        obx(HR, "1.1.1.1", "80", BPM, "", "R"),
        obx(SPO2, "1.2.1.1", "97", PERCENT, "", "R"),
    ]);
    let expected = Rig::new(&[]).receive(&usual);
    assert_eq!(observations(&expected).len(), 2);
    for end in ["\n", "\r\n", "\r\r", "  \r\n", "\n\n\r"] {
        let text = String::from_utf8(usual.clone()).unwrap();
        let content = text.trim_matches(['\u{0B}', '\u{1C}', '\r']);
        let sent = format!("\u{0B}{}{end}\u{1C}\r", content.replace('\r', end));
        assert_eq!(Rig::new(&[]).receive(sent.as_bytes()), expected, "{end:?}");
    }
}

#[test]
fn a_value_inherits_its_time_from_the_nearest_level() {
    let found = readings(
        &[],
        &message(&[
            "OBX|1||69965^^MDC|1.0.0.0|||||||X|||20260301100000".to_owned(),
            "OBX|1||69798^^MDC|1.1.0.0|||||||X|||20260301100100".to_owned(),
            "OBX|1||70739^^MDC|1.1.1.0|||||||X|||20260301100200".to_owned(),
            format!(
                "{}|||20260301100300",
                obx(HR, "1.1.1.1", "80", BPM, "", "R")
            ),
            obx(HR, "1.1.1.2", "80", BPM, "", "R"),
            obx(HR, "1.1.2.1", "80", BPM, "", "R"),
            obx(HR, "1.2.1.1", "80", BPM, "", "R"),
            obx(HR, "2.1.1.1", "80", BPM, "", "R"),
            format!(
                "{}|||00000000000000",
                obx(HR, "1.1.1.1", "80", BPM, "", "R")
            ),
        ]),
    );
    let times: Vec<_> = found
        .iter()
        .map(|one| {
            one.measured_at
                .map(infusewatch::observation::DeviceTime::iso8601)
        })
        .collect();
    assert_eq!(
        times,
        [
            Some("2026-03-01T10:03:00".to_owned()),
            Some("2026-03-01T10:02:00".to_owned()),
            Some("2026-03-01T10:01:00".to_owned()),
            Some("2026-03-01T10:00:00".to_owned()),
            Some("2026-03-01T10:14:59Z".to_owned()),
            None,
        ]
    );
}

#[test]
fn a_time_that_cannot_be_read_is_no_time_and_not_another_ones() {
    let row = format!("{}|||yesterday", obx(SYS, "1.4.1.1", "118", MMHG, "", "F"));
    let events = Rig::new(&[]).receive(&message(&[row]));
    assert_eq!(faults(&events), [Fault::BadTime]);
    assert_eq!(observations(&events)[0].measured_at, None);
    // A blank before MSH-7, as one gateway writes it.
    let text = MSH.replace("|2026", "| 2026");
    let found = readings(&[], &frame(&[&text, &obx(HR, "1", "80", BPM, "", "F")]));
    assert_eq!(
        found[0].message_at.unwrap().iso8601(),
        "2026-03-01T10:15:00Z"
    );
}

#[test]
fn systolic_must_be_above_diastolic_of_the_same_time() {
    let pressure =
        |code, value, time| format!("{}|||{time}", obx(code, "1.4.1.1", value, MMHG, "", "F"));
    let found = readings(
        &[],
        &message(&[
            pressure(SYS, "80", "20260301101000"),
            pressure(DIA, "118", "20260301101000"),
        ]),
    );
    assert_eq!(
        lines(&found),
        ["nibp-sys out-of-range", "nibp-dia out-of-range"]
    );
    let found = readings(
        &[],
        &message(&[
            pressure(DIA, "118", "20260301100000"),
            pressure(SYS, "110", "20260301101000"),
        ]),
    );
    assert_eq!(lines(&found), ["nibp-dia 118", "nibp-sys 110"]);
}

#[test]
fn philips_numbers_are_arithmetic_and_labels_do_not_count() {
    let found = readings(
        &[],
        &frame(&[
            "MSH|^~\\&|||||||ORU^R01|HP1|P|2.3||||||8859/1",
            "PID|||\"\"||\"\"||\"\"|\"\"",
            "PV1||I|ICU^^Bed4&0&0|||||||||||||||A",
            "OBR|||||||20260301101500",
            "OBX||ST|0402-f8f5^sMode^MDIL|0|MONITORING||||||F||SETTING",
            "OBX||NM|0002-4182^FC^MDIL|0|80|0004-0aa0^bpm^MDIL|50-120||||F",
            "OBX||NM|0002-4bb8^SpO2^MDIL|0|97|0004-0220^%^MDIL|||||F",
            "OBX||NM|0002-4822^Pulse (SpO2)^MDIL|0|81|0004-0aa0^bpm^MDIL|||||F",
            "OBX||NM|0002-50b0^etCO2^MDIL|0|4.8|0004-0f03^kPa^MDIL|||||F",
            "OBX||NM|0002-4a05^NBPs^MDIL|0|121|0004-0f20^mmHg^MDIL|||||F||APERIODIC|20260301094200",
            "OBX||NM|0002-500a^RR^MDIL|0|15|0004-0ae0^rpm^MDIL|||||F",
            "OBX||NM|0002-4b60^Tcore^MDIL|0|36.9|0004-17a0^C^MDIL|||||F",
            "OBX||NM|0002-f0e5^Pulse (NBP)^MDIL|0|79|0004-0aa0^bpm^MDIL|||||F",
            "OBX||NM|0002-f154^QT-HR^MDIL|0|78|0004-0aa0^bpm^MDIL|||||F",
            "OBX||NM|0002-4a47^CVPm^MDIL|0|-1|0004-0f20^mmHg^MDIL|||||F",
        ]),
    );
    assert_eq!(
        lines(&found),
        [
            "hr 80",
            "spo2 97",
            "pr 81",
            "etco2 36.0",
            "nibp-sys 121",
            "rr 15",
            "temp 36.9",
            "nibp-pr 79",
            "vendor:hl7-mllp:0002-f154 78",
            "mdc:150087 -1",
        ]
    );
    assert_eq!(found[0].mdc, Some(147_842));
    assert_eq!(found[7].mdc, None);
    assert_eq!(
        found[4].measured_at.unwrap().iso8601(),
        "2026-03-01T09:42:00"
    );
}

#[test]
fn nihon_kohden_goes_by_its_own_numbers() {
    let found = readings(
        &[],
        &frame(&[
            "MSH|^~\\&|NIHON KOHDEN|NIHON KOHDEN|||20260301101500||ORU^R01^ORU_R01|77|P|2.4|||NE|AL||ASCII||ASCII",
            "PID||||||||O",
            "PV1||I|^^BED-009^10.0.0.9:1",
            "OBR|1|||VITAL|||20260301101500",
            "OBX|1|NM|001000^VITAL HR|1|72|/min|||||F|||20260301101500|||",
            "OBX|2|NM|007000^VITAL SpO2|1|99|%|||||F|||20260301101500|||",
            "OBX|3|NM|072007^VITAL rPR(spo2)|1|72|/min|||||F|||20260301101500|||",
            "OBX|4|NM|031000^VITAL EtCO2|1|37|mmHg|||||F|||20260301101500|||",
            "OBX|5|NM|099000^VITAL RESP(co2)|1|13|/min|||||F|||20260301101500|||",
            "OBR|2|||NIBP|||20260301100312",
            "OBX|1|NM|009000^NIBP SYS|1|117|mmHg|||||F",
            "OBX|2|NM|009001^NIBP DIAS|1|74|mmHg|||||F",
            "OBX|3|NM|009002^NIBP MEAN|1|90|mmHg|||||F",
        ]),
    );
    assert_eq!(
        lines(&found),
        [
            "hr 72",
            "spo2 99",
            "vendor:hl7-mllp:072007 72",
            "etco2 37",
            "rr 13",
            "nibp-sys 117",
            "nibp-dia 74",
            "nibp-mean 90",
        ]
    );
    assert_eq!(
        found[5].measured_at.unwrap().iso8601(),
        "2026-03-01T10:03:12"
    );
    assert_eq!(found[0].mdc, None);
}

#[test]
fn a_clinic_maps_its_own_labels() {
    let options = [
        ("map.Sat", "spo2 %"),
        ("map.Temp1", "temp [degF]"),
        ("map.147842", "pr"),
    ];
    let row = |label: &str, value: &str, unit: &str| obx(label, "SYS", value, unit, "", "F");
    let found = readings(
        &options,
        &message(&[
            row("Sat", "96", ""),
            row("44^Sat", "95", "Prozent"),
            row("Temp1", "100.4", ""),
            row("Temp1", "38.0", "Cel"),
            row(HR, "66", "/min"),
        ]),
    );
    assert_eq!(
        lines(&found),
        ["spo2 96", "spo2 95", "temp 38.0", "temp 38.0", "pr 66"]
    );
}

#[test]
fn an_attribute_of_a_metric_is_no_metric() {
    let found = readings(
        &[],
        &message(&[
            obx(SPO2, "1.2.1.1", "97", PERCENT, "", "R"),
            obx(SPO2, "1.2.1.1.2", "88", PERCENT, "", "R"),
            obx("0^MDC_ATTR_SAMP_RATE^MDC", "1.2.1.1.1", "60", "", "", "R"),
            obx("67972^MDC_ATTR_SYS_ID^MDC", "1.2.1.3", "12", "", "", "R"),
            "OBX|9|ST|184327^MDC_ECG_STAT_RHY^MDC|1.2.1.21|SINUS||||||R".to_owned(),
            "ZZZ|anything|at^all".to_owned(),
            "NTE|1||a note".to_owned(),
        ]),
    );
    assert_eq!(lines(&found), ["spo2 97"]);
}

#[test]
fn the_metric_number_may_be_the_code() {
    let found = readings(
        &[],
        &message(&[
            obx(HR, "1.7.4.147842", "80", BPM, "DEMO", "R"),
            obx(
                "151578^MDC_TTHOR_RESP_RATE^MDC",
                "1.7.4.151578",
                "16",
                "264928^^MDC",
                "",
                "R",
            ),
        ]),
    );
    assert_eq!(lines(&found), ["hr demo", "rr 16"]);
    assert_eq!(found[1].site, Some(Site::Impedance));
}

#[test]
fn delimiters_come_from_the_message() {
    for (header, row) in [
        (
            "MSH#*!%+#####20260301101500##ORU*R01#1#P#2.5",
            "OBX#1#NM#147842*MDC_ECG_HEART_RATE*MDC#1.1.1.1#80#264864*MDC_DIM_BEAT_PER_MIN*MDC##H!PM###R",
        ),
        // The sender's own string escapes ate the backslash.
        (
            "MSH|^~&|||||20260301101500||ORU^R01|1|P|2.6",
            "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|80|264864^^MDC||H~PM|||R",
        ),
        (
            "MSH|^~\\&#|||||20260301101500||ORU^R01|1|P|2.7",
            "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|80|264864^^MDC||||R",
        ),
        (
            "MSH|^|||||20260301101500||ORU^R01|1|P|2.3",
            "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|80|264864^^MDC||||R",
        ),
        (
            "MSH|^~\\}|||||20260301101500||ORU^R01|1|P|2.3",
            "OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.1|80|264864^^MDC||||R",
        ),
    ] {
        assert_eq!(
            lines(&readings(&[], &frame(&[header, row]))),
            ["hr 80"],
            "{header}"
        );
    }
    for header in [
        "MSH|^^\\&|||||20260301101500||ORU^R01|1|P|2.5",
        "MSH|ABCD|||||20260301101500||ORU^R01|1|P|2.5",
        "MSHX^~\\&X",
    ] {
        let mut rig = Rig::new(&[]);
        let events = rig.receive(&frame(&[header, "OBX|1|NM|147842||80"]));
        assert_eq!(faults(&events), [Fault::BadMessage], "{header}");
        assert_eq!(
            (observations(&events), frames(&events)),
            (vec![], 0),
            "{header}"
        );
        let good = message(&[obx(HR, "1.1.1.1", "80", BPM, "", "R")]);
        assert_eq!(lines(&observations(&rig.receive(&good))), ["hr 80"]);
    }
}
