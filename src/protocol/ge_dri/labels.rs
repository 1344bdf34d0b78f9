//! Labels: where a rate, a pressure, a temperature or a lead comes from.
//!
//! The source bits of the heart rate are in the dossier. The numbers of pressure, temperature and lead
//! labels are from one public reader (part-cw/LNhealth, grade C) and agree with the real capture (lead
//! II, ART, T1).

use crate::vocabulary::Site;

/// What the heart rate on the screen was taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RateSource {
    /// The ECG, or not told: the field is the heart rate's.
    Ecg,
    /// An oximeter: a pulse rate.
    Pleth,
    /// An invasive pressure: its own channel tells the rate.
    Pressure,
}

/// The heart rate comes from the ECG.
pub(super) const SOURCE_ECG: u32 = 9;

impl RateSource {
    /// Bits 3 to 6 of the ECG status.
    pub(super) const fn of(ecg_status: u32) -> Self {
        match ecg_status >> 3 & 0xF {
            6 | 12 => Self::Pleth,
            2..=5 | 7 | 8 | 10 | 11 => Self::Pressure,
            _ => Self::Ecg,
        }
    }
}

/// Label of a pressure channel: ART.
pub(super) const ART: u16 = 1;
/// Label of a pressure channel: ABP.
const ABP: u16 = 8;

/// Whether a pressure channel is on an artery.
pub(super) const fn is_arterial(label: u16) -> bool {
    matches!(label, ART | ABP)
}

/// Label of a temperature channel without a named site: T1.
pub(super) const T1: u16 = 11;

/// Where a temperature is taken, when told; `None` for air that is not the patient.
pub(super) const fn temperature_site(label: u16) -> Option<Option<Site>> {
    match label {
        // Airway, room.
        8 | 9 => None,
        // Oesophagus, nasopharynx, ear drum, rectum, bladder, core.
        1..=5 | 15 => Some(Some(Site::Core)),
        // Axilla, skin, surface.
        6 | 7 | 16 => Some(Some(Site::Skin)),
        _ => Some(None),
    }
}

/// The lead on ECG channel 1, 2 or 3, if the label names one.
pub(super) fn lead(ecg_label: u16, channel: u8) -> Option<&'static str> {
    let place = 12_u32.checked_sub(4 * u32::from(channel))?;
    match ecg_label.checked_shr(place)? & 0xF {
        1 => Some("I"),
        2 => Some("II"),
        3 => Some("III"),
        4 => Some("aVR"),
        5 => Some("aVL"),
        6 => Some("aVF"),
        7 => Some("V"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labels_of_the_real_capture_read_as_on_its_screen() {
        assert_eq!(RateSource::of(0x4B), RateSource::Ecg);
        assert_eq!(lead(0x1200, 1), Some("II"));
        assert_eq!(lead(0x1200, 2), None);
        assert!(is_arterial(1));
        assert_eq!(temperature_site(T1), Some(None));
        assert_eq!(RateSource::of(6 << 3 | 3), RateSource::Pleth);
        assert_eq!(RateSource::of(3), RateSource::Ecg);
    }
}
