//! Any bytes as what a `ge-unity` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("ge-unity"), |data: &[u8]| read("ge-unity", data));
