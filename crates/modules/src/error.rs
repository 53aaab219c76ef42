//! What can go wrong.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why modules could not be found or loaded.
#[derive(Debug)]
pub enum Error {
    /// A file or folder could not be read.
    Read(PathBuf, io::Error),
    /// A binary index is damaged.
    Index(PathBuf, &'static str),
    /// The alias or dependency names a module that modules.dep does not know.
    Unknown(String),
    /// The kernel refused the module.
    Kernel(String, io::Error),
    /// The file is compressed and this kernel cannot decompress it (`CONFIG_MODULE_DECOMPRESS`).
    Compressed(PathBuf),
    /// `modprobe.d` wants a command to be run for the module, which is not done here.
    Install(String),
}

impl Error {
    pub(crate) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Read(path.to_owned(), error)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Index(path, what) => write!(f, "damaged index {}: {what}", path.display()),
            Self::Unknown(name) => write!(f, "module {name} is not in modules.dep"),
            Self::Kernel(name, error) => write!(f, "cannot load module {name}: {error}"),
            Self::Compressed(path) => {
                write!(f, "cannot load {}: this kernel does not decompress modules", path.display())
            }
            Self::Install(name) => write!(f, "module {name} is not loaded: modprobe.d has an install command for it"),
        }
    }
}

impl std::error::Error for Error {}
