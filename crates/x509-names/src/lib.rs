//! The names that an X.509 certificate carries (RFC 5280): its subject, the subject's alternative names, the end of its validity, and
//! its public key's place. Nothing is verified here: give it certificates that were.
//!
//! ```
//! // A directory name matches however its parts are written and ordered.
//! assert!(x509_names::is_same_name("cn=alice, o=Acme", "O=Acme,CN=alice"));
//! assert!(!x509_names::is_same_name("CN=alice", "O=Acme,CN=alice"));
//! ```
#![forbid(unsafe_code)]

mod certificate;
mod der;
mod directory;
mod text;

pub use certificate::{Certificate, Malformed};
pub use directory::is_same_name;
