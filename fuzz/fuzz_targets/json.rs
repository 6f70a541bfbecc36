#![no_main]

use safeconduct_fuzz::json;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = json::run(data, json::read) {
        panic!("{}", broken.0);
    }
});
