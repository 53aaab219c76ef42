//! The very last: the machine.

use crate::console::Console;
use crate::shutdown::Goal;
use rustix::system::RebootCommand;

/// The number of the first PID namespace (the kernel's PROC_PID_INIT_INO).
const FIRST_NAMESPACE: &[u8] = b"pid:[4026531836]";

/// Ends the machine. Returns only when the kernel refuses.
pub fn finish(goal: Goal, console: &mut Console) {
    let command = match goal {
        Goal::Leave | Goal::Poweroff => RebootCommand::PowerOff,
        Goal::Halt => RebootCommand::Halt,
        Goal::Reboot => RebootCommand::Restart,
        Goal::Kexec => RebootCommand::Kexec,
    };
    console.say(format_args!("info: goodbye"));
    if let Err(errno) = rustix::system::reboot(command) {
        console.say(format_args!("error: the kernel refused: {errno}"));
        // Without a kernel to start there is still the firmware.
        if goal == Goal::Kexec {
            finish(Goal::Reboot, console);
        }
    }
}

/// True when this is the machine's own PID 1, not that of a container.
pub(crate) fn is_first_namespace() -> bool {
    let name = std::fs::read_link("/proc/self/ns/pid");
    name.is_ok_and(|name| name.as_os_str().as_encoded_bytes() == FIRST_NAMESPACE)
}

/// True when a kernel was loaded that can be started (`man 8 kexec`).
pub(crate) fn has_kernel_to_start() -> bool {
    std::fs::read("/sys/kernel/kexec_loaded").is_ok_and(|content| content.trim_ascii() == b"1")
}
