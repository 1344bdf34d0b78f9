//! Any bytes as what a `nellcor-ascii` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("nellcor-ascii"), |data: &[u8]| read("nellcor-ascii", data));
