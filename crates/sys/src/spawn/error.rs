//! Why nothing was started.

use std::fmt;
use std::io;

/// What the child was about to do when it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Making the process.
    Clone,
    /// Moving into its cgroup.
    Cgroup,
    /// Setting how willingly it is killed when memory is short.
    OomScore,
    /// Starting a session.
    Session,
    /// Entering the working directory.
    Directory,
    /// Putting its descriptors in place.
    Descriptors,
    /// Setting a limit.
    Limit,
    /// Setting the capabilities.
    Capabilities,
    /// Setting the supplementary groups.
    Groups,
    /// Setting the group.
    Group,
    /// Setting the user.
    User,
    /// Executing the program.
    Execute,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Clone => "make a process",
            Self::Cgroup => "move into the cgroup",
            Self::OomScore => "set the OOM score",
            Self::Session => "start a session",
            Self::Directory => "enter the directory",
            Self::Descriptors => "place the descriptors",
            Self::Limit => "set a limit",
            Self::Capabilities => "set the capabilities",
            Self::Groups => "set the supplementary groups",
            Self::Group => "set the group",
            Self::User => "set the user",
            Self::Execute => "execute the program",
        })
    }
}

/// Why nothing was started. No process is left behind: one that was made has ended and is reaped.
#[derive(Debug)]
pub struct Error {
    /// What failed.
    pub stage: Stage,
    /// The kernel's reason.
    pub cause: io::Error,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.stage, self.cause)
    }
}

impl std::error::Error for Error {}
