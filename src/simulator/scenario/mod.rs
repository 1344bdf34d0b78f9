//! Scenarios: what a bedside monitor would show at every moment of a session.
//!
//! A scenario is a function of simulated time. It is either a script (a virtual patient with faults
//! of sensors, cuff and cable) or a table of numbers from a file. It knows nothing of protocols,
//! devices or speeds.

mod named;
mod script;
mod table;

pub use named::{INFUSION_START, NAMED};
pub use script::{CuffPlan, Outage, Script, Sensor, SensorFault};
pub use table::{Table, TableProblem};

use crate::protocol::CuffState;
use crate::vocabulary::{Decimal, Parameter, Reading};
use std::collections::BTreeMap;
use std::time::Duration;

/// The state of the cable between the device and us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Cable {
    /// Everything gets through.
    #[default]
    In,
    /// Out of its socket: the pseudo-terminal is hung up, the connection is closed.
    Pulled,
    /// Nothing gets through and nothing is closed, as when a switch between the two dies.
    Silent,
}

/// A cuff measurement that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedCuff {
    /// When, since the start of the scenario.
    pub at: Duration,
    /// Systolic pressure, mmHg.
    pub sys: Decimal,
    /// Diastolic pressure, mmHg.
    pub dia: Decimal,
    /// Mean pressure, mmHg.
    pub mean: Decimal,
    /// Pulse rate from the cuff, per minute.
    pub pulse: Option<Decimal>,
}

/// Everything a scenario says about one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// The continuous numerics. A zero may stand here as a valid number, as careless gateways send it.
    pub numerics: BTreeMap<Parameter, Reading>,
    /// What the cuff is doing; `None` in a scenario without a cuff.
    pub cuff: Option<CuffState>,
    /// The last finished cuff measurement.
    pub cuff_reading: Option<FinishedCuff>,
    /// The cable.
    pub cable: Cable,
}

/// A scenario.
#[derive(Clone, Debug)]
pub enum Scenario {
    /// A virtual patient with scripted faults.
    Script(Box<Script>),
    /// A table of numbers.
    Table(Table),
}

impl Scenario {
    /// The shipped scenario with this name; [`NAMED`] lists them.
    pub fn named(name: &str) -> Option<Self> {
        NAMED
            .iter()
            .find(|named| named.name == name)
            .map(|named| Self::Script(Box::new((named.build)())))
    }

    /// Reads a table (contract, `simulate`): the problems, with their lines, when it cannot be read.
    pub fn table(text: &[u8]) -> Result<Self, Vec<TableProblem>> {
        Table::parse(text).map(Self::Table)
    }

    /// What the monitor has at `elapsed` since the start.
    pub fn at(&self, elapsed: Duration) -> Scene {
        match self {
            Self::Script(script) => script.at(elapsed),
            Self::Table(table) => table.at(elapsed),
        }
    }

    /// The cable at `elapsed`, without the rest of the scene.
    pub fn cable(&self, elapsed: Duration) -> Cable {
        match self {
            Self::Script(script) => script.cable(elapsed),
            Self::Table(table) => table.cable(elapsed),
        }
    }
}
