#![no_main]

use safeconduct_fuzz::session_events::{self, Fault};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = session_events::run(data, Fault::default()) {
        panic!("{}", broken.0);
    }
});
