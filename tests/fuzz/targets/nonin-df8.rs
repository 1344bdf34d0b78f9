//! Any bytes as what a `nonin-df8` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("nonin-df8"), |data: &[u8]| read("nonin-df8", data));
