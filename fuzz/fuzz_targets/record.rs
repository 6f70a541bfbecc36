#![no_main]

use safeconduct_fuzz::record;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = record::run(data, record::drive) {
        panic!("{}", broken.0);
    }
});
