//! `hl7-mllp`: HL7 version 2 over MLLP, from monitors, gateways and central stations (hl7.md).
//!
//! What it takes: PCD-01 (ORU^R01) numerics with MDC codes, Philips MDIL codes, Nihon Kohden's
//! identifiers, and whatever a clinic maps; waves; alarms of devices (PCD-04, ORU^R40, and the lists of
//! Philips monitors); what infusion pumps did (PCD-10, ORU^R42) or how they stand (PCD-01); in any
//! published or sloppy framing and encoding.
//! What it never does: take a setting, a demonstration, a sentinel or a number of unknown unit for a
//! measurement; take an order; acknowledge what is not in the record. It owns one connection's state
//! and nothing else.
//!
//! A frame goes through `mllp`, `message` (segments and fields as slices), then `report` (rows to
//! observations, with `numerics`, `waves`, `containment` and `identity`; `pump` and `pumps` for pumps, `listed` for
//! listed alarms) or `alert` (with `open_alerts`), and is answered by `acknowledgement`.
//!
//! Not certain (UNVERIFIED): the number of the stop event, which is therefore known by name; how a
//! brand of pump names its drug; that an alarm which a Philips central lists no more is over. A gateway
//! without PCD-10 that opens a connection for every message is new each time, so that every status of a
//! pump is told as an event.

mod acknowledgement;
mod alert;
mod alert_terms;
mod codes;
mod containment;
mod device;
mod drug;
mod identity;
mod item;
mod listed;
mod mapping;
mod memory;
mod message;
mod mllp;
mod numerics;
mod open_alerts;
mod pump;
mod pumps;
mod report;
mod scan;
mod session;
mod settings;
mod text;
mod time;
mod units;
mod waves;

use crate::protocol::{Grade, Protocol, SpeaksFirst};
use crate::vocabulary::Parameter;
use std::sync::Arc;
use std::time::Duration;

/// The protocol's name in the configuration.
const NAME: &str = "hl7-mllp";

/// The registry's entry.
pub const PROTOCOL: Protocol = Protocol {
    name: NAME,
    title: "HL7 version 2 over MLLP (IHE PCD-01, PCD-04 and PCD-10, Philips MDIL, Nihon Kohden, \
            mapped identifiers)",
    parameters: Parameter::ALL,
    waves: true,
    line: None,
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::A,
    display_grade: false,
    tested: "published sample messages of IHE, Philips and Nihon Kohden, a foreign MLLP client, \
             round trips and garbage; not yet a real monitor or pump",
    options: settings::OPTIONS,
    open: |options| Ok(Box::new(session::Hl7Session::open(options)?)),
    device: |options| Box::new(device::Hl7Device::new(options)),
};

/// A vendor's own code as a parameter's name carries it: `hl7-mllp:<code>`, printable and short.
fn vendor_code(identifier: &[u8]) -> Arc<str> {
    let code: String = identifier
        .iter()
        .take(64)
        .map(|&byte| {
            if byte.is_ascii_graphic() {
                char::from(byte)
            } else {
                '_'
            }
        })
        .collect();
    format!("{NAME}:{code}").into()
}
