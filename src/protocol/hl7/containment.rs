//! OBX-4: where a row stands in the device, and what it inherits from there (hl7.md 3.2, 2.2).
//!
//! `<MDS>.<VMD>.<channel>.<metric>[.<facet>]`. The numbers carry no meaning of their own and may
//! change from message to message; only rows of the same group are compared.

use crate::observation::DeviceTime;
use crate::vocabulary::Site;
use std::collections::BTreeMap;

/// Levels of a path that are kept.
const LEVELS: usize = 5;

/// OBX-4 as numbers. Other forms (`SYS`, empty) have no levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Path {
    levels: [u32; LEVELS],
    depth: usize,
}

impl Path {
    /// Reads OBX-4 leniently: one to any number of levels, of which five are kept.
    pub fn read(text: &[u8]) -> Self {
        let mut path = Self::default();
        let mut level = 0_u32;
        let mut digits = 0_u8;
        for &byte in text.iter().chain(b".") {
            match byte {
                b'0'..=b'9' if digits < 9 => {
                    level = level * 10 + u32::from(byte - b'0');
                    digits += 1;
                }
                b'.' if digits > 0 => {
                    if let Some(place) = path.levels.get_mut(path.depth) {
                        *place = level;
                        path.depth += 1;
                    }
                    level = 0;
                    digits = 0;
                }
                _ => return Self::default(),
            }
        }
        path
    }

    /// Whether the row describes a device, module or channel: four levels, the last of them zero.
    pub fn is_device_level(&self) -> bool {
        self.depth == 4 && self.levels[3] == 0
    }

    /// Whether the row describes the device as a whole.
    pub fn is_whole_device(&self) -> bool {
        self.is_device_level() && self.levels[1] == 0
    }

    /// Whether the row is an attribute of a metric.
    pub fn is_facet(&self) -> bool {
        self.depth == LEVELS && self.levels[4] != 0
    }

    /// The number of the module (VMD), if there is one.
    pub fn module(&self) -> Option<u32> {
        (self.depth >= 4).then_some(self.levels[1])
    }

    /// Device, module and channel that the row stands in.
    pub const fn container(&self) -> [u32; 3] {
        let [device, module, channel, ..] = self.levels;
        [device, module, channel]
    }
}

/// What rows below a device, module or channel inherit.
#[derive(Clone, Copy, Debug, Default)]
struct Container {
    time: Option<DeviceTime>,
    site: Option<Site>,
}

/// The devices, modules and channels of one group that tell something.
#[derive(Debug, Default)]
pub struct Containment(BTreeMap<[u32; 3], Container>);

impl Containment {
    /// A new group begins.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// A row at device level.
    pub fn add(&mut self, path: &Path, time: Option<DeviceTime>, site: Option<Site>) {
        if time.is_some() || site.is_some() {
            self.0.insert(path.container(), Container { time, site });
        }
    }

    /// The time told by the channel, else the module, else the device.
    pub fn time(&self, path: &Path) -> Option<DeviceTime> {
        self.nearest(path, |container| container.time)
    }

    /// The site of respiration that the channel or module stands for.
    pub fn site(&self, path: &Path) -> Option<Site> {
        self.nearest(path, |container| container.site)
    }

    fn nearest<T>(&self, path: &Path, what: impl Fn(&Container) -> Option<T>) -> Option<T> {
        if self.0.is_empty() || path.depth < 4 {
            return None;
        }
        let [device, module, channel] = path.container();
        [
            [device, module, channel],
            [device, module, 0],
            [device, 0, 0],
        ]
        .iter()
        .find_map(|place| self.0.get(place).and_then(&what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn levels_are_told_apart() {
        let path = |text: &str| Path::read(text.as_bytes());
        for (text, device, whole, facet) in [
            ("1.0.0.0", true, true, false),
            ("1.2.0.0", true, false, false),
            ("1.2.3.0", true, false, false),
            ("1.2.3.4", false, false, false),
            ("1.7.4.147842", false, false, false),
            ("1.2.3.4.1", false, false, true),
            ("1.2.3.4.1.2", false, false, true),
            ("0", false, false, false),
            ("1", false, false, false),
            ("1.0.1", false, false, false),
            ("2101", false, false, false),
            ("SYS", false, false, false),
            ("", false, false, false),
            ("1..2", false, false, false),
            ("99999999999.0.0.0", false, false, false),
        ] {
            let path = path(text);
            assert_eq!(
                (
                    path.is_device_level(),
                    path.is_whole_device(),
                    path.is_facet()
                ),
                (device, whole, facet),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_nearest_level_is_inherited() {
        let mut group = Containment::default();
        group.add(&Path::read(b"1.0.0.0"), Some(DeviceTime::civil(1)), None);
        group.add(&Path::read(b"1.2.0.0"), Some(DeviceTime::civil(2)), None);
        group.add(&Path::read(b"1.2.3.0"), None, Some(Site::Airway));
        let metric = Path::read(b"1.2.3.4");
        assert_eq!(group.time(&metric), Some(DeviceTime::civil(2)));
        assert_eq!(group.site(&metric), Some(Site::Airway));
        assert_eq!(
            group.time(&Path::read(b"1.9.9.9")),
            Some(DeviceTime::civil(1))
        );
        assert_eq!(group.time(&Path::read(b"2.2.3.4")), None);
        assert_eq!(group.time(&Path::read(b"1")), None);
    }

    proptest! {
        #[test]
        fn any_text_is_a_path(text: Vec<u8>) {
            let _ = Path::read(&text);
        }
    }
}
