//! Any bytes as what a `nonin-ascii` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("nonin-ascii"), |data: &[u8]| read("nonin-ascii", data));
