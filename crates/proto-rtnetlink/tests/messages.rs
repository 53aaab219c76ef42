//! Messages as the kernel writes them, whole, cut and damaged.
#![expect(clippy::unwrap_used, reason = "a test")]

use proto_rtnetlink::{Attributes, Change, Dump, Fault, Messages, News, Outcome};
use std::net::IpAddr;

/// A message: header, fixed part, attributes.
fn message(kind: u16, flags: u16, fixed: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = fixed.to_vec();
    for (kind, value) in attributes {
        body.extend(u16::try_from(value.len() + 4).unwrap().to_ne_bytes());
        body.extend(kind.to_ne_bytes());
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    let mut bytes = u32::try_from(body.len() + 16).unwrap().to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

fn link_fixed(family: u8, index: u32, flags: u32) -> Vec<u8> {
    let mut fixed = vec![family, 0];
    fixed.extend(1_u16.to_ne_bytes());
    fixed.extend(index.to_ne_bytes());
    fixed.extend(flags.to_ne_bytes());
    fixed.extend([0; 4]);
    fixed
}

fn change(bytes: &[u8]) -> Change<'_> {
    Messages::new(bytes).next().unwrap().unwrap().change().unwrap()
}

#[test]
fn a_link_with_everything() {
    let kind = message(0, 0, &[], &[(1, b"veth\0")]).split_off(16);
    let attributes: [(u16, &[u8]); 6] = [
        (3, b"eth0\0"),
        (1, &[0x52, 0x54, 0, 0x12, 0x34, 0x56]),
        (4, &1500_u32.to_ne_bytes()),
        (10, &9_u32.to_ne_bytes()),
        (18 | 0x8000, &kind),
        (999, b"what nobody knows"),
    ];
    let bytes = message(16, 0, &link_fixed(0, 7, 0x1_1043), &attributes);
    let Change::New(News::Link(link)) = change(&bytes) else { panic!("{:?}", change(&bytes)) };
    assert_eq!((link.index, link.name, link.mtu, link.master), (7, &b"eth0"[..], Some(1500), Some(9)));
    assert_eq!((link.kind, link.address.map(<[u8]>::len)), (Some(&b"veth"[..]), Some(6)));
    assert!(link.is_enabled() && link.is_running());
}

#[test]
fn running_takes_three_flags() {
    let table = [(0x1_0041, true), (0x1_0001, false), (0x41, false), (0x1_0040, false), (0x1, false), (0, false)];
    for (flags, running) in table {
        let bytes = message(17, 0, &link_fixed(0, 1, flags), &[(3, b"a\0")]);
        let Change::Gone(News::Link(link)) = change(&bytes) else { panic!("{flags:#x}") };
        assert_eq!((link.is_running(), link.is_enabled()), (running, flags & 1 == 1), "{flags:#x}");
    }
}

#[test]
fn addresses() {
    let v4 = |attributes: &[(u16, &[u8])]| message(20, 0, &[2, 24, 0x80, 0, 3, 0, 0, 0], attributes);
    let read = |bytes: &[u8]| {
        let Change::New(News::Address(address)) = change(bytes) else { panic!("{:?}", change(bytes)) };
        address
    };
    let plain = read(&v4(&[(1, &[192, 0, 2, 17]), (2, &[192, 0, 2, 17])]));
    assert_eq!((plain.local, plain.peer, plain.prefix_len), (IpAddr::from([192, 0, 2, 17]), None, 24));
    let ends = read(&v4(&[(1, &[10, 0, 0, 2]), (2, &[10, 0, 0, 1])]));
    assert_eq!((ends.local, ends.peer), (IpAddr::from([10, 0, 0, 1]), Some(IpAddr::from([10, 0, 0, 2]))));
    assert!(Messages::new(&v4(&[(1, &[10, 0, 0])])).next().unwrap().unwrap().change().is_none());
    let table = [(0x80_u32, true), (0xc0, false), (0xc4, true), (0x88, false), (0x08, false)];
    for (flags, usable) in table {
        let flags_long = flags.to_ne_bytes();
        let bytes = message(20, 0, &[10, 64, 0x40, 253, 3, 0, 0, 0], &[(1, &[0xfe; 16]), (8, &flags_long)]);
        let address = read(&bytes);
        assert_eq!((address.is_usable(), address.scope, address.flags), (usable, 253, flags), "{flags:#x}");
    }
}

#[test]
fn routes() {
    let read = |bytes: &[u8]| {
        let Change::New(News::Route(route)) = change(bytes) else { panic!("{:?}", change(bytes)) };
        route
    };
    let fixed = |destination, table, kind| [2, destination, 0, 0, table, 16, 0, kind, 0, 0, 0, 0];
    let hop: [(u16, &[u8]); 3] = [(4, &[2, 0, 0, 0]), (5, &[192, 0, 2, 1]), (6, &[100, 0, 0, 0])];
    let bytes = message(24, 0x100, &fixed(0, 254, 1), &hop);
    let route = read(&bytes);
    assert!(route.is_default() && Messages::new(&bytes).next().unwrap().unwrap().replaces());
    assert_eq!((route.interface.is_some(), route.gateway), (true, Some(IpAddr::from([192, 0, 2, 1]))));
    for (destination, table, kind) in [(24, 254, 1), (0, 255, 1), (0, 254, 7)] {
        assert!(!read(&message(24, 0, &fixed(destination, table, kind), &hop)).is_default());
    }
    // The table's number does not fit in the fixed part.
    let other: [(u16, &[u8]); 1] = [(15, &1000_u32.to_ne_bytes())];
    assert!(!read(&message(24, 0, &fixed(0, 254, 1), &other)).is_default());
    // Several ways: the first one counts.
    let mut hops = vec![16, 0, 0, 0];
    hops.extend(5_u32.to_ne_bytes());
    hops.extend([8, 0, 5, 0, 10, 0, 0, 1]);
    hops.extend([8, 0, 0, 0, 6, 0, 0, 0]);
    if cfg!(target_endian = "little") {
        let route = read(&message(24, 0, &fixed(0, 254, 1), &[(9, &hops)]));
        assert_eq!((route.interface, route.gateway), (Some(5), Some(IpAddr::from([10, 0, 0, 1]))));
    }
}

#[test]
fn neighbours() {
    let mut fixed = vec![2, 0, 0, 0];
    fixed.extend(3_u32.to_ne_bytes());
    fixed.extend(2_u16.to_ne_bytes());
    fixed.extend([0, 1]);
    let bytes = message(28, 0, &fixed, &[(1, &[192, 0, 2, 1]), (2, &[2, 0, 0, 0, 0, 1])]);
    let Change::New(News::Neighbour(neighbour)) = change(&bytes) else { panic!() };
    assert_eq!((neighbour.index, neighbour.is_known(), neighbour.link_address.is_some()), (3, true, true));
}

#[test]
fn how_answers_end() {
    let end = |kind, payload: &[u8]| Messages::new(&message(kind, 0, payload, &[])).next().unwrap().unwrap().outcome();
    assert_eq!(end(3, &[0; 4]), Some(Outcome::Done));
    assert_eq!(end(2, &(-19_i32).to_ne_bytes()), Some(Outcome::Refused(19)));
    assert_eq!((end(2, &[0; 4]), end(2, &[])), (Some(Outcome::Refused(0)), None));
    assert_eq!((end(4, &[]), end(16, &[0; 16])), (Some(Outcome::Overrun), None));
}

#[test]
fn what_is_cut_short_or_damaged_is_told_and_ends_it() {
    let bytes = [message(16, 0, &link_fixed(0, 1, 0), &[(3, b"a\0")]), message(3, 0, &[0; 4], &[])].concat();
    assert_eq!(Messages::new(&bytes).filter(Result::is_ok).count(), 2);
    for len in 1..bytes.len() {
        let read: Vec<_> = Messages::new(&bytes[..len]).collect();
        let whole = read.iter().filter(|message| message.is_ok()).count();
        assert!(whole <= 1 && read.len() <= 2, "{len}");
        assert!(read.last().unwrap() == &Err(Fault::Truncated) || len == 40, "{len}: {read:?}");
    }
    let mut short = bytes;
    short[..4].copy_from_slice(&15_u32.to_ne_bytes());
    assert_eq!(Messages::new(&short).collect::<Vec<_>>(), [Err(Fault::Length(15))]);
    // An attribute that claims more than there is, or less than its own header, ends the attributes.
    for len in [3_u16, 0, 9, u16::MAX] {
        let mut attribute = len.to_ne_bytes().to_vec();
        attribute.extend([1, 0, b'x', b'y', b'z', 0]);
        assert_eq!(Attributes::new(&attribute).count(), 0, "{len}");
    }
}

#[test]
fn requests_are_what_the_kernel_reads() {
    let request = Dump::Routes.request(7);
    let message = Messages::new(&request).next().unwrap().unwrap();
    assert_eq!((message.kind, message.flags, message.sequence, message.payload.len()), (26, 0x301, 7, 16));
}
