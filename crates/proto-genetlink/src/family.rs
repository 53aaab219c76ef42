//! The numbers that generic netlink gave to a family.

use crate::HEADER_LEN;
use proto_rtnetlink::{Attribute, Attributes};

const FAMILY_ID: u16 = 1;
const GROUPS: u16 = 7;
const GROUP_NAME: u16 = 1;
const GROUP_ID: u16 = 2;

/// A family as the controller describes it.
#[derive(Clone, Copy, Debug)]
pub struct Family<'a> {
    /// The kind of its messages.
    pub id: u16,
    groups: Option<Attribute<'a>>,
}

impl<'a> Family<'a> {
    /// Reads the payload of the controller's answer.
    #[must_use]
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let attributes = Attributes::new(payload.get(HEADER_LEN..)?);
        let id = <[u8; 2]>::try_from(attributes.find(FAMILY_ID)?.value).ok()?;
        Some(Self { id: u16::from_ne_bytes(id), groups: attributes.find(GROUPS) })
    }

    /// The number of the multicast group of this name.
    #[must_use]
    pub fn group(&self, name: &[u8]) -> Option<u32> {
        let mut groups = self.groups?.nested();
        let group = groups.find_map(|group| {
            let is_it = group.nested().find(GROUP_NAME)?.text() == name;
            is_it.then(|| group.nested().find(GROUP_ID)).flatten()
        });
        group?.number()
    }
}
