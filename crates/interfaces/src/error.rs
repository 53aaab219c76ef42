//! Error codes of replies (header `Nats-Service-Error-Code`, NATS ADR-32). They follow HTTP where that has a fitting number.

/// The argument is malformed.
pub const BAD_REQUEST: u16 = 400;
/// The asker may not do this.
pub const FORBIDDEN: u16 = 403;
/// There is no such thing; the sentence names it.
pub const NOT_FOUND: u16 = 404;
/// The thing is in a state in which this cannot be done; the sentence says why.
pub const CONFLICT: u16 = 409;
/// The answer is larger than the bus carries in one message: ask for less.
pub const TOO_LARGE: u16 = 413;
/// The daemon failed; its log says more.
pub const INTERNAL: u16 = 500;
/// The daemon cannot serve this here; the sentence says why.
pub const UNAVAILABLE: u16 = 503;
