//! A time as the record prints it.

use crate::vocabulary::WallTime;
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// A time for people; in JSON it is RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Stamp(pub WallTime);

impl Stamp {
    /// A time of the wall clock.
    pub const fn from_millis(millis: i64) -> Self {
        Self(WallTime::from_millis(millis))
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn millis(self) -> i64 {
        self.0.as_millis()
    }

    /// RFC 3339 in UTC with milliseconds.
    pub fn rfc3339(self) -> String {
        self.0.rfc3339()
    }

    /// In a clinic's zone, by a `strftime` pattern; a time that no calendar has is told in milliseconds.
    pub fn local(self, zone: &TimeZone, pattern: &str) -> String {
        match jiff::Timestamp::from_millisecond(self.millis()) {
            Ok(stamp) => stamp.to_zoned(zone.clone()).strftime(pattern).to_string(),
            Err(_) => self.rfc3339(),
        }
    }
}

impl From<WallTime> for Stamp {
    fn from(wall: WallTime) -> Self {
        Self(wall)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}
