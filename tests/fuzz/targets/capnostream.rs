//! Any bytes as what a `capnostream` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("capnostream"), |data: &[u8]| read("capnostream", data));
