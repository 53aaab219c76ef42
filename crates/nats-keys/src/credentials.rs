//! Files with a user's token and seed.
//!
//! ```text
//! -----BEGIN NATS USER JWT-----
//! eyJ0eXAiOiJKV1QiLCJhbGciOiJlZDI1NTE5LW5rZXkifQ…
//! ------END NATS USER JWT------
//!
//! -----BEGIN USER NKEY SEED-----
//! SUA…
//! ------END USER NKEY SEED------
//! ```

use crate::{Error, KeyPair, Role};
use std::fmt;

/// What a client shows to be let in. `Debug` tells neither token nor seed.
#[derive(Clone)]
pub struct Credentials {
    /// The user's token; sent as it is.
    pub token: String,
    /// What signs the server's nonce.
    pub key: KeyPair,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Reads a credentials file: the first block is the token, the second the seed. The token is not judged: its server does that.
    ///
    /// # Errors
    /// [`Error::Missing`] names the block that is not there; else what is wrong with the seed.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut blocks = blocks(text);
        let token = blocks.next().ok_or(Error::Missing("a token"))?.to_owned();
        let seed = blocks.next().ok_or(Error::Missing("a seed"))?;
        let key = KeyPair::from_seed(seed)?;
        if key.role() == Role::User { Ok(Self { token, key }) } else { Err(Error::WrongRole(Role::User.noun())) }
    }

    /// The token of a decorated file, or the whole text of an undecorated one.
    #[must_use]
    pub fn token_of(text: &str) -> &str {
        blocks(text).next().unwrap_or_else(|| text.trim())
    }

    /// The key of a file that holds a seed, decorated or alone on a line: the first line that begins as a seed does.
    ///
    /// # Errors
    /// [`Error::Missing`] without such a line; else what is wrong with it.
    pub fn key_of(text: &str) -> Result<KeyPair, Error> {
        let is_seed = |line: &&str| ["SU", "SA", "SO"].iter().any(|prefix| line.starts_with(prefix));
        let seed = text.lines().map(str::trim).find(is_seed);
        KeyPair::from_seed(seed.ok_or(Error::Missing("a seed"))?)
    }
}

/// The single lines between lines of dashes.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().map(str::trim).peekable();
    std::iter::from_fn(move || {
        loop {
            if is_rule(lines.next()?)
                && let Some(line) = lines.next_if(|line| !line.is_empty() && !is_rule(line))
                && lines.next_if(|line| is_rule(line)).is_some()
            {
                return Some(line);
            }
        }
    })
}

fn is_rule(line: &str) -> bool {
    line.len() >= 6 && line.starts_with("---") && line.ends_with("---")
}
