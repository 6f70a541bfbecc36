#![no_main]

use safeconduct_fuzz::transition;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = transition::run(data, safeconduct_core::session::transition) {
        panic!("{}", broken.0);
    }
});
