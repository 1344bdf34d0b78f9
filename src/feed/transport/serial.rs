//! Serial ports, USB adapters and pseudo-terminals.
//!
//! The port is opened for ourselves alone, in raw mode, with eight data bits. RTS is asserted in any
//! case: several monitors are silent without it. A vanished adapter is seen as a read of nothing.

use crate::feed::link::{Link, Opened, Opener, Opening, Received, Stream};
use crate::protocol::{LineSettings, Parity, StopBits};
use std::io;
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};
use tokio_serial::{ClearBuffer, SerialPort, SerialPortBuilderExt, SerialStream};
use tracing::debug;

/// Opens one serial port.
pub(super) struct Serial {
    device: PathBuf,
    line: LineSettings,
}

impl Serial {
    /// The port `device` with these settings.
    pub(super) fn new(device: &Path, line: LineSettings) -> Self {
        Self {
            device: device.to_path_buf(),
            line,
        }
    }
}

impl Opener for Serial {
    fn open(&mut self) -> Opening<'_> {
        Box::pin(async move {
            let (device, line) = (self.device.clone(), self.line);
            // An adapter in trouble can hold the call for seconds: no other feed may wait for it.
            let opening = tokio::task::spawn_blocking(move || open(&device, line));
            let port = opening.await.map_err(io::Error::other)??;
            Ok(Opened::Link(Box::new(Port(Stream(port)))))
        })
    }
}

fn open(device: &Path, line: LineSettings) -> io::Result<SerialStream> {
    let wanted = tokio_serial::new(device.to_string_lossy(), line.baud)
        .data_bits(tokio_serial::DataBits::Eight)
        .parity(match line.parity {
            Parity::None => tokio_serial::Parity::None,
            Parity::Even => tokio_serial::Parity::Even,
            Parity::Odd => tokio_serial::Parity::Odd,
        })
        .stop_bits(match line.stop_bits {
            StopBits::One => tokio_serial::StopBits::One,
            StopBits::Two => tokio_serial::StopBits::Two,
        })
        .flow_control(if line.rts_cts {
            tokio_serial::FlowControl::Hardware
        } else {
            tokio_serial::FlowControl::None
        });
    let mut port = wanted.open_native_async()?;
    if let Err(error) = port.write_request_to_send(true) {
        // Pseudo-terminals and some serial servers' drivers have no modem lines.
        debug!(device = %device.display(), %error, "no RTS line");
    }
    Ok(port)
}

/// An open port. What the device did not take is thrown away before closing: the kernel would wait
/// for it up to half a minute.
struct Port(Stream<SerialStream>);

impl Link for Port {
    fn poll_receive(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        self.0.poll_receive(context, buffer)
    }

    fn poll_send(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.poll_send(context, bytes)
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        if let Err(error) = self.0.0.clear(ClearBuffer::Output) {
            debug!(%error, "output of a closing port not cleared");
        }
    }
}
