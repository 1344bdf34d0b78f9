//! Any bytes as what a `contec-v7` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("contec-v7"), |data: &[u8]| read("contec-v7", data));
