#![no_main]

use safeconduct_fuzz::refresh_token;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Err(broken) = refresh_token::run(data, refresh_token::authenticate) {
        panic!("{}", broken.0);
    }
});
