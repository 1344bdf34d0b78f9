//! Any bytes as what a `bbraun-bcc` device might send.
#![no_main]
use infusewatch_fuzz::{read, seeds};
libfuzzer_sys::fuzz_target!(init: seeds("bbraun-bcc"), |data: &[u8]| read("bbraun-bcc", data));
