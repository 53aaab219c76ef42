//! Names of settings and the files that they are: `net.ipv4.ip_forward`, `net/ipv4/conf/eth0.1/forwarding`, `net.ipv4.conf.*.forwarding`.

use std::path::Path;

/// Most settings that one pattern means.
const KEYS_MAX: usize = 4096;

/// The path below /proc/sys. The first separator of a key tells which one it uses: with a dot, a slash in a name stands for a dot; with a
/// slash dots are themselves. `None` for what leads elsewhere.
#[must_use]
pub fn path(key: &str) -> Option<String> {
    let path: String = match key.find(['.', '/']).and_then(|at| key.as_bytes().get(at)) {
        Some(b'.') => key.chars().map(swapped).collect(),
        Some(_) | None => key.to_owned(),
    };
    let is_name = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains('\0');
    path.split('/').all(is_name).then_some(path)
}

const fn swapped(letter: char) -> char {
    match letter {
        '.' => '/',
        '/' => '.',
        other => other,
    }
}

/// True when it means whatever matches.
#[must_use]
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The paths below `base` that match, in order. A star does not reach over a slash.
#[must_use]
pub fn expand(base: &Path, pattern: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    for part in pattern.split('/') {
        let mut next = Vec::new();
        for folder in &found {
            let join = |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            if !is_pattern(part) {
                next.push(join(part));
                continue;
            }
            let entries = std::fs::read_dir(base.join(folder)).into_iter().flatten().flatten();
            let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
            next.extend(names.filter(|name| modules::matches(part, name)).map(|name| join(&name)));
        }
        next.sort();
        next.truncate(KEYS_MAX);
        found = next;
    }
    found.retain(|path| base.join(path).exists());
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_separator_counts() {
        for (key, expected) in [
            ("kernel.hostname", Some("kernel/hostname")),
            ("net.ipv4.conf.eth0/1.x", Some("net/ipv4/conf/eth0.1/x")),
            ("net/ipv4/conf/eth0.1/x", Some("net/ipv4/conf/eth0.1/x")),
            ("plain", Some("plain")),
            ("../x", None),
            ("a//b", None),
            ("a..b", None),
            ("/a", None),
            (".a", None),
            ("", None),
            ("a.//.b", None),
        ] {
            assert_eq!(path(key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn a_star_stays_within_a_folder() {
        let found = expand(Path::new("/proc/sys"), "net/ipv4/conf/*/forwarding");
        assert!(found.contains(&"net/ipv4/conf/all/forwarding".to_owned()), "{found:?}");
        assert!(expand(Path::new("/proc/sys"), "*/forwarding").is_empty());
    }
}
