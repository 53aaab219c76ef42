//! Any bytes are a certificate or refused; names are the same as themselves.
#![no_main]

use libfuzzer_sys::fuzz_target;
use x509_names::{Certificate, is_same_name};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::read(bytes) {
        assert!(certificate.public_key.len() <= bytes.len());
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = is_same_name(text, "CN=a,O=b");
    }
});
