#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::order_bodies::run(bytes));
