//! depmod's binary index: a trie on disk, big-endian.
//!
//! ```text
//! file  = magic B007F457, version 00020001, root
//! ref   = u32: high nibble flags (8 prefix, 4 values, 2 children), low 28 bits offset of the node
//! node  = [ prefix NUL ] [ first u8, last u8, ref × (last - first + 1) ] [ count u32, ( priority u32, value NUL ) × count ]
//! ```
//!
//! Nodes are read through a few blocks kept in memory: `modules.alias.bin` of a distribution's kernel has more than a megabyte, of
//! which a look-up touches a few dozen nodes.

use crate::error::Error;
use crate::glob::matches;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

const MAGIC: u32 = 0xb007_f457;
const VERSION: u32 = 0x0002_0001;
const PREFIX: u32 = 0x8000_0000;
const VALUES: u32 = 0x4000_0000;
const CHILDREN: u32 = 0x2000_0000;
const OFFSET: u32 = 0x0fff_ffff;
const BLOCK_BYTES: usize = 4096;
const BLOCKS: usize = 16;
/// A key or pattern longer than this ends the look-up: the kernel's longest alias has about 500 bytes.
const KEY_BYTES_MAX: usize = 4096;
/// Nodes visited in one look-up; damaged indexes with loops end there.
const NODES_MAX: u32 = 1 << 16;

struct Block {
    number: u64,
    bytes: Vec<u8>,
}

/// An open index.
pub struct Index {
    path: PathBuf,
    file: File,
    root: u32,
    blocks: Vec<Block>,
    nodes_left: u32,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("path", &self.path).finish_non_exhaustive()
    }
}

/// One value found, with its order among those of the same alias.
type Value = (u32, String);

struct Node {
    prefix: Vec<u8>,
    first: u8,
    children: Vec<u32>,
    values: Vec<Value>,
}

