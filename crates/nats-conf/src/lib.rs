//! The configuration format of nats-server, with errors that name file, line and column.
//!
//! ```text
//! document = *( entry / "include" string )
//! entry    = key [":" / "="] value [";" / ","]
//! value    = "{" *entry "}" / "[" *( value [","] ) "]" / string / number [unit] / boolean / "$" name
//! key      = bare / quoted ;  comments run from # or // to the end of the line
//! unit     = "k" / "m" / "g" / "t" (powers of 1000), with "b", "i" or "ib" appended powers of 1024
//! boolean  = "true" / "false" / "yes" / "no" / "on" / "off"
//! ```
//! A bare word that is no number and no boolean is a string: hosts, paths, durations (`2s`) need no quotes. Strings in double quotes know
//! `\n \r \t \" \\ \xHH`, those in single quotes nothing. `$name` is the value of the key `name` set before, in this map or one
//! around it, else of the environment.
//!
//! Files and environment are reached through [`Surroundings`], so the parser itself makes no system call.
//!
//! ```
//! use nats_conf::{Nothing, Value, parse};
//! let root = parse("example.conf", "port: 4222\nauthorization { user = a; timeout: 2 }\nmax_payload: 1MB", &mut Nothing)?;
//! assert!(matches!(root.get("port").unwrap().value, Value::Integer(4222)));
//! assert!(matches!(root.get("max_payload").unwrap().value, Value::Integer(1_048_576)));
//! let error = parse("example.conf", "port: [1, 2", &mut Nothing).unwrap_err();
//! assert_eq!(error.to_string(), "example.conf:1:7: array is not closed");
//! # Ok::<(), nats_conf::Error>(())
//! ```
#![forbid(unsafe_code)]

mod number;
mod parser;
mod reader;
mod value;

pub use number::parse_duration;
pub use parser::parse;
pub use value::{Entry, Error, Item, Map, Nothing, Place, Surroundings, Value};
