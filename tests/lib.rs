//! Tests of the whole; run them with `cargo xtask test process` and `cargo xtask test vm`.
//!
//! ```
//! lunix_tests::ensure(1 + 1 == 2, || "sums are off".to_owned())?;
//! # Ok::<(), testkit::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod language;
pub mod peer;
pub mod readme;

/// Fails with the sentence unless `holds`.
///
/// # Errors
/// The sentence.
pub fn ensure(holds: bool, sentence: impl FnOnce() -> String) -> testkit::Result<()> {
    if holds { Ok(()) } else { Err(testkit::Error::unexpected(sentence())) }
}
