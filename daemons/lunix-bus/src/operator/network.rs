//! Networks that users may connect from.

use std::net::IpAddr;

/// A network, such as `10.0.0.0/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// Bits of the address, from the left; an IPv4 address has 32 of them.
    bits: u128,
    prefix: u32,
    is_v4: bool,
}

impl Network {
    /// Reads address, slash and length of the prefix.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        let digits = !prefix.is_empty() && prefix.len() <= 3 && prefix.bytes().all(|byte| byte.is_ascii_digit());
        let prefix = prefix.parse().ok().filter(|_| digits)?;
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        (prefix <= most).then(|| Self { bits: left(address), prefix, is_v4: address.is_ipv4() })
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = left(address) ^ self.bits;
        address.is_ipv4() == self.is_v4 && differing.leading_zeros() >= self.prefix
    }
}

fn left(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_and_outside() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.9.9.9/8", "10.255.0.1", "9.255.255.255"),
            ("192.168.1.1/32", "192.168.1.1", "192.168.1.2"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::"),
            ("::/0", "2001:db9::", "10.0.0.1"),
            ("0.0.0.0/0", "::ffff:10.0.0.1", "::1"),
        ] {
            let read = Network::parse(network).unwrap();
            assert!(read.contains(inside.parse().unwrap()), "{network} {inside}");
            assert!(!read.contains(outside.parse().unwrap()), "{network} {outside}");
        }
    }

    #[test]
    fn what_is_no_network() {
        for text in
            ["", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "x/8", "10.0.0.0/+8", "10.0.0.0/-1"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
