//! Any bytes as what a `mindray-pds` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("mindray-pds"), |data: &[u8]| read("mindray-pds", data));
