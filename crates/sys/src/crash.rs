//! A program that crashes executes itself again instead of ending: what PID 1 needs, whose end is the kernel's.
//!
//! The handlers run on a stack of their own, so a stack that ran over is no obstacle, and make system calls only: nothing of the crashed program is
//! touched but what [`arm`] laid ready. They note the time of the crash in a file the next program reads, keep all descriptors open, and
//! execute the program by a descriptor that was opened while all was well.

use crate::exec::pointers;
use std::cell::UnsafeCell;
use std::ffi::{CString, c_char, c_int, c_void};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

/// What the kernel sends for a mistake of the program, and `abort`.
pub const SIGNALS: [crate::signal::Signal; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT];

/// Times of crashes that are kept.
pub const TIMES: usize = 8;
/// When so many crashes lie within [`STORM_NS`], the program is not executed once more.
const STORM: usize = TIMES;
/// A minute.
pub const STORM_NS: u64 = 60_000_000_000;

/// The stack of the handlers; the kernel puts the registers on it, which are up to 12 KiB, and the handler itself needs little.
const STACK_BYTES: usize = 64 * 1024;

/// What is executed after a crash.
#[derive(Debug)]
pub struct Plan {
    /// The program itself.
    pub program: OwnedFd,
    /// Its arguments, the zeroth included; the number of the signal follows as the last one.
    pub arguments: Vec<CString>,
    /// Its environment.
    pub environment: Vec<CString>,
    /// The file that keeps the times of crashes, and the place in it: [`TIMES`] numbers of 8 bytes, the newest first, nanoseconds of CLOCK_BOOTTIME.
    pub times: Option<(OwnedFd, u64)>,
    /// Programs that are executed with the same arguments when that fails.
    pub others: Vec<CString>,
    /// Programs that are executed without arguments when nothing else helps, or in a storm of crashes. Without any the process ends by the signal.
    pub shells: Vec<CString>,
}

/// The plan as the handlers use it: numbers and pointers that live for ever.
struct Armed {
    pid: libc::c_long,
    program: RawFd,
    times: Option<(RawFd, i64)>,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    /// Two digits of the last argument.
    digits: *mut c_char,
    others: *const *const c_char,
    shells: *const *const c_char,
}

static ARMED: AtomicPtr<Armed> = AtomicPtr::new(ptr::null_mut());
static ENTERED: AtomicBool = AtomicBool::new(false);
/// The highest descriptor that the next program needs.
static HIGHEST: AtomicI32 = AtomicI32::new(2);

#[repr(align(16))]
struct Stack(UnsafeCell<MaybeUninit<[u8; STACK_BYTES]>>);
// SAFETY: only the kernel and the handlers it starts use it, one at a time: the program has one thread.
unsafe impl Sync for Stack {}
static STACK: Stack = Stack(UnsafeCell::new(MaybeUninit::uninit()));

/// Sets the handlers. For a program of one thread; what the plan holds is kept for ever, so call it once.
///
/// # Errors
/// The kernel's, none of which a correct program meets.
pub fn arm(plan: Plan) -> io::Result<()> {
    let digits = CString::from(c"00").into_raw();
    let forever = |words: Vec<CString>| {
        let kept: &'static [CString] = words.leak();
        pointers(kept).leak().as_ptr()
    };
    let mut arguments = pointers(plan.arguments.leak());
    // In place of the null at the end.
    arguments.pop();
    arguments.extend([digits.cast_const(), ptr::null()]);
    keep_up_to(plan.program.as_raw_fd());
    if let Some((file, _)) = &plan.times {
        keep_up_to(file.as_raw_fd());
    }
    let armed = Armed {
        // SAFETY: no arguments. As the handler asks for it: the number itself, whatever a library remembers.
        pid: unsafe { libc::syscall(libc::SYS_getpid) },
        program: plan.program.as_raw_fd(),
        times: plan.times.as_ref().map(|(file, at)| (file.as_raw_fd(), i64::try_from(*at).unwrap_or(0))),
        arguments: arguments.leak().as_ptr(),
        environment: forever(plan.environment),
        digits,
        others: forever(plan.others),
        shells: forever(plan.shells),
    };
    // They stay open as long as the handlers know their numbers.
    std::mem::forget((plan.program, plan.times));
    ARMED.store(Box::into_raw(Box::new(armed)), Ordering::Release);
    let stack = libc::stack_t { ss_sp: STACK.0.get().cast(), ss_flags: 0, ss_size: STACK_BYTES };
    // SAFETY: the stack is static and used for nothing else; the old one is not asked for.
    if unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    SIGNALS.into_iter().try_for_each(handle)
}

