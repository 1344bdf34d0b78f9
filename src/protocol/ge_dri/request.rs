//! Requests from the host: built by the session, read by the device side. Every one of them only asks
//! for data; nothing of the monitor is changed.

use super::frame;
use super::record::{Fields, Header, Kind, Record, build};

/// Subrecord types of a physiological record (GE M1017617).
pub(super) mod physiological {
    /// A request.
    pub(in super::super) const REQUEST: u8 = 0;
    /// The displayed values.
    pub(in super::super) const DISPLAYED: u8 = 1;
    /// Auxiliary information: the time of the cuff reading.
    pub(in super::super) const AUXILIARY: u8 = 4;
}

/// Subrecord type of a request in wave and alarm records.
pub(super) const COMMAND: u8 = 0;

/// End of the list of wave types.
const END_OF_WAVES: u8 = 0xFF;
/// Wave types that one request can name.
pub(super) const MOST_WAVES: usize = 8;
/// Bytes of the list of wave types, with its reserve.
const WAVE_LIST: usize = 24;

/// What an alarm request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AlarmCommand {
    /// The status once, now.
    Once,
    /// The status at every change.
    OnChange,
    /// No more.
    Stop,
}

impl AlarmCommand {
    const fn code(self) -> i16 {
        match self {
            Self::Once => 0,
            Self::OnChange => 2,
            Self::Stop => 3,
        }
    }
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    /// Numerics of one kind, basic class: every `interval` seconds; 0 stops, −1 is one answer.
    Values {
        /// The subrecord type wanted.
        wanted: u8,
        /// Seconds.
        interval: i16,
    },
    /// These waves, from now on; an empty list stops them.
    Waves(Vec<u8>),
    /// Alarms.
    Alarms(AlarmCommand),
}

impl Request {
    /// The whole frame.
    pub(super) fn frame(&self) -> Vec<u8> {
        let (kind, code, data) = match self {
            Self::Values { wanted, interval } => {
                let mut data = vec![*wanted];
                data.extend(interval.to_le_bytes());
                data.extend([0; 6]);
                (Kind::Physiological, physiological::REQUEST, data)
            }
            Self::Waves(types) => {
                let stop = i16::from(types.is_empty());
                let mut data = stop.to_le_bytes().to_vec();
                data.extend([0; 2]);
                data.extend(types.iter().take(MOST_WAVES));
                data.push(END_OF_WAVES);
                data.resize(4 + WAVE_LIST + 4, 0);
                (Kind::Waveform, COMMAND, data)
            }
            Self::Alarms(command) => {
                let mut data = command.code().to_le_bytes().to_vec();
                data.extend([0; 10]);
                (Kind::Alarm, COMMAND, data)
            }
        };
        let header = Header {
            counter: 0,
            level: 0,
            plug: 0,
            time: 0,
            kind,
        };
        frame::encode(&build(header, &[(code, data)]))
    }

    /// The requests of a record; none in an answer.
    pub(super) fn read(record: &Record<'_>) -> Vec<Self> {
        record
            .subrecords
            .iter()
            .filter(|sub| sub.code == physiological::REQUEST)
            .filter_map(|sub| Self::one(record.header.kind, sub.bytes))
            .collect()
    }

    fn one(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields(bytes);
        match kind {
            Kind::Physiological => Some(Self::Values {
                wanted: fields.u8()?,
                interval: fields.i16()?,
            }),
            Kind::Waveform => {
                let stop = fields.i16()? != 0;
                let _reserved = fields.i16()?;
                let list = fields.take::<WAVE_LIST>()?;
                let types = list
                    .into_iter()
                    .take_while(|code| *code != END_OF_WAVES && !stop);
                Some(Self::Waves(types.collect()))
            }
            Kind::Alarm if bytes.len() == ALARM_REQUEST => match fields.i16()? {
                0 => Some(Self::Alarms(AlarmCommand::Once)),
                2 => Some(Self::Alarms(AlarmCommand::OnChange)),
                3 => Some(Self::Alarms(AlarmCommand::Stop)),
                _ => None,
            },
            Kind::Alarm | Kind::Network | Kind::Other => None,
        }
    }
}

/// Data bytes of an alarm request; an answer, which has the same type, has 510.
const ALARM_REQUEST: usize = 12;

#[cfg(test)]
mod tests {
    use super::super::super::json::from_hex;
    use super::super::frame::{Deframer, Piece};
    use super::*;

    /// A request as the dossier writes it: head, `19` zeros, `FF`, `18` zeros, tail.
    fn stated(length: u8, tail: &str) -> Vec<u8> {
        let mut frame = vec![0x7E, length];
        frame.extend([0; 20]);
        frame.push(0xFF);
        frame.extend([0; 18]);
        frame.extend(from_hex(tail).unwrap());
        frame.push(0x7E);
        frame
    }

    const fn displayed(interval: i16) -> Request {
        Request::Values {
            wanted: physiological::DISPLAYED,
            interval,
        }
    }

    #[test]
    fn requests_are_the_byte_strings_of_the_dossier() {
        assert_eq!(
            displayed(5).frame(),
            stated(0x31, "01050000000000000036"),
            "displayed every 5 s, basic"
        );
        assert_eq!(displayed(0).frame(), stated(0x31, "01000000000000000031"));
        let ecg = Request::Waves(vec![1]).frame();
        assert_eq!(ecg[ecg.len() - 2], 0x48, "checksum of the vendor's example");
        assert_eq!(Request::Alarms(AlarmCommand::OnChange).frame().len(), 55);
    }

    #[test]
    fn requests_read_back() {
        for request in [
            displayed(5),
            displayed(-1),
            Request::Waves(vec![1, 8, 9]),
            Request::Waves(vec![]),
            Request::Alarms(AlarmCommand::Once),
            Request::Alarms(AlarmCommand::Stop),
        ] {
            let mut found = Vec::new();
            Deframer::default().receive(&request.frame(), |piece| {
                if let Piece::Record(bytes, _) = piece {
                    found.extend(Request::read(&Record::parse(bytes).unwrap()));
                }
            });
            assert_eq!(found, [request]);
        }
    }
}
