//! `hostname`: the machine's name, from the first line of /etc/hostname that is no comment (`man 5 hostname`).

use crate::Job;
use program::{Fatal, exit};

/// Most bytes of a name (`man 2 sethostname`).
pub const NAME_MAX: usize = 64;

/// Gives the kernel the name; a machine without the file keeps the kernel's.
///
/// # Errors
/// When the file cannot be read, holds no name, or the kernel refuses.
pub fn run(job: &Job) -> Result<u8, Fatal> {
    let path = job.path("/etc/hostname");
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(exit::OK),
        Err(error) => return Err(Fatal::system(&format!("cannot read {}", path.display()), error)),
    };
    let name = name(&text)
        .map_err(|(line, sentence)| Fatal::new(exit::CONFIG, format!("{}:{line}: {sentence}", path.display())))?;
    if job.check {
        return job.print(format_args!("name the machine {name}")).map(|()| exit::OK);
    }
    rustix::system::sethostname(name.as_bytes()).map_err(|errno| Fatal::system("cannot set the host name", errno))?;
    Ok(exit::OK)
}

/// The name in the text, or the line and what was expected there.
///
/// # Errors
/// When there is none, or what no host can be called.
pub fn name(text: &[u8]) -> Result<&str, (usize, String)> {
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).zip(1..);
    let found = lines.find(|(line, _)| !line.is_empty() && !line.starts_with(b"#"));
    let Some((line, number)) = found else { return Err((1, "expected a name".to_owned())) };
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    match std::str::from_utf8(line) {
        Ok(name) if name.len() <= NAME_MAX && line.iter().all(is_good) && !name.starts_with(['-', '.']) => Ok(name),
        Ok(_) | Err(_) => Err((
            number,
            format!(
                "expected at most {NAME_MAX} letters, digits, dashes and dots, found {:?}",
                line.escape_ascii().to_string()
            ),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_is_no_comment_is_the_name() {
        assert_eq!(name(b"lunix\n"), Ok("lunix"));
        assert_eq!(name(b"# ours\n\n  my-box.example.org \nother\n"), Ok("my-box.example.org"));
        assert_eq!(name(b"\n# no\n").unwrap_err(), (1, "expected a name".to_owned()));
        for bad in [&b"\n-x\n"[..], b"#\na b", b"\n\xff", b"\nx/y", &[b"\n".to_vec(), vec![b'a'; 65]].concat()] {
            assert_eq!(name(bad).unwrap_err().0, 2, "{}", bad.escape_ascii());
        }
        assert_eq!(name(&[b'a'; 64]).unwrap().len(), 64);
    }
}
