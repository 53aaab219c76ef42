//! Requests.

use proto_genetlink::{Answer, Request};

const GET_INTERFACE: u8 = 5;
const GET_STATION: u8 = 17;
const INDEX: u16 = 3;

/// Asks for all Wi-Fi interfaces. `family`: the family's number.
#[must_use]
pub fn interfaces(family: u16, sequence: u32) -> Request {
    Request::new(family, Answer::Dump, sequence, GET_INTERFACE, None)
}

/// Asks for the other ends of an interface's links.
#[must_use]
pub fn stations(family: u16, sequence: u32, index: u32) -> Request {
    Request::new(family, Answer::Dump, sequence, GET_STATION, Some((INDEX, &index.to_ne_bytes())))
}
