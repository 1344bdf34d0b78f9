//! `hl7-mllp`: HL7 version 2 over MLLP, from monitors, gateways and central stations (hl7.md).
//!
//! What it takes: PCD-01 (ORU^R01) numerics with MDC codes, Philips MDIL codes, Nihon Kohden's
//! identifiers, and whatever a clinic maps; waves; in any published or sloppy framing and encoding.
//! What it never does: take a setting, a demonstration, a sentinel or a number of unknown unit for a
//! measurement; acknowledge what is not in the record. It owns one connection's state and nothing
//! else.
//!
//! A frame goes through `mllp`, `message` (segments and fields as slices), `report` (rows to
//! observations, with `numerics`, `waves`, `containment` and `identity`), and is answered by
//! `acknowledgement`.

mod acknowledgement;
mod codes;
mod containment;
mod device;
mod identity;
mod mapping;
mod message;
mod mllp;
mod numerics;
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
    title: "HL7 version 2 over MLLP (IHE PCD-01, Philips MDIL, Nihon Kohden, mapped identifiers)",
    parameters: Parameter::ALL,
    waves: true,
    line: None,
    speaks_first: SpeaksFirst::Device,
    cadence: Duration::from_secs(1),
    grade: Grade::A,
    display_grade: false,
    tested: "published sample messages of IHE, Philips and Nihon Kohden, a foreign MLLP client, \
             round trips and garbage; not yet a real monitor",
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
