//! What the monitor says of itself and of its patient: bed, device, patient, mode (dossier 6.1, 10).

use super::message::Objects;
use super::numerics::Mode;
use super::wire::{self, Attributes, attribute};
use crate::observation::Identity;
use std::sync::Arc;

const SYSTEM_ID: u16 = 0x0984;
const BED_LABEL: u16 = 0x091E;
const MODE: u16 = 0x0946;
const PATIENT_STATE: u16 = 0x0957;
const PATIENT_ID: u16 = 0x095A;

/// Mode bits.
const MONITORING: u16 = 0x4000;
const DEMO: u16 = 0x2000;
const SERVICE: u16 = 0x1000;

/// The patient state in which the demographics are somebody's: admitted.
const ADMITTED: u16 = 2;

/// Whom and what the monitor is at.
#[derive(Debug, Default)]
pub(super) struct System {
    /// Told last, kept over a new association until it is told anew.
    pub(super) identity: Identity,
    /// Its mode.
    pub(super) mode: Mode,
}

impl System {
    /// Takes the monitor's own attributes; true when the identity changed.
    pub(super) fn told(&mut self, attributes: Attributes<'_>) -> bool {
        let before = self.identity.clone();
        if let Some(mode) = attributes.u16(MODE) {
            self.mode = if mode & DEMO != 0 {
                Mode::Demo
            } else if mode & SERVICE != 0 {
                Mode::Service
            } else {
                Mode::Monitoring
            };
        }
        if let Some(id) = attributes
            .get(SYSTEM_ID)
            .and_then(|mut value| value.block())
            .filter(|id| !id.0.is_empty())
        {
            let pairs: Vec<String> = id.0.iter().map(|byte| format!("{byte:02X}")).collect();
            self.identity.device = Some(pairs.join(":").into());
        }
        if let Some(label) = attributes.get(BED_LABEL) {
            self.identity.bed = wire::text(label).map(Arc::from);
        }
        self.identity != before
    }

    /// Takes the demographics; true when the identity changed.
    pub(super) fn patient_told(&mut self, objects: Objects<'_>) -> bool {
        let before = self.identity.patient.clone();
        for object in objects.iter() {
            let Some(state) = object.attributes.u16(PATIENT_STATE) else {
                continue;
            };
            self.identity.patient = object
                .attributes
                .get(PATIENT_ID)
                .filter(|_| state == ADMITTED)
                .and_then(wire::text)
                .map(Arc::from);
        }
        self.identity.patient != before
    }
}

/// The network address of the simulated monitor, in a range for private use.
const OWN_ADDRESS: [u8; 6] = [0x02, 0x00, 0x5E, 0x10, 0x00, 0x01];

/// The attributes of a monitoring device with this identity.
pub(super) fn attributes(identity: &Identity) -> Vec<Vec<u8>> {
    let address = identity
        .device
        .as_deref()
        .and_then(address)
        .unwrap_or_else(|| OWN_ADDRESS.to_vec());
    let mut id = Vec::new();
    wire::block(&mut id, |out| out.extend(address));
    vec![
        attribute(SYSTEM_ID, id),
        attribute(MODE, MONITORING.to_be_bytes()),
        attribute(
            BED_LABEL,
            wire::to_text(identity.bed.as_deref().unwrap_or_default()),
        ),
    ]
}

/// The bytes of `00:09:FB:…`.
fn address(text: &str) -> Option<Vec<u8>> {
    text.split(':')
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}

/// The demographics of a patient, or of nobody.
pub(super) fn patient(identity: &Identity) -> Vec<Vec<u8>> {
    let state = if identity.patient.is_some() {
        ADMITTED
    } else {
        0
    };
    vec![
        attribute(PATIENT_STATE, state.to_be_bytes()),
        attribute(
            PATIENT_ID,
            wire::to_text(identity.patient.as_deref().unwrap_or_default()),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Bytes, list};
    use super::*;

    #[test]
    fn bed_device_and_mode_are_read_and_blank_texts_are_absent() {
        let mut system = System::default();
        let told = |system: &mut System, attributes: &[Vec<u8>]| {
            let mut bytes = Vec::new();
            list(&mut bytes, attributes);
            system.told(Bytes(&bytes).attributes().unwrap())
        };
        let identity = Identity {
            bed: Some("Chair 3".into()),
            device: Some("00:09:FB:01:02:03".into()),
            patient: None,
        };
        assert!(told(&mut system, &attributes(&identity)));
        assert_eq!(system.identity, identity);
        assert!(!told(&mut system, &attributes(&identity)));
        for (mode, read) in [
            (0x2000_u16, Mode::Demo),
            (0x6000, Mode::Demo),
            (0x1000, Mode::Service),
            (0x4002, Mode::Monitoring),
        ] {
            told(&mut system, &[attribute(MODE, mode.to_be_bytes())]);
            assert_eq!(system.mode, read);
        }
        assert!(told(
            &mut system,
            &[attribute(BED_LABEL, wire::to_text(""))]
        ));
        assert_eq!(system.identity.bed, None);
    }
}
