//! Any bytes as what a `dinamap` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("dinamap"), |data: &[u8]| read("dinamap", data));
