//! The parser's proofs: a table, every cut, a regular-expression engine as oracle, and the way back through the encoder.

use proto_uevent::{Action, Encoder, Error, Interface, Message, Properties, Scanner, Shape, UsbProduct, udev};

const STICK: &[u8] = b"add@/devices/pci0000:00/0000:00:01.0/usb2/2-1\0ACTION=add\0DEVPATH=/devices/pci0000:00/0000:00:01.0/usb2/2-1\0SUBSYSTEM=usb\0MAJOR=189\0MINOR=129\0DEVNAME=bus/usb/002/002\0DEVTYPE=usb_device\0PRODUCT=46f4/1/0\0TYPE=0/0/0\0BUSNUM=002\0DEVNUM=002\0SEQNUM=671\0";
const INPUT: &[u8] =
    b"add@/devices/input/input3\0SUBSYSTEM=input\0PRODUCT=3/627/1/111\0NAME=\"QEMU USB Keyboard\"\0KEY=1000000000007 ff9f\0";

#[test]
fn a_stick_is_read_with_types() {
    let Message::Kernel(event) = Message::parse(STICK).unwrap() else { panic!("kernel's") };
    let properties = event.properties;
    assert_eq!((event.action, event.devpath), (Action::Add, &b"/devices/pci0000:00/0000:00:01.0/usb2/2-1"[..]));
    assert_eq!(properties.subsystem(), Some("usb"));
    assert_eq!(properties.devtype(), Some("usb_device"));
    assert_eq!(properties.devname(), Some("bus/usb/002/002"));
    assert_eq!(properties.device_number(), Some((189, 129)));
    assert_eq!(properties.usb_product(), Some(UsbProduct { vendor: 0x46f4, product: 1, revision: 0 }));
    assert_eq!(properties.seqnum(), Some(671));
    assert_eq!((properties.driver(), properties.modalias(), properties.diskseq()), (None, None, None));
    assert_eq!(properties.iter().count(), 12);
}

#[test]
fn other_values_are_typed_or_absent() {
    let of = |bytes| Properties::parse(bytes).unwrap();
    assert_eq!(of(b"INTERFACE=8/6/80\0").interface(), Some(Interface { class: 8, subclass: 6, protocol: 80 }));
    assert_eq!(of(b"INTERFACE=8/6\0").interface(), None);
    assert_eq!(of(b"INTERFACE=8/6/256\0").interface(), None);
    assert_eq!(of(b"INTERFACE=8/6/80/1\0").interface(), None);
    assert_eq!(of(b"PRODUCT=3/627/1/111\0").usb_product(), None);
    assert_eq!(of(b"PRODUCT=10000/0/0\0").usb_product(), None);
    assert_eq!(of(b"PRODUCT=//\0").usb_product(), None);
    assert_eq!(of(b"SEQNUM=+1\0").seqnum(), None);
    assert_eq!(of(b"SEQNUM=18446744073709551616\0").seqnum(), None);
    assert_eq!(of(b"DISKSEQ=18446744073709551615\0").diskseq(), Some(u64::MAX));
    assert_eq!(of(b"DEVNAME=/dev/sda\0").devname(), Some("sda"));
    assert_eq!(of(b"A=1\0A=2\0").text("A"), Some("2"));
    assert_eq!(of(b"A=\xff\0").text("A"), None);
    assert_eq!(of(b"A=\xff\0").get("A"), Some(&b"\xff"[..]));
    assert_eq!(of(b"A=b=c\0").text("A"), Some("b=c"));
}

#[test]
fn a_sysfs_file_is_read_with_or_without_its_last_line_feed() {
    for text in ["MAJOR=8\nMINOR=1\nDEVNAME=sda1\n", "MAJOR=8\nMINOR=1\nDEVNAME=sda1"] {
        let properties = Properties::parse_file(text.as_bytes()).unwrap();
        assert_eq!(properties.device_number(), Some((8, 1)));
        assert_eq!(properties.devname(), Some("sda1"));
    }
    assert_eq!(Properties::parse_file(b"").unwrap().iter().count(), 0);
    assert_eq!(Properties::parse_file(b"A=\0\n").unwrap_err().offset, 2);
    assert_eq!(Properties::parse_file(b"\n").unwrap_err().offset, 0);
}

