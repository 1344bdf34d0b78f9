//! The layout of the basic class of physiological data: read by the session, written by the device
//! side. Offsets and units: dossier `serial-ge-dri.md`, run over a real capture.

use super::record::Fields;

/// A value that the monitor calls invalid.
pub(super) const INVALID: i16 = -32_767;
/// A value under the range of the measurement.
pub(super) const UNDER_RANGE: i16 = -32_764;
/// A value over the range of the measurement.
pub(super) const OVER_RANGE: i16 = -32_763;
/// A value of a measurement that is not calibrated.
pub(super) const NOT_CALIBRATED: i16 = -32_762;
/// Everything below is no number; −32765 occurs in real records and in no document.
pub(super) const LOWEST_NUMBER: i16 = -32_000;

/// Group status: module present and measurement active.
pub(super) const ACTIVE: u32 = 0b11;

/// Bytes of the data of one class.
const CLASS_DATA: usize = 270;
/// Bytes of a displayed, trend or auxiliary subrecord that holds a class: time, data, trailer.
pub(super) const SUBRECORD: usize = 4 + CLASS_DATA + 4;
/// ECG extra, a group without head.
const ECG_EXTRA_AT: usize = 226;

/// A group of values with its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Group<const N: usize> {
    /// Status bits.
    pub(super) status: u32,
    /// Label: source, site, mode; its bits belong to the group.
    pub(super) label: u16,
    /// The values, in the group's own order and units.
    pub(super) values: [i16; N],
}

impl<const N: usize> Default for Group<N> {
    fn default() -> Self {
        Self {
            status: 0,
            label: 0,
            values: [INVALID; N],
        }
    }
}

impl<const N: usize> Group<N> {
    /// Whether the module is there and measures.
    pub(super) const fn is_active(&self) -> bool {
        self.status & ACTIVE == ACTIVE
    }

    fn read(data: &[u8], at: usize) -> Option<Self> {
        let mut fields = Fields(data.get(at..)?);
        let mut group = Self {
            status: fields.u32()?,
            label: fields.u16()?,
            ..Self::default()
        };
        for value in &mut group.values {
            *value = fields.i16()?;
        }
        Some(group)
    }

    fn write(&self, data: &mut [u8], at: usize) {
        let bytes = self
            .status
            .to_le_bytes()
            .into_iter()
            .chain(self.label.to_le_bytes())
            .chain(self.values.iter().flat_map(|value| value.to_le_bytes()));
        for (slot, byte) in data.iter_mut().skip(at).zip(bytes) {
            *slot = byte;
        }
    }
}

/// The groups of the basic class that are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Basic {
    /// HR, ST1, ST2, ST3, impedance respiration rate.
    pub(super) ecg: Group<5>,
    /// P1 to P6: systolic, diastolic, mean in 1/100 mmHg, rate.
    pub(super) pressures: [Group<4>; 6],
    /// Systolic, diastolic, mean in 1/100 mmHg, rate.
    pub(super) nibp: Group<4>,
    /// T1 to T4, 1/100 degC.
    pub(super) temperatures: [Group<1>; 4],
    /// Saturation 1/100 %, pulse rate, infrared amplitude 1/100 %, old SvO2.
    pub(super) spo2: Group<4>,
    /// End-tidal and inspired 1/100 %, respiration rate, ambient pressure 1/10 mmHg.
    pub(super) co2: Group<4>,
}

const ECG_AT: usize = 0;
const PRESSURES_AT: [usize; 6] = [16, 30, 44, 58, 240, 254];
const NIBP_AT: usize = 72;
const TEMPERATURES_AT: [usize; 4] = [86, 94, 102, 110];
const SPO2_AT: usize = 118;
const CO2_AT: usize = 132;

