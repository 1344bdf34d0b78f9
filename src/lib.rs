//! InfuseWatch: a supplementary bedside vital-signs monitor for ketamine infusions.
//!
//! The modules stand in the order in which data flows; imports run one way only (see
//! `docs/architecture.md` and the layering test).

pub mod board;
pub mod cli;
pub mod clock;
pub mod configuration;
pub mod display;
pub mod engine;
pub mod feed;
pub mod inbox;
pub mod journal;
pub mod observation;
pub mod profile;
pub mod protocol;
pub mod record;
pub mod simulator;
pub mod sound;
pub mod supervisor;
pub mod vocabulary;
