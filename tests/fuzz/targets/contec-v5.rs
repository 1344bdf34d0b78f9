//! Any bytes as what a `contec-v5` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("contec-v5"), |data: &[u8]| read("contec-v5", data));
