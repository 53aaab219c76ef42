//! In the place of WebSocket in a build without: types that nobody can make a value of.

use crate::broker::{Reason, WebFacts};
use crate::config::WebSocket;
use std::io::IoSlice;
use std::rc::Rc;
use std::time::Duration;

/// What a listener would need.
#[derive(Debug)]
pub(super) enum Shared {}

impl Shared {
    /// Nothing: the configuration refuses the key in this build.
    pub(super) fn new(_: &WebSocket) -> Option<Rc<Self>> {
        None
    }

    pub(super) fn patience(&self) -> Duration {
        match *self {}
    }
}

/// A WebSocket that there is not.
#[derive(Debug)]
pub(super) enum Web {}

/// What its bytes mean.
#[derive(Debug)]
#[expect(dead_code, reason = "nobody hears anything")]
pub(super) enum Heard {
    Nothing,
    Upgraded(usize, WebFacts),
    Refused(String),
    Bytes(usize, usize),
    Inflated(usize),
    Asked(usize),
    Closed,
    Wrong(&'static str),
}

impl Web {
    pub(super) fn new(_: &Rc<Shared>, _: bool) -> Option<Self> {
        None
    }

    pub(super) fn request(&mut self, _: &[u8], _: &mut Vec<u8>) -> Heard {
        match *self {}
    }

    pub(super) fn feed(&mut self, _: &mut [u8], _: &mut Vec<u8>) -> Heard {
        match *self {}
    }

    pub(super) fn frame(&self, _: &[IoSlice<'_>], _: usize, _: impl FnOnce(&[IoSlice<'_>])) {
        match *self {}
    }

    pub(super) fn farewell(_: Reason, _: &mut Vec<u8>) {}

    pub(super) fn held(&self) -> usize {
        match *self {}
    }
}
