//! The device side of a protocol: what the simulator speaks, and what round-trip tests encode with.

use super::session::Options;
use crate::observation::{DeviceAlert, PumpEvent, WaveChunk};
use crate::vocabulary::{Cause, Decimal, Now, Parameter, Reading};
use std::collections::BTreeMap;
use std::time::Duration;

/// What the cuff is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CuffState {
    /// Between measurements.
    #[default]
    Idle,
    /// Inflated or deflating.
    Measuring,
    /// The last measurement failed.
    Failed,
}

/// One finished cuff measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CuffReading {
    /// When it finished, by the device's clock, in milliseconds as if UTC since 1970.
    pub civil_ms: i64,
    /// Systolic pressure, mmHg.
    pub sys: Decimal,
    /// Diastolic pressure, mmHg.
    pub dia: Decimal,
    /// Mean pressure, mmHg.
    pub mean: Decimal,
    /// Pulse rate from the cuff, per minute.
    pub pulse: Option<Decimal>,
}

/// What a monitor has on its screen at one moment: the input of every device side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screen {
    /// The device's own clock: civil milliseconds as if UTC since 1970.
    pub civil_ms: i64,
    /// The continuous numerics. Absent: this device does not measure the parameter.
    pub numerics: BTreeMap<Parameter, Reading>,
    /// What the cuff is doing; `None` without a cuff.
    pub cuff: Option<CuffState>,
    /// The last finished cuff measurement.
    pub cuff_reading: Option<CuffReading>,
    /// Waves since the last screen.
    pub waves: Vec<WaveChunk>,
    /// Alarms that the monitor shows itself.
    pub alerts: Vec<DeviceAlert>,
    /// Pump events since the last screen.
    pub pump_events: Vec<PumpEvent>,
}

impl Screen {
    /// The reading of a continuous parameter; [`Cause::NotAvailable`] when it is not fitted.
    pub fn reading(&self, parameter: Parameter) -> Reading {
        self.numerics
            .get(&parameter)
            .copied()
            .unwrap_or(Reading::Invalid(Cause::NotAvailable))
    }
}

/// What a device side is made with.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// Settings of the simulated device, by name.
    pub options: Options,
    /// The bed, device and patient that it claims to be.
    pub identity: crate::observation::Identity,
}

/// A simulated device: the other end of one link. It owns no I/O and reads no clock.
pub trait Device: Send {
    /// How often [`Device::present`] is to be called.
    fn cadence(&self) -> Duration;

    /// The link is open (again).
    fn opened(&mut self, now: Now) {
        let _ = now;
    }

    /// Bytes from the host. Each element pushed to `replies` is one write, or one datagram.
    fn receive(&mut self, now: Now, bytes: &[u8], replies: &mut Vec<Vec<u8>>);

    /// The screen changed or the cadence is due: a device that speaks unasked sends now, one that is
    /// polled remembers the screen.
    fn present(&mut self, now: Now, screen: &Screen, sent: &mut Vec<Vec<u8>>);
}