impl Basic {
    fn read(data: &[u8]) -> Option<Self> {
        let mut basic = Self {
            ecg: Group::read(data, ECG_AT)?,
            nibp: Group::read(data, NIBP_AT)?,
            spo2: Group::read(data, SPO2_AT)?,
            co2: Group::read(data, CO2_AT)?,
            ..Self::default()
        };
        for (group, at) in basic.pressures.iter_mut().zip(PRESSURES_AT) {
            *group = Group::read(data, at)?;
        }
        for (group, at) in basic.temperatures.iter_mut().zip(TEMPERATURES_AT) {
            *group = Group::read(data, at)?;
        }
        Some(basic)
    }

    fn write(&self) -> [u8; CLASS_DATA] {
        let mut data = [0; CLASS_DATA];
        self.ecg.write(&mut data, ECG_AT);
        self.nibp.write(&mut data, NIBP_AT);
        self.spo2.write(&mut data, SPO2_AT);
        self.co2.write(&mut data, CO2_AT);
        for (group, at) in self.pressures.iter().zip(PRESSURES_AT) {
            group.write(&mut data, at);
        }
        for (group, at) in self.temperatures.iter().zip(TEMPERATURES_AT) {
            group.write(&mut data, at);
        }
        // A group without status: zeros there would be numbers.
        let extra = data.iter_mut().skip(ECG_EXTRA_AT);
        for (slot, byte) in extra.zip([INVALID; 3].into_iter().flat_map(i16::to_le_bytes)) {
            *slot = byte;
        }
        data
    }
}

/// What a class subrecord holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// The basic class, and when it was measured, in Unix seconds by the monitor.
    Basic(u32, Box<Basic>),
    /// One of the three extended classes, which are not read.
    Extended,
}

impl Class {
    /// Reads a subrecord of displayed or trend values. `None` when it is cut or of no known class: the
    /// class is told by the subrecord, never by its place.
    pub(super) fn read(subrecord: &[u8]) -> Option<Self> {
        let mut fields = Fields(subrecord.get(..SUBRECORD)?);
        let time = fields.u32()?;
        let data = fields.take::<CLASS_DATA>()?;
        let _marker_and_reserved = fields.u16()?;
        match fields.u16()? >> 8 & 0xF {
            0 => Some(Self::Basic(time, Box::new(Basic::read(&data)?))),
            1..=3 => Some(Self::Extended),
            _ => None,
        }
    }

    /// A basic subrecord of displayed values.
    pub(super) fn write(time: u32, basic: &Basic, level: u8) -> Vec<u8> {
        let mut subrecord = time.to_le_bytes().to_vec();
        subrecord.extend(basic.write());
        // Marker, reserved, level and type in one byte, class 0.
        subrecord.extend([
            0,
            0,
            level << 4 | super::request::physiological::DISPLAYED,
            0,
        ]);
        subrecord
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_the_dossiers() {
        let mut basic = Basic::default();
        basic.ecg.values[4] = 0x1101;
        basic.pressures[5].values[3] = 0x1202;
        basic.nibp.values[0] = 0x1303;
        basic.temperatures[3].values[0] = 0x1404;
        basic.spo2.values[0] = 0x1505;
        basic.co2.values[3] = 0x1606;
        let subrecord = Class::write(7, &basic, 10);
        assert_eq!(subrecord.len(), 278);
        assert_eq!(&subrecord[274..], [0, 0, 0xA1, 0]);
        let word = |at: usize| u16::from_le_bytes([subrecord[4 + at], subrecord[5 + at]]);
        assert_eq!(
            [14, 266, 78, 116, 124, 144].map(word),
            [0x1101, 0x1202, 0x1303, 0x1404, 0x1505, 0x1606]
        );
        assert_eq!(
            Class::read(&subrecord),
            Some(Class::Basic(7, Box::new(basic)))
        );
    }

    #[test]
    fn the_class_is_told_not_guessed() {
        let mut subrecord = Class::write(7, &Basic::default(), 10);
        for (class, expected) in [
            (1, Some(Class::Extended)),
            (3, Some(Class::Extended)),
            (4, None),
        ] {
            subrecord[277] = class;
            assert_eq!(Class::read(&subrecord), expected);
        }
        assert_eq!(Class::read(&subrecord[..277]), None);
    }
}