/// Lets the handler run for one signal.
fn handle(signal: c_int) -> io::Result<()> {
    // SAFETY: all zero is a valid sigaction: default action, empty mask, no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_crash as extern "C" fn(c_int) as usize;
    // Not blocked meanwhile: the next program would inherit that, and the kernel ends a process whose mistake meets a blocked signal.
    action.sa_flags = libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: `action` is initialised and outlives the call; the handler keeps to what is allowed in one.
    let result = unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The next program needs this descriptor: all up to it are kept open over a crash.
pub fn keep_up_to(fd: RawFd) {
    HIGHEST.fetch_max(fd, Ordering::Relaxed);
}

/// When it crashed before, the newest first; zero for never.
#[must_use]
pub fn times(file: BorrowedFd<'_>, at: u64) -> [u64; TIMES] {
    read_times(file.as_raw_fd(), i64::try_from(at).unwrap_or(0))
}

/// How many of these crashes lie within the last minute.
#[must_use]
pub fn recent(times: [u64; TIMES]) -> usize {
    let now = boot_time();
    times.into_iter().filter(|&time| time > 0 && time <= now && now - time <= STORM_NS).count()
}

fn read_times(file: RawFd, at: i64) -> [u64; TIMES] {
    let mut times = [0_u64; TIMES];
    // SAFETY: the pointer is valid for the length given, and any bytes are numbers.
    unsafe { libc::pread64(file, times.as_mut_ptr().cast(), size_of::<[u64; TIMES]>(), at) };
    times
}

fn boot_time() -> u64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid; the clock exists since Linux 2.6.39.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut now) };
    #[allow(clippy::useless_conversion, clippy::unnecessary_fallible_conversions, reason = "other types elsewhere")]
    let (seconds, nanos) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos)
}

/// Runs on the crashed program's behalf, on its own stack. Makes system calls only.
extern "C" fn on_crash(signal: c_int) {
    let armed = ARMED.load(Ordering::Acquire);
    // SAFETY: null, or a plan that lives for ever and is not written to.
    let Some(armed) = (unsafe { armed.as_ref() }) else { return end(signal) };
    // SAFETY: no arguments.
    if unsafe { libc::syscall(libc::SYS_getpid) } != armed.pid {
        // A child that shares our memory on its way to another program: it just ends, and its parent sees that.
        // SAFETY: ends the process at once.
        unsafe { libc::_exit(127) };
    }
    let again = ENTERED.swap(true, Ordering::Relaxed);
    let is_storm = !again && note_time(armed) >= STORM;
    let tens = u8::try_from(signal / 10 % 10).unwrap_or(0);
    let ones = u8::try_from(signal % 10).unwrap_or(0);
    // SAFETY: the two digits of the last argument are ours for ever. The system calls take numbers and pointers that live for ever.
    unsafe {
        armed.digits.cast::<u8>().write(b'0' + tens);
        armed.digits.cast::<u8>().add(1).write(b'0' + ones);
        for fd in 3..=HIGHEST.load(Ordering::Relaxed) {
            libc::fcntl(fd, libc::F_SETFD, 0);
        }
        let nothing = c"".as_ptr();
        if !again && !is_storm {
            let (arguments, environment) = (armed.arguments, armed.environment);
            libc::syscall(libc::SYS_execveat, armed.program, nothing, arguments, environment, libc::AT_EMPTY_PATH);
        }
        if !is_storm {
            execute_one_of(armed.others, armed.arguments, armed.environment);
        }
        execute_one_of(armed.shells, ptr::null(), armed.environment);
    }
    end(signal);
}

/// Puts now in front of the times; returns how many of them lie within a minute.
fn note_time(armed: &Armed) -> usize {
    let Some((file, at)) = armed.times else { return 0 };
    let mut times = read_times(file, at);
    times.rotate_right(1);
    if let Some(first) = times.first_mut() {
        *first = boot_time();
    }
    // SAFETY: the pointer is valid for the length given.
    unsafe { libc::pwrite64(file, times.as_ptr().cast::<c_void>(), size_of::<[u64; TIMES]>(), at) };
    recent(times)
}

/// Executes the first of the programs that can be, with these arguments or none.
///
/// # Safety
/// All are arrays of pointers to strings, and end in null; `arguments` may be null itself.
unsafe fn execute_one_of(
    mut programs: *const *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) {
    // SAFETY: by the contract, each pointer up to the null is a string.
    unsafe {
        while !(*programs).is_null() {
            let alone = [*programs, ptr::null()];
            let arguments = if arguments.is_null() { alone.as_ptr() } else { arguments };
            libc::execve(*programs, arguments, environment);
            programs = programs.add(1);
        }
    }
}

/// Ends the process as if there were no handler.
fn end(signal: c_int) {
    // SAFETY: plain integers. Once the default action is back the signal that is sent ends the process, but PID 1 of a machine, for which the last call is.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
        libc::_exit(128 + signal);
    }
}
