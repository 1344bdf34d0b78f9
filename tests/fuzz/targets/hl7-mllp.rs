//! Any bytes as what a `hl7-mllp` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("hl7-mllp"), |data: &[u8]| read("hl7-mllp", data));
