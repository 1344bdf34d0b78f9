//! Identifiers of resources: the same for the same thing of the same session, in every run.

use crate::record::model::Record;

/// What a resource is about; the number goes into its identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// The bundle.
    Bundle = 1,
    /// The patient.
    Patient = 2,
    /// The encounter.
    Encounter = 3,
    /// The program.
    Program = 4,
    /// A feed's device, by its place in the record.
    Device = 5,
    /// A cuff reading, by its entry.
    Cuff = 6,
    /// A minute of a series, by both their places.
    Minute = 7,
    /// A single reading, by its entry.
    Reading = 8,
    /// The infusion.
    Infusion = 9,
    /// A drug, by its entry.
    Drug = 10,
    /// A score, by its entry.
    Score = 11,
}

/// What tells one session from every other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names(u64);

impl Names {
    /// The session's: number, moment of opening, and the profile's check sum.
    pub(super) fn new(record: &Record) -> Self {
        const CRC: crc::Crc<u64> = crc::Crc::<u64>::new(&crc::CRC_64_XZ);
        let header = &record.header;
        let text = format!(
            "infusewatch/{}/{}/{}/{}",
            record.session,
            header.opened_at.millis(),
            header.profile.as_deref().unwrap_or_default(),
            header.patient.as_deref().unwrap_or_default(),
        );
        Self(CRC.checksum(text.as_bytes()))
    }

    /// A UUID of version 8 (RFC 9562): the session in its first half, kind and number in its second.
    pub(super) fn urn(self, about: About, number: u64) -> String {
        // 48 + 12 bits of the session; four bits of kind and 48 of the number follow the variant.
        let session = self.0;
        let kind = about as u64 & 0xf;
        let number = number & 0xffff_ffff_ffff;
        format!(
            "urn:uuid:{:08x}-{:04x}-8{:03x}-{:04x}-{:012x}",
            session >> 32,
            (session >> 16) & 0xffff,
            (session >> 4) & 0xfff,
            0x8000 | ((session & 0xf) << 8) | kind,
            number
        )
    }
}
