//! The alarm sound: tones synthesised in numbers and streamed into a supervised player process.
//!
//! The engine publishes one small cue; the sound thread ([`run`]) turns it into samples ([`Mixer`]) and
//! writes them, silence too, so that a sound path that stopped working is noticed while there is nothing
//! to hear. It never keeps the engine waiting and never decides what alarms: with no cue it is silent.
//!
//! From cue to first sample: at most one round of the thread (30 ms), 42 ms of pipe and the player's own
//! buffer (100 ms in the default command), together below 250 ms.
//!
//! What it cannot know: whether the loudspeaker is on. A card whose clock runs faster than the system's
//! plays its buffer empty after a while (at 100 ppm after a quarter of an hour) and then pauses for a
//! tenth of a second to fill it again; no alarm is lost by that.

mod mixer;
mod output;
mod pace;
mod player;
mod tone;

pub use mixer::Mixer;
pub use output::{Connections, SoundSettings, run};
pub use tone::{Melody, SAMPLE_RATE};
