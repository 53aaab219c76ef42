//! Programs of a few hundred bytes, so that what is measured is the supervisor: services that say that they run and then wait for ever,
//! and an init that does nothing but start them. Written here as machine code (x86-64), so that nothing has to be compiled.

/// Where the program lies in memory.
const BASE: u32 = 0x40_0000;
/// Bytes of the ELF header and the one program header.
const HEADERS: u32 = 64 + 56;

// Numbers of system calls (`arch/x86/entry/syscalls/syscall_64.tbl`).
const WRITE: u32 = 1;
const OPEN: u32 = 2;
const CLOSE: u32 = 3;
const PAUSE: u32 = 34;
const GETPID: u32 = 39;
const FORK: u32 = 57;
const EXECVE: u32 = 59;

/// A service that writes its process id (four bytes) to the file at `path`, then waits for ever.
pub fn announcer(path: &str) -> Vec<u8> {
    let mut code = Code::with_data(&[path.as_bytes(), b"\0"].concat());
    code.open(code.data);
    code.call(GETPID);
    code.bytes(&[0x50]); // push rax
    code.bytes(&[0x89, 0xdf]); // mov edi, ebx
    code.bytes(&[0x48, 0x89, 0xe6]); // mov rsi, rsp
    code.set(Register::Edx, 4);
    code.call(WRITE);
    code.close();
    code.wait_for_ever();
    code.program()
}

/// A service that writes `text` to the file at `path`, then waits for ever.
pub fn writer(path: &str, text: &str) -> Vec<u8> {
    let mut code = Code::with_data(&[path.as_bytes(), b"\0", text.as_bytes()].concat());
    code.open(code.data);
    code.bytes(&[0x89, 0xdf]); // mov edi, ebx
    code.set(Register::Esi, code.data + length(path.as_bytes()) + 1);
    code.set(Register::Edx, length(text.as_bytes()));
    code.call(WRITE);
    code.close();
    code.wait_for_ever();
    code.program()
}

/// An init that starts the program at `path` so many times and waits for ever.
pub fn null_init(path: &str, count: u32) -> Vec<u8> {
    // The array of arguments, its only entry pointing behind it.
    let first = u64::from(BASE + HEADERS + 16);
    let mut code = Code::with_data(&[&first.to_le_bytes()[..], &[0; 8], path.as_bytes(), b"\0"].concat());
    code.set(Register::Ebx, count);
    let again = code.bytes.len();
    code.call(FORK);
    code.bytes(&[0x85, 0xc0]); // test eax, eax
    code.bytes(&[0x74, 4 + WAIT_BYTES]); // jz child
    code.bytes(&[0xff, 0xcb]); // dec ebx
    code.jump_back(0x75, again); // jnz again
    code.wait_for_ever();
    code.set(Register::Edi, code.data + 16);
    code.set(Register::Esi, code.data);
    code.bytes(&[0x31, 0xd2]); // xor edx, edx
    code.call(EXECVE);
    code.program()
}

/// Bytes of [`Code::wait_for_ever`].
const WAIT_BYTES: u8 = 9;

/// A register; its value is the opcode that loads it with a number.
#[derive(Clone, Copy)]
enum Register {
    Eax = 0xb8,
    Edx = 0xba,
    Ebx = 0xbb,
    Esi = 0xbe,
    Edi = 0xbf,
}

/// Machine code behind its data.
struct Code {
    /// Where the data lies in memory.
    data: u32,
    /// Data, then code.
    bytes: Vec<u8>,
    entry: u32,
}

impl Code {
    fn with_data(data: &[u8]) -> Self {
        Self { data: BASE + HEADERS, bytes: data.to_vec(), entry: BASE + HEADERS + length(data) }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn set(&mut self, register: Register, value: u32) {
        self.bytes.push(register as u8);
        self.bytes(&value.to_le_bytes());
    }

    fn call(&mut self, number: u32) {
        self.set(Register::Eax, number);
        self.bytes(&[0x0f, 0x05]); // syscall
    }

    /// Opens the file at `path` for writing; its descriptor is in ebx afterwards.
    fn open(&mut self, path: u32) {
        self.set(Register::Edi, path);
        self.set(Register::Esi, 1);
        self.call(OPEN);
        self.bytes(&[0x89, 0xc3]); // mov ebx, eax
    }

    fn close(&mut self) {
        self.bytes(&[0x89, 0xdf]); // mov edi, ebx
        self.call(CLOSE);
    }

    fn wait_for_ever(&mut self) {
        let again = self.bytes.len();
        self.call(PAUSE);
        self.jump_back(0xeb, again);
    }

    /// A short jump to what lies before.
    fn jump_back(&mut self, opcode: u8, target: usize) {
        let distance = self.bytes.len() + 2 - target;
        self.bytes(&[opcode, u8::try_from(distance).map_or(0, u8::wrapping_neg)]);
    }

    /// The ELF file (`man 5 elf`).
    fn program(self) -> Vec<u8> {
        let size = u64::from(HEADERS) + self.bytes.len() as u64;
        let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        halves(&mut file, &[2, 62]); // executable, x86-64
        words(&mut file, &[1]);
        longs(&mut file, &[u64::from(self.entry), 64, 0]); // entry, program headers, no sections
        words(&mut file, &[0]);
        halves(&mut file, &[64, 56, 1, 64, 0, 0]);
        words(&mut file, &[1, 5]); // loaded, readable and executable
        longs(&mut file, &[0, u64::from(BASE), u64::from(BASE), size, size, 0x1000]);
        file.extend_from_slice(&self.bytes);
        file
    }
}

fn halves(file: &mut Vec<u8>, values: &[u16]) {
    values.iter().for_each(|value| file.extend_from_slice(&value.to_le_bytes()));
}

fn words(file: &mut Vec<u8>, values: &[u32]) {
    values.iter().for_each(|value| file.extend_from_slice(&value.to_le_bytes()));
}

fn longs(file: &mut Vec<u8>, values: &[u64]) {
    values.iter().for_each(|value| file.extend_from_slice(&value.to_le_bytes()));
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    fn run(name: &str, program: impl FnOnce(&str) -> Vec<u8>) -> (u32, Vec<u8>) {
        let folder = testkit::TempDir::new("program").unwrap();
        let (pipe, file) = (folder.join("pipe").display().to_string(), folder.join(name));
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::write(&file, program(&pipe)).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = Command::new(&file).spawn().unwrap();
        let mut said = Vec::new();
        std::fs::File::open(&pipe).unwrap().read_to_end(&mut said).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "it waits for ever");
        let pid = child.id();
        child.kill().unwrap();
        child.wait().unwrap();
        (pid, said)
    }

    #[test]
    fn a_service_says_who_it_is_or_what_it_was_told_to_say() {
        let (pid, said) = run("announcer", announcer);
        assert_eq!(said, pid.to_le_bytes());
        let (_, said) = run("writer", |pipe| writer(pipe, "here\n"));
        assert_eq!(said, b"here\n");
    }

    #[test]
    fn the_null_init_starts_as_many_as_asked_for() {
        let program = null_init("/bin/true", 20);
        assert_eq!(program.get(64 + 56 + 16..64 + 56 + 25), Some(&b"/bin/true"[..]));
    }
}
