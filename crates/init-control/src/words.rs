//! The words of the protocol: what a service is doing, what an event tells, how a process ended.

use std::fmt;

/// Words of a small vocabulary: the enum, its words, both ways.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])* $variant),+ }

        impl $name {
            /// The word of the protocol.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The meaning of a word; `None` for one this version does not know.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What a service is doing.
    ServiceState {
        /// Not running, not wanted.
        Down = "down",
        /// Wanted; something it depends on is not ready.
        Waiting = "waiting",
        /// Running, not ready yet; a oneshot: its `up` runs.
        Starting = "starting",
        /// Running and ready.
        Ready = "ready",
        /// A oneshot whose `up` succeeded.
        Done = "done",
        /// Ended by itself; starts again after a while.
        Backoff = "backoff",
        /// Told to end.
        Stopping = "stopping",
        /// Killed, not gone yet.
        Killing = "killing",
        /// Ended; its `finish` runs.
        Finishing = "finishing",
        /// A oneshot whose `down` runs.
        Undoing = "undoing",
        /// Cannot run until its directory changes or the operator starts it.
        Broken = "broken",
    }
}

words! {
    /// What an event tells.
    What {
        /// Its directory appeared.
        Added = "added",
        /// Its directory is gone and it is stopped.
        Removed = "removed",
        /// Its directory changed.
        Changed = "changed",
        /// It waits for what it depends on.
        Waiting = "waiting",
        /// Its process runs.
        Started = "started",
        /// It is ready; a oneshot: it succeeded.
        Ready = "ready",
        /// It was told to end.
        Stopping = "stopping",
        /// Its process ended.
        Exited = "exited",
        /// It starts again after the time in the reason.
        Backoff = "backoff",
        /// It is down.
        Stopped = "stopped",
        /// It cannot run; the reason says why.
        Broken = "broken",
        /// It was told to read its configuration again; the reason says what went wrong, if anything did.
        Reloaded = "reloaded",
        /// The kernel killed a process of it for want of memory; the reason says how many.
        Oom = "oom",
        /// It waits for memory, processors or disks more than its directory allows; the reason says for what.
        Pressure = "pressure",
        /// What differs in the service directory is being taken over.
        GenerationBegun = "generation-begun",
        /// Everything that differed has come to rest.
        GenerationDone = "generation-done",
        /// The directory was swapped for one that cannot run; what runs stays as it was.
        GenerationRejected = "generation-rejected",
        /// Everything stops, then the machine is switched off.
        Poweroff = "poweroff",
        /// Everything stops, then the machine boots again.
        Reboot = "reboot",
        /// Everything stops, then the machine stands still.
        Halt = "halt",
        /// Everything stops, then the kernel that was loaded starts.
        Kexec = "kexec",
        /// Everything stops, then lunix-init ends.
        Shutdown = "shutdown",
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this code.
    Code(u8),
    /// By this signal.
    Signal(i32),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited {code}"),
            Self::Signal(signal) => write!(f, "killed by signal {signal}"),
        }
    }
}
