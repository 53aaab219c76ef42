//! The system call.

use crate::error::Error;
use crate::plan::Step;
use rustix::io::Errno;
use std::ffi::{CString, c_int};
use std::fs::File;
use std::io;
use std::path::Path;

/// The kernel decompresses the file itself (since 5.17, `CONFIG_MODULE_DECOMPRESS`).
const MODULE_INIT_COMPRESSED_FILE: c_int = 4;

/// How a load ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The module is in the kernel now.
    Loaded,
    /// It was there already.
    Present,
}

impl Step {
    /// Loads the module; blocks while the kernel links and starts it. What it needs must be loaded before.
    ///
    /// # Errors
    /// The file cannot be opened, or the kernel refuses it: `EPERM` without CAP_SYS_MODULE, `ENOEXEC` for another kernel's module.
    pub fn load(&self) -> Result<Outcome, Error> {
        // Cheaper than letting the kernel read the whole file to find out; built-in modules have no such file.
        if Path::new("/sys/module").join(&self.name).join("initstate").exists() {
            return Ok(Outcome::Present);
        }
        let file = File::open(&self.path).map_err(Error::read(&self.path))?;
        let options = CString::new(self.options.as_str())
            .map_err(|_| Error::Kernel(self.name.clone(), io::ErrorKind::InvalidInput.into()))?;
        let compressed = self.path.extension().is_some_and(|extension| extension != "ko");
        let flags = if compressed { MODULE_INIT_COMPRESSED_FILE } else { 0 };
        match rustix::system::finit_module(&file, &options, flags) {
            Ok(()) => Ok(Outcome::Loaded),
            Err(Errno::EXIST) => Ok(Outcome::Present),
            Err(Errno::OPNOTSUPP | Errno::INVAL) if compressed => Err(Error::Compressed(self.path.clone())),
            Err(errno) => Err(Error::Kernel(self.name.clone(), errno.into())),
        }
    }
}