#[test]
fn bad_messages_are_refused_where_they_break() {
    let table: [(&[u8], &str); 13] = [
        (b"", "byte 0: expected action@devpath"),
        (b"add", "byte 3: expected action@devpath"),
        (b"@/x\0", "byte 0: expected action@devpath"),
        (b"ADD@/x\0", "byte 0: expected action@devpath"),
        (b"add@x\0", "byte 4: expected /"),
        (b"add@", "byte 4: expected devpath"),
        (b"add@/x", "byte 6: expected NUL"),
        (b"explode@/x\0", "unknown action"),
        (b"add@/x\0KEY", "byte 10: expected ="),
        (b"add@/x\0KEY=value", "byte 16: expected NUL"),
        (b"add@/x\0=value\0", "byte 7: expected KEY=value"),
        (b"add@/x\0K Y=value\0", "byte 8: expected KEY=value"),
        (b"add@/x\0\0", "byte 7: expected KEY=value"),
    ];
    for (bytes, said) in table {
        assert_eq!(Message::parse(bytes).unwrap_err().to_string(), said, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_rebroadcast_is_read_and_a_broken_header_refused() {
    let mut buffer = [0; 512];
    let mut encoder = Encoder::udev(&mut buffer);
    encoder.property(b"ACTION", b"add").property(b"DEVPATH", b"/devices/block/sda");
    encoder.property(b"SUBSYSTEM", b"block").property(b"DEVNAME", b"/dev/sda").property(b"ID_FS_TYPE", b"vfat");
    let bytes = encoder.finish_udev(b"block", Some(b"disk"), udev::bloom(b"systemd")).unwrap();
    let Message::Udev(event) = Message::parse(bytes).unwrap() else { panic!("udevd's") };
    assert_eq!((event.action, event.devpath), (Action::Add, &b"/devices/block/sda"[..]));
    assert_eq!((event.properties.devname(), event.properties.text("ID_FS_TYPE")), (Some("sda"), Some("vfat")));
    for cut in 0..bytes.len() {
        assert!(Message::parse(bytes.get(..cut).unwrap()).is_err(), "cut at {cut}");
    }
    let with = |at: usize, byte: u8| {
        let mut broken = bytes.to_vec();
        *broken.get_mut(at).unwrap() = byte;
        Message::parse(&broken).unwrap_err().to_string()
    };
    assert_eq!(with(8, 0), "libudev header: wrong magic");
    assert_eq!(with(16, 39), "libudev header: properties inside the header");
    assert_eq!(with(23, 255), "libudev header: properties beyond the message");
    let mut short = [0; 64];
    let mut encoder = Encoder::udev(&mut short);
    encoder.property(b"ACTION", b"add");
    let bytes = encoder.finish_udev(b"", None, 0).unwrap();
    assert_eq!(Message::parse(bytes), Err(Error::Missing("DEVPATH")));
}

#[test]
fn hashes_are_those_of_libudev() {
    // Values of MurmurHash2(text, seed 0), computed with another implementation.
    let table: [(&[u8], u32); 5] = [
        (b"usb", 0x0577_c5e5),
        (b"block", 0xf003_1db7),
        (b"usb_device", 0x27f8_f50c),
        (b"seat", 0x435b_3e40),
        (b"input", 0xc1a2_8470),
    ];
    for (text, hash) in table {
        assert_eq!(udev::hash(text), hash, "{}", text.escape_ascii());
    }
    assert_eq!(udev::bloom(b"seat"), 0x0208_0000_0040_0001);
}

#[test]
fn every_cut_gives_the_same_result() {
    let messages: [&[u8]; 5] = [STICK, INPUT, b"add@/x\0K Y=v\0", b"add@/x", b"change@/a@b\0X==\0"];
    for bytes in messages {
        let scan = |pieces: [&[u8]; 3]| {
            let mut scanner = Scanner::new(Shape::Datagram);
            pieces.into_iter().try_for_each(|piece| scanner.feed(piece)).and_then(|()| scanner.finish())
        };
        let whole = scan([bytes, b"", b""]);
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces =
                    [bytes.get(..first).unwrap(), bytes.get(first..second).unwrap(), bytes.get(second..).unwrap()];
                assert_eq!(scan(pieces), whole, "cut at {first} and {second}");
            }
        }
    }
}

#[test]
fn a_regular_expression_agrees_on_every_mutation() {
    let grammar = regex::bytes::Regex::new(r"(?s-u)\A[a-z]+@/[^\x00]*\x00([!-<>-~]+=[^\x00]*\x00)*\z").unwrap();
    let mut compared = 0;
    for seed in [STICK, INPUT, &b"add@/x\0A=b\0"[..]] {
        for at in 0..seed.len() {
            for byte in [0, b'\n', b' ', b'=', b'@', b'/', b'A', b'a', 0xff] {
                let mut bytes = seed.to_vec();
                *bytes.get_mut(at).unwrap() = byte;
                let mut scanner = Scanner::new(Shape::Datagram);
                let ours = scanner.feed(&bytes).and_then(|()| scanner.finish()).is_ok();
                assert_eq!(ours, grammar.is_match(&bytes), "{}", bytes.escape_ascii());
                compared += 1;
            }
        }
    }
    assert!(compared > 2000);
}

#[test]
fn what_was_encoded_is_parsed_back() {
    let mut buffer = [0; 512];
    for action in Action::ALL {
        let mut encoder = Encoder::kernel(&mut buffer, action, b"/devices/x");
        encoder.property(b"SEQNUM", b"7").property(b"NAME", b"\"a b\"");
        let message = Message::parse(encoder.finish().unwrap()).unwrap();
        let event = message.event();
        assert_eq!((event.action, event.devpath, event.properties.seqnum()), (action, &b"/devices/x"[..], Some(7)));
        assert_eq!(Action::from_bytes(action.to_string().as_bytes()), Some(action));
    }
    let mut small = [0; 8];
    assert!(Encoder::kernel(&mut small, Action::Add, b"/devices/x").finish().is_none());
}
