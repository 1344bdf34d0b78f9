//! The rows of an infusion pump that are read; their codes stand in `codes`.

/// What a row of an infusion pump tells (hl7.md 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// What happened.
    Event,
    /// The source that it happened to, as a path of OBX-4.
    EventSource,
    /// The pump's own identifier.
    SystemId,
    /// An alarm that stands.
    Alarm,
    /// The pump infuses or does not.
    Infusing,
    /// What it delivers at this moment, from all its sources.
    Flow,
    /// What a source does.
    Delivery,
    /// Why a source does not deliver.
    Reason,
    /// The rate of a source.
    Rate,
    /// The volume that a source has delivered.
    Volume,
    /// The volume that a source has still to deliver.
    Remaining,
    /// The drug.
    Drug,
}
