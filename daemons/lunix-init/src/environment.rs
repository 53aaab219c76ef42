//! The environment of services: init's own, changed by the files in `env/` (as of s6-envdir).

use crate::directory::folder::Folder;
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStringExt;

/// Where programs are found when the kernel said nothing.
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Most bytes of one variable.
const VALUE_MAX: usize = 64 * 1024;

/// This process's environment, as `NAME=value` each, with a PATH.
#[must_use]
pub fn own() -> Vec<CString> {
    let mut all: Vec<CString> = std::env::vars_os()
        .filter_map(|(name, value)| {
            let mut pair = name.into_vec();
            pair.push(b'=');
            pair.extend(value.into_vec());
            CString::new(pair).ok()
        })
        .collect();
    if !all.iter().any(|pair| pair.as_bytes().starts_with(b"PATH=")) {
        all.extend(CString::new(PATH));
    }
    all
}

/// Sets `name` to `value`; without a value, removes it.
pub fn set(environment: &mut Vec<CString>, name: &[u8], value: Option<&[u8]>) {
    environment.retain(|pair| pair.as_bytes().strip_prefix(name).is_none_or(|rest| rest.first() != Some(&b'=')));
    if let Some(value) = value {
        environment.extend(CString::new([name, b"=", value].concat()));
    }
}

/// Applies `env/` of a service, when there is one.
///
/// # Errors
/// When a file in it cannot be read.
pub fn apply(environment: &mut Vec<CString>, service: &Folder) -> io::Result<()> {
    match service.enter("env")? {
        Some(folder) => apply_folder(environment, &folder),
        None => Ok(()),
    }
}

/// Sets INSTANCE, and applies the folder of the instance's name in `instances/` when there is one.
///
/// # Errors
/// When a file in it cannot be read.
pub fn apply_instance(environment: &mut Vec<CString>, service: &Folder, instance: &str) -> io::Result<()> {
    set(environment, b"INSTANCE", Some(instance.as_bytes()));
    let Some(instances) = service.enter("instances")? else { return Ok(()) };
    match instances.enter(instance) {
        Ok(Some(folder)) => apply_folder(environment, &folder),
        Ok(None) => Ok(()),
        // An instance without variables is a plain file.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(()),
        Err(error) => Err(error),
    }
}

fn apply_folder(environment: &mut Vec<CString>, folder: &Folder) -> io::Result<()> {
    for name in folder.names()?.iter() {
        let Ok(text) = name.to_str() else { continue };
        if let Some(content) = folder.read(text, VALUE_MAX)? {
            let value = value(content);
            set(environment, name.to_bytes(), value.as_deref());
        }
    }
    Ok(())
}

/// The first line without blanks at its end, with a NUL meaning a line end; `None` for an empty file: remove the variable.
fn value(content: Vec<u8>) -> Option<Vec<u8>> {
    if content.is_empty() {
        return None;
    }
    let line = content.split(|&byte| byte == b'\n').next().unwrap_or_default();
    Some(line.trim_ascii_end().iter().map(|&byte| if byte == 0 { b'\n' } else { byte }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_first_lines() {
        assert_eq!(value(b"".to_vec()), None);
        assert_eq!(value(b"\n".to_vec()), Some(b"".to_vec()));
        assert_eq!(value(b"a b \t\nsecond".to_vec()), Some(b"a b".to_vec()));
        assert_eq!(value(b"a\0b".to_vec()), Some(b"a\nb".to_vec()));
    }

    #[test]
    fn a_name_is_replaced_not_its_longer_neighbour() {
        let mut environment = vec![c"PATHS=x".to_owned(), c"PATH=y".to_owned()];
        set(&mut environment, b"PATH", Some(b"z"));
        assert_eq!(environment, [c"PATHS=x".to_owned(), c"PATH=z".to_owned()]);
        set(&mut environment, b"PATHS", None);
        assert_eq!(environment, [c"PATH=z".to_owned()]);
    }
}
