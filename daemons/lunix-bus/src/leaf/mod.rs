//! Leaf node: the links to the hubs of real clusters. Pure: what happens in, what is to be done out.
//!
//! | part | what it does |
//! |---|---|
//! | [`Remote`] | what the configuration says of one hub, or of several that stand for one another |
//! | [`Machine`] | one remote's life: address, connection, greeting, TLS, introduction, joined, waiting for the next attempt |
//! | [`Greeting`] | the hub's INFO |
//! | [`introduction`] | our CONNECT |
//! | [`Rights`] | which subjects may cross the link |
//!
//! What goes over a joined link is the broker's business. Absent on purpose: accepting leaf nodes, compression, WebSocket remotes.

mod greeting;
mod introduction;
mod machine;
mod remote;
mod rights;
#[cfg(test)]
mod tests;
mod url;

pub use greeting::Greeting;
pub use introduction::{Introduction, introduction};
pub use machine::{Act, Input, Line, Machine};
pub use remote::Remote;
pub(crate) use rights::LOOP_PREFIX;
pub use rights::Rights;
pub use url::{Secret, Url, UrlError};
