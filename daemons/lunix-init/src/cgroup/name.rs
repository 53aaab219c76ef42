//! The name of a service's cgroup.

/// The directory of a service's cgroup: its name, with every byte but letters, digits, `-`, `_`, `@`, `:` and `+` as `%` and two hex digits. So
/// no two services share one, none lies within another's (`NAME/log`), and none is taken for a file of the kernel, which all have dots.
#[must_use]
pub fn of(service: &str) -> String {
    let mut name = String::with_capacity(service.len());
    for byte in service.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_@:+".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push('%');
            for digit in [byte >> 4, byte & 15] {
                name.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services_are_names_of_cgroups() {
        for (service, cgroup) in [
            ("sshd", "sshd"),
            ("getty@tty1", "getty@tty1"),
            ("web/log", "web%2flog"),
            ("cgroup.procs", "cgroup%2eprocs"),
            ("100% ä", "100%25%20%c3%a4"),
            ("..", "%2e%2e"),
        ] {
            assert_eq!(of(service), cgroup);
        }
    }
}
