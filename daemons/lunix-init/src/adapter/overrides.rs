//! The operator's word, kept in a file so that it outlives lunix-init, not the machine: one record for each service, written anew as a whole.

use super::Host;
use crate::supervisor::Override;
use init_control::{Record, Text, Writer};
use std::io;
use std::path::Path;

/// Most bytes read of the file.
const FILE_MAX: u64 = 1024 * 1024;

/// Reads the file; lines that make no sense are passed over, a missing file says nothing.
pub(crate) fn read(path: &Path) -> Vec<Override> {
    let is_small = std::fs::metadata(path).is_ok_and(|found| found.is_file() && found.len() <= FILE_MAX);
    let content = if is_small { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    content.split(|&byte| byte == b'\n').filter_map(parse).collect()
}

fn parse(line: &[u8]) -> Option<Override> {
    let record = Record::parse(line).ok().filter(|record| record.kind() == "override")?;
    let started = match record.get("override")?.word()? {
        "started" => true,
        "stopped" => false,
        _ => return None,
    };
    let name = record.get("name")?.word()?.to_owned();
    Some(Override { name, started, fingerprint: record.get("fingerprint").and_then(Text::number)? })
}

fn write(path: &Path, all: &[Override]) -> io::Result<()> {
    let mut content = Vec::new();
    for one in all {
        let mut buffer = [0; 512];
        let word: &[u8] = if one.started { b"started" } else { b"stopped" };
        let writer = Writer::new(&mut buffer, "override").field("name", one.name.as_bytes()).field("override", word);
        if let Ok(record) = writer.number("fingerprint", one.fingerprint).finish() {
            content.extend_from_slice(record);
            content.push(b'\n');
        }
    }
    let draft = path.with_extension("new");
    std::fs::write(&draft, content)?;
    std::fs::rename(&draft, path)
}

impl Host {
    /// Writes the operator's word down when it is another one than before.
    pub(crate) fn save_overrides(&mut self) {
        let Some(path) = &self.overrides else { return };
        let Some(all) = self.supervisor.changed_overrides() else { return };
        if let Err(error) = write(path, &all) {
            self.console
                .say(format_args!("warn: cannot write {}: {error}; it holds until lunix-init ends", path.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_rubbish_passed_over() {
        let path = std::env::temp_dir().join(format!("lunix-init-overrides-{}", std::process::id()));
        let all = [
            Override { name: "a b/log".to_owned(), started: true, fingerprint: u64::MAX },
            Override { name: "c".to_owned(), started: false, fingerprint: 0 },
        ];
        write(&path, &all).unwrap();
        let mut content = std::fs::read(&path).unwrap();
        assert_eq!(read(&path), all);
        content.extend_from_slice(b"override name=x\n\xff\noverride name=y override=danced fingerprint=1\n");
        std::fs::write(&path, content).unwrap();
        assert_eq!(read(&path), all);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path), []);
    }
}