impl Index {
    /// Opens an index. `Ok(None)` when there is no such file.
    ///
    /// # Errors
    /// The file cannot be read, or is no index of this version.
    pub fn open(path: &Path) -> Result<Option<Self>, Error> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::Read(path.to_owned(), error)),
        };
        let mut index = Self { path: path.to_owned(), file, root: 0, blocks: Vec::new(), nodes_left: 0 };
        let mut at = 0;
        let (magic, version) = (index.word(&mut at)?, index.word(&mut at)?);
        if magic != MAGIC || version != VERSION {
            return Err(index.damaged("not an index of version 2.1"));
        }
        index.root = index.word(&mut at)?;
        Ok(Some(index))
    }

    /// Values of the entry that is exactly `key`.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn get(&mut self, key: &str) -> Result<Vec<String>, Error> {
        self.nodes_left = NODES_MAX;
        let mut rest = key.as_bytes();
        let mut reference = self.root;
        loop {
            let node = self.node(reference)?;
            let Some(behind) = rest.strip_prefix(node.prefix.as_slice()) else { return Ok(Vec::new()) };
            let Some((&letter, after)) = behind.split_first() else { return Ok(ordered(node.values)) };
            let Some(child) = node.child(letter) else { return Ok(Vec::new()) };
            (reference, rest) = (child, after);
        }
    }

    /// Values of every entry that, taken as a pattern, matches `key`, in depmod's order.
    ///
    /// # Errors
    /// The file cannot be read or is damaged.
    pub fn search(&mut self, key: &str) -> Result<Vec<String>, Error> {
        self.nodes_left = NODES_MAX;
        let mut found = Vec::new();
        let mut rest = key;
        let mut reference = self.root;
        loop {
            let node = self.node(reference)?;
            let special = node.prefix.iter().position(|&letter| is_special(letter));
            let (plain, pattern) = node.prefix.split_at(special.unwrap_or(node.prefix.len()));
            let Some(behind) = strip(rest, plain) else { break };
            if special.is_some() {
                self.patterns(&node, &mut pattern.to_vec(), behind, &mut found)?;
                break;
            }
            for letter in [b'*', b'?', b'['] {
                if let Some(child) = node.child(letter) {
                    self.subtree(child, &mut vec![letter], behind, &mut found)?;
                }
            }
            let Some(&letter) = behind.as_bytes().first() else {
                found.extend(node.values);
                break;
            };
            let Some(child) = node.child(letter).filter(|_| !is_special(letter)) else { break };
            let Some(after) = strip(behind, &[letter]) else { break };
            (reference, rest) = (child, after);
        }
        Ok(ordered(found))
    }

    fn subtree(
        &mut self,
        reference: u32,
        pattern: &mut Vec<u8>,
        text: &str,
        found: &mut Vec<Value>,
    ) -> Result<(), Error> {
        let node = self.node(reference)?;
        let length = pattern.len();
        pattern.extend_from_slice(&node.prefix);
        self.patterns(&node, pattern, text, found)?;
        pattern.truncate(length);
        Ok(())
    }

    /// Tries the patterns that end at `node` and below it; `pattern` is what leads there.
    fn patterns(
        &mut self,
        node: &Node,
        pattern: &mut Vec<u8>,
        text: &str,
        found: &mut Vec<Value>,
    ) -> Result<(), Error> {
        if pattern.len() > KEY_BYTES_MAX {
            return Err(self.damaged("key too long"));
        }
        if !node.values.is_empty() && std::str::from_utf8(pattern).is_ok_and(|pattern| matches(pattern, text)) {
            found.extend(node.values.iter().cloned());
        }
        for (letter, &child) in (node.first..=u8::MAX).zip(&node.children).filter(|(_, child)| **child != 0) {
            pattern.push(letter);
            self.subtree(child, pattern, text, found)?;
            pattern.pop();
        }
        Ok(())
    }

    fn node(&mut self, reference: u32) -> Result<Node, Error> {
        self.nodes_left = self.nodes_left.checked_sub(1).ok_or_else(|| self.damaged("endless"))?;
        let mut at = u64::from(reference & OFFSET);
        let mut node = Node { prefix: Vec::new(), first: 0, children: Vec::new(), values: Vec::new() };
        if reference & PREFIX != 0 {
            node.prefix = self.text(&mut at)?;
        }
        if reference & CHILDREN != 0 {
            node.first = self.byte(&mut at)?;
            let last = self.byte(&mut at)?;
            for _ in node.first..=last {
                node.children.push(self.word(&mut at)?);
            }
        }
        if reference & VALUES != 0 {
            for _ in 0..self.word(&mut at)? {
                let priority = self.word(&mut at)?;
                let text = self.text(&mut at)?;
                node.values.push((priority, String::from_utf8_lossy(&text).into_owned()));
            }
        }
        Ok(node)
    }

    fn text(&mut self, at: &mut u64) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        loop {
            match self.byte(at)? {
                0 => return Ok(text),
                // A line of modules.dep.bin holds all dependencies of a module.
                _ if text.len() > 16 * KEY_BYTES_MAX => return Err(self.damaged("text too long")),
                letter => text.push(letter),
            }
        }
    }

    fn word(&mut self, at: &mut u64) -> Result<u32, Error> {
        (0..4).try_fold(0, |word, _| Ok((word << 8) | u32::from(self.byte(at)?)))
    }

    fn byte(&mut self, at: &mut u64) -> Result<u8, Error> {
        let block_bytes = BLOCK_BYTES as u64;
        let number = *at / block_bytes;
        let within = usize::try_from(*at % block_bytes).unwrap_or_default();
        *at += 1;
        let slot = self.block(number)?;
        self.blocks
            .get(slot)
            .and_then(|block| block.bytes.get(within))
            .copied()
            .ok_or_else(|| self.damaged("cut short"))
    }

    /// The slot of a block that is in memory now; the most recently used come first.
    fn block(&mut self, number: u64) -> Result<usize, Error> {
        if let Some(slot) = self.blocks.iter().position(|block| block.number == number) {
            if slot != 0 {
                self.blocks.get_mut(..=slot).unwrap_or_default().rotate_right(1);
            }
            return Ok(0);
        }
        let mut bytes = match self.blocks.len() {
            BLOCKS => self.blocks.pop().map(|block| block.bytes).unwrap_or_default(),
            _ => Vec::new(),
        };
        bytes.resize(BLOCK_BYTES, 0);
        let count = self.file.read_at(&mut bytes, number * BLOCK_BYTES as u64).map_err(Error::read(&self.path))?;
        bytes.truncate(count);
        self.blocks.insert(0, Block { number, bytes });
        Ok(0)
    }

    fn damaged(&self, what: &'static str) -> Error {
        Error::Index(self.path.clone(), what)
    }
}

impl Node {
    fn child(&self, letter: u8) -> Option<u32> {
        let index = usize::from(letter.checked_sub(self.first)?);
        self.children.get(index).copied().filter(|&reference| reference != 0)
    }
}

fn is_special(letter: u8) -> bool {
    matches!(letter, b'*' | b'?' | b'[')
}

fn strip<'t>(text: &'t str, start: &[u8]) -> Option<&'t str> {
    text.strip_prefix(std::str::from_utf8(start).ok()?)
}

fn ordered(mut values: Vec<Value>) -> Vec<String> {
    values.sort_by_key(|(priority, _)| *priority);
    values.into_iter().map(|(_, value)| value).collect()
}
