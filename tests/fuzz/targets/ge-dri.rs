//! Any bytes as what a `ge-dri` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("ge-dri"), |data: &[u8]| read("ge-dri", data));
