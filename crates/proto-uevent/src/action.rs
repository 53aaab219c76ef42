//! What happened to a device.

use core::fmt;

/// The kernel's eight actions (`lib/kobject_uevent.c`, `kobject_actions`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The device exists now.
    Add,
    /// The device is gone; its sysfs folder too.
    Remove,
    /// Something about it changed (medium, size, state).
    Change,
    /// It was renamed or moved; `DEVPATH_OLD` has the former path.
    Move,
    /// It can be used again.
    Online,
    /// It cannot be used for now.
    Offline,
    /// A driver took it.
    Bind,
    /// Its driver let it go.
    Unbind,
}

impl Action {
    /// Every action, in the kernel's order.
    pub const ALL: [Self; 8] =
        [Self::Add, Self::Remove, Self::Change, Self::Move, Self::Online, Self::Offline, Self::Bind, Self::Unbind];

    /// The action of this name; `None` for a word the kernel does not use.
    #[must_use]
    pub fn from_bytes(word: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str().as_bytes() == word)
    }

    /// Its name as the kernel writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Change => "change",
            Self::Move => "move",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Bind => "bind",
            Self::Unbind => "unbind",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
