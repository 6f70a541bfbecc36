#![no_main]

use safeconduct_fuzz::jws_verify;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = jws_verify::run(data, jws_verify::accept) {
        panic!("{}", broken.0);
    }
});
