//! The operator's word as text: one record for each service, a line each.

use crate::supervisor::Override;
use init_control::{Record, Text, Writer};

/// Reads all records; lines that make no sense are passed over.
#[must_use]
pub fn read(content: &[u8]) -> Vec<Override> {
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

/// The whole text.
#[must_use]
pub fn write(all: &[Override]) -> Vec<u8> {
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
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_rubbish_passed_over() {
        let all = [
            Override { name: "a b/log".to_owned(), started: true, fingerprint: u64::MAX },
            Override { name: "c".to_owned(), started: false, fingerprint: 0 },
        ];
        let mut content = write(&all);
        assert_eq!(read(&content), all);
        content.extend_from_slice(b"override name=x\n\xff\noverride name=y override=danced fingerprint=1\n");
        assert_eq!(read(&content), all);
        assert_eq!(read(b""), []);
    }
}
