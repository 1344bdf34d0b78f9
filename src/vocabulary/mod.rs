//! The words every other module speaks: parameters with their MDC codes and units, exact numbers,
//! validity and its causes, priorities, phases, and moments on the engine's clock.
//!
//! Promises: everything here is plain data, checked when made, without I/O, clocks or allocation on
//! the steady path. It never guesses: an unknown unit or code stays unknown and says so.

mod decimal;
mod moment;
mod parameter;
mod phase;
mod priority;
mod rule;
mod unit;
mod validity;

pub use decimal::{Decimal, NotADecimal};
pub use moment::{Moment, Now, WallTime};
pub use parameter::{Parameter, ParameterId, Site};
pub use phase::Phase;
pub use priority::Priority;
pub use rule::{AlarmClass, Rule};
pub use unit::{ReadingUnit, Unit};
pub use validity::{Cause, Doubt, Reading, Validity};
