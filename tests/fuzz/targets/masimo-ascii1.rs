//! Any bytes as what a `masimo-ascii1` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("masimo-ascii1"), |data: &[u8]| read("masimo-ascii1", data));
