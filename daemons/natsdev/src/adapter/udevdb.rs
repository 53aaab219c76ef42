//! udevd's database, for what an unprivileged observer may not look at itself.

use crate::machine::Content;
use interfaces::hardware::Usage;
use std::path::Path;

/// What udevd knows to be on the block device with this number.
pub(super) fn content((major, minor): (u32, u32)) -> Option<Content> {
    let path = Path::new("/run/udev/data").join(format!("b{major}:{minor}"));
    parse(&std::fs::read_to_string(path).ok()?)
}

fn parse(text: &str) -> Option<Content> {
    let property = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix("E:")?.strip_prefix(key)?.strip_prefix('='))?;
        (!line.is_empty()).then(|| line.to_owned())
    };
    let kind = property("ID_FS_TYPE")?;
    let usage = match (property("ID_FS_USAGE").as_deref(), kind.as_str()) {
        (_, "swap") => Usage::Swap,
        (Some("crypto"), _) => Usage::Crypto,
        (Some("filesystem"), _) => Usage::Filesystem,
        (Some(_) | None, _) => return None,
    };
    let label = property("ID_FS_LABEL_ENC").map(|label| decoded(&label)).or_else(|| property("ID_FS_LABEL"));
    Some(Content { kind, usage, label, uuid: property("ID_FS_UUID") })
}

/// udevd writes bytes that are no plain text as `\x20`.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend_from_slice(before.as_bytes());
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match byte {
            Some(byte) => {
                bytes.push(byte);
                after.get(2..).unwrap_or_default()
            }
            None => {
                bytes.extend_from_slice(b"\\x");
                after
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_systems_swap_and_locked_volumes_are_read() {
        let text = "S:disk/by-uuid/x\nE:ID_FS_TYPE=vfat\nE:ID_FS_USAGE=filesystem\nE:ID_FS_LABEL=MY_STICK\n\
            E:ID_FS_LABEL_ENC=MY\\x20STICK\nE:ID_FS_UUID=DEAD-BEEF\nG:systemd\n";
        let content = parse(text).unwrap();
        assert_eq!((content.kind.as_str(), content.usage), ("vfat", Usage::Filesystem));
        assert_eq!((content.label.as_deref(), content.uuid.as_deref()), (Some("MY STICK"), Some("DEAD-BEEF")));
        assert_eq!(parse("E:ID_FS_TYPE=swap\nE:ID_FS_USAGE=other\n").unwrap().usage, Usage::Swap);
        assert_eq!(parse("E:ID_FS_TYPE=LVM2_member\nE:ID_FS_USAGE=raid\n"), None);
        assert_eq!(parse("E:ID_PART_TABLE_TYPE=gpt\n"), None);
        assert_eq!(decoded("a\\x41\\x"), "aA\\x");
    }
}
