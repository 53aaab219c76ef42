//! KEY=value lists and the values natsdev understands.

use crate::scan::{Fault, Scanner, Shape};
use core::str::from_utf8;

/// A list of `KEY=value`, checked once and read in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Properties<'a> {
    bytes: &'a [u8],
    separator: u8,
}

/// Identity of a USB device: `PRODUCT` without its padding zeros given back (`man 7 udev` knows it as idVendor, idProduct, bcdDevice).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsbProduct {
    /// idVendor.
    pub vendor: u16,
    /// idProduct.
    pub product: u16,
    /// bcdDevice, the maker's revision.
    pub revision: u16,
}

/// Class of a USB interface: `INTERFACE=8/6/80`, decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// bInterfaceClass; 8 is mass storage, 3 human interface, 9 hub.
    pub class: u8,
    /// bInterfaceSubClass.
    pub subclass: u8,
    /// bInterfaceProtocol.
    pub protocol: u8,
}

impl<'a> Properties<'a> {
    /// No properties at all.
    pub const EMPTY: Self = Self { bytes: b"", separator: 0 };

    /// Reads the contents of a sysfs `uevent` file: one `KEY=value` per line.
    ///
    /// # Errors
    /// The first byte that breaks the grammar.
    pub fn parse_file(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::checked(bytes, Shape::File, b'\n')
    }

    /// Reads properties that are each ended by NUL.
    ///
    /// # Errors
    /// The first byte that breaks the grammar.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::checked(bytes, Shape::Properties, 0)
    }

    fn checked(bytes: &'a [u8], shape: Shape, separator: u8) -> Result<Self, Fault> {
        let mut scanner = Scanner::new(shape);
        scanner.feed(bytes)?;
        scanner.finish()?;
        Ok(Self { bytes, separator })
    }

    /// Wraps bytes that the datagram scanner accepted already.
    pub(crate) const fn from_checked(bytes: &'a [u8]) -> Self {
        Self { bytes, separator: 0 }
    }

    /// Every pair, in order; keys may repeat.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let separator = self.separator;
        self.bytes.split(move |&byte| byte == separator).filter_map(|pair| {
            let at = pair.iter().position(|&byte| byte == b'=')?;
            Some((pair.get(..at)?, pair.get(at + 1..)?))
        })
    }

    /// The value of the last pair with this key, as bytes.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a [u8]> {
        self.iter().filter(|(name, _)| *name == key.as_bytes()).map(|(_, value)| value).last()
    }

    /// The value of this key when it is UTF-8.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        from_utf8(self.get(key)?).ok()
    }

    /// The value of this key as a decimal number.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        decimal(self.get(key)?)
    }

    /// `SUBSYSTEM`.
    #[must_use]
    pub fn subsystem(&self) -> Option<&'a str> {
        self.text("SUBSYSTEM")
    }

    /// `DEVTYPE`, e.g. `usb_device`, `usb_interface`, `disk`, `partition`.
    #[must_use]
    pub fn devtype(&self) -> Option<&'a str> {
        self.text("DEVTYPE")
    }

    /// `DEVNAME` relative to /dev, whether the kernel (`sda`) or udevd (`/dev/sda`) wrote it.
    #[must_use]
    pub fn devname(&self) -> Option<&'a str> {
        let name = self.text("DEVNAME")?;
        Some(name.strip_prefix("/dev/").unwrap_or(name))
    }

    /// `DRIVER`, present while a driver is bound.
    #[must_use]
    pub fn driver(&self) -> Option<&'a str> {
        self.text("DRIVER")
    }

    /// `MODALIAS`, the name modules are found by.
    #[must_use]
    pub fn modalias(&self) -> Option<&'a str> {
        self.text("MODALIAS")
    }

    /// `SEQNUM`, the kernel's event counter; absent in a sysfs file.
    #[must_use]
    pub fn seqnum(&self) -> Option<u64> {
        self.number("SEQNUM")
    }

    /// `DISKSEQ`, which never repeats while the machine runs.
    #[must_use]
    pub fn diskseq(&self) -> Option<u64> {
        self.number("DISKSEQ")
    }

    /// `MAJOR` and `MINOR` of the device node.
    #[must_use]
    pub fn device_number(&self) -> Option<(u32, u32)> {
        let major = u32::try_from(self.number("MAJOR")?).ok()?;
        Some((major, u32::try_from(self.number("MINOR")?).ok()?))
    }

    /// `PRODUCT` of a USB device or interface (`46f4/1/0`, hexadecimal without padding).
    #[must_use]
    pub fn usb_product(&self) -> Option<UsbProduct> {
        let mut parts = self.get("PRODUCT")?.split(|&byte| byte == b'/').map(|part| number(part, 16));
        let mut next = || u16::try_from(parts.next()??).ok();
        let found = UsbProduct { vendor: next()?, product: next()?, revision: next()? };
        parts.next().is_none().then_some(found)
    }

    /// `INTERFACE` of a USB interface (`8/6/80`, decimal).
    #[must_use]
    pub fn interface(&self) -> Option<Interface> {
        let mut parts = self.get("INTERFACE")?.split(|&byte| byte == b'/').map(|part| number(part, 10));
        let mut next = || u8::try_from(parts.next()??).ok();
        let found = Interface { class: next()?, subclass: next()?, protocol: next()? };
        parts.next().is_none().then_some(found)
    }
}

/// Digits only, without sign or spaces; `None` when empty, foreign or too large.
fn decimal(digits: &[u8]) -> Option<u64> {
    number(digits, 10)
}

fn number(digits: &[u8], radix: u32) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &byte| {
        let digit = char::from(byte).to_digit(radix)?;
        value.checked_mul(u64::from(radix))?.checked_add(u64::from(digit))
    })
}
