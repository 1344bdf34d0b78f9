//! Any bytes as what a `intellivue` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("intellivue"), |data: &[u8]| read("intellivue", data));
