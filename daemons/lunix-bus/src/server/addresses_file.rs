//! The addresses of a host to listen on, in a build without DNS: what `/etc/hosts` says (`man 5 hosts`).
//!
//! ```text
//! line = address 1*blank name *(1*blank name) ["#" *any]
//! ```

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// All addresses of `host`, an address itself or a name. `localhost` needs no file.
pub(super) fn of(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let at = |address| SocketAddr::new(address, port);
    if let Ok(address) = host.parse() {
        return Ok(vec![at(address)]);
    }
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut found: Vec<SocketAddr> = named(&hosts, host).map(at).collect();
    if found.is_empty() && host.eq_ignore_ascii_case("localhost") {
        found.push(at(Ipv4Addr::LOCALHOST.into()));
    }
    if found.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "not in /etc/hosts, and built without the feature dns"));
    }
    Ok(found)
}

fn named<'a>(hosts: &'a str, host: &'a str) -> impl Iterator<Item = IpAddr> + 'a {
    hosts.lines().filter_map(move |line| {
        let mut words = line.split('#').next()?.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_the_file() {
        let hosts = "127.0.0.1 localhost me # you\n# 10.0.0.1 me\n\n::1\tLOCALHOST\nodd me\n";
        let all = |host| named(hosts, host).map(|address| address.to_string()).collect::<Vec<_>>();
        assert_eq!(all("localhost"), ["127.0.0.1", "::1"]);
        assert_eq!(all("Me"), ["127.0.0.1"]);
        assert!(all("you").is_empty() && all("127.0.0.1").is_empty());
    }

    #[test]
    fn addresses_need_no_file() {
        assert_eq!(of("::1", 5).unwrap(), ["[::1]:5".parse().unwrap()]);
        assert!(!of("localhost", 5).unwrap().is_empty());
        assert!(of("no.such.host.invalid", 5).is_err());
    }
}
