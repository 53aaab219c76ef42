//! NATS subjects: validation, wildcard matching, and the subscription index of a server.
//!
//! A subject is tokens joined by dots. In a pattern a token `*` stands for any one token and a last token `>` for one or more.
//! Everything here works on bytes: the protocol does not ask for UTF-8.
//!
//! ```
//! use nats_subject::{Cache, Index, is_subset, is_valid_subscription, matches};
//!
//! assert!(is_valid_subscription(b"hardware.*.add") && !is_valid_subscription(b"hardware..add"));
//! assert!(matches(b"hardware.*.add", b"hardware.usb.add"));
//! assert!(is_subset(b"hardware.usb.*", b"hardware.>") && !is_subset(b"hardware.>", b"hardware.*"));
//!
//! let mut index = Index::new(42);
//! let mut cache = Cache::new(64);
//! let stick = index.insert(b"hardware.*.add", None, "automount").unwrap();
//! index.insert(b"hardware.>", Some(b"workers"), "logger").unwrap();
//! let found = cache.find(&index, b"hardware.usb.add");
//! assert_eq!((found.plain(), found.groups().next()), (&["automount"][..], Some(&["logger"][..])));
//! index.remove(stick);
//! assert!(cache.find(&index, b"hardware.usb.add").plain().is_empty());
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod cache;
mod hash;
mod index;
mod list;
mod mapping;
mod pattern;
mod table;
mod text;
mod token;

pub use cache::Cache;
pub use hash::hash;
pub use index::{Entry, Error, Found, Index};
pub use mapping::{Mapping, MappingError};
pub use pattern::{intersect, is_literal, is_subset, is_valid_publish, is_valid_subscription, matches, overlaps};
pub use table::SlotTable;
pub use text::Text;
pub use token::{decode_token, encode_token};
