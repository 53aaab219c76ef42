//! Why a peer's bytes are not the protocol.

use core::fmt;

/// The bytes are not the protocol. The connection cannot go on: the parser has lost its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// A verb that does not exist, or a payload that is not followed by CR LF. Told at the first wrong byte.
    UnknownOperation,
    /// A control line longer than the limit. Told before its end has arrived.
    LineTooLong,
    /// A payload (headers included) larger than the limit. Told at the control line.
    PayloadTooLarge,
    /// Too few or too many fields, a size or number that is none, more header than payload. Told at the end of the control line.
    BadArguments,
    /// HPUB from a client that did not announce headers. Told at the control line.
    HeadersNotEnabled,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownOperation => "unknown protocol operation",
            Self::LineTooLong => "control line over the limit",
            Self::PayloadTooLarge => "payload over the limit",
            Self::BadArguments => "wrong number or form of arguments",
            Self::HeadersNotEnabled => "headers used without being announced",
        })
    }
}

impl core::error::Error for Error {}
