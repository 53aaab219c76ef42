//! When a USB device is complete.

use super::device::{UsbDevice, UsbInterface, parent};
use super::{Effect, Followed, Kind, Looked, Machine, Pending, compose};
use daemon::{Effects, Instant};
use interfaces::hardware::{Thing, UsbIdentity};
use std::time::Duration;

/// How long interfaces may wait for a driver; many have none on this machine.
const BIND_WAIT: Duration = Duration::from_secs(2);
/// How long a disk may take: the kernel waits a second before it looks at one, and readers without a card never tell.
const DISK_WAIT: Duration = Duration::from_secs(5);
/// Interface class "mass storage" in the form of [`UsbInterface::class`].
const MASS_STORAGE: &str = "08/";

impl Machine {
    pub(super) fn follow_usb(
        &mut self,
        now: Instant,
        devpath: String,
        mut device: UsbDevice,
        out: &mut Effects<Effect>,
    ) {
        // Another device in the same port, whose predecessor's end we missed.
        let bare = compose::usb(&devpath, &device, Vec::new(), Vec::new());
        let known = self.devices.get(&devpath).and_then(|followed| followed.kind.as_usb());
        let saved = self.things.get(&devpath);
        if saved.is_some_and(|saved| !compose::is_same(saved, &bare))
            || known.is_some_and(|known| known.node != device.node)
        {
            self.removed(&devpath, out);
        } else if let Some(known) = known {
            device.complete_from(known);
        }
        if !self.things.contains_key(&devpath) {
            self.pending.entry(devpath.clone()).or_insert(Pending { since: now, wait: BIND_WAIT });
        }
        self.insert(devpath.clone(), Kind::UsbDevice(device), Looked::Never);
        self.wait_for_disk(&devpath);
        self.complete_usb(&devpath, out);
    }

    pub(super) fn follow_interface(&mut self, devpath: String, kind: Kind, out: &mut Effects<Effect>) {
        let device = parent(&devpath).to_owned();
        self.insert(devpath, kind, Looked::Never);
        self.wait_for_disk(&device);
        self.complete_usb(&device, out);
    }

    /// Gives a device that has shown a mass storage interface the longer wait.
    fn wait_for_disk(&mut self, devpath: &str) {
        if self.usb_has_storage(devpath)
            && let Some(pending) = self.pending.get_mut(devpath)
        {
            pending.wait = DISK_WAIT;
        }
    }

    /// Announces a USB device that is complete.
    pub(super) fn complete_usb(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        if self.pending.contains_key(devpath) && self.usb_is_complete(devpath) {
            self.announce_usb(devpath, out);
        }
    }

    /// The same for the USB device a block device belongs to.
    pub(super) fn complete_usb_of(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        if let Some(usb) = self.usb_of(devpath).map(str::to_owned) {
            self.complete_usb(&usb, out);
        }
    }

    /// What was there at the start is taken as it is, and not announced. Only a disk that is still to come is waited for.
    pub(super) fn settled(&mut self, out: &mut Effects<Effect>) {
        let pending: Vec<String> = match self.announcing {
            true => Vec::new(),
            false => self.pending.keys().cloned().collect(),
        };
        for devpath in &pending {
            if self.usb_disks(devpath).next().is_some() || !self.usb_has_storage(devpath) {
                self.announce_usb(devpath, out);
            }
            self.announce_input(devpath, out);
        }
        self.announcing = true;
    }

    pub(super) fn usb_identity(&self, devpath: &str) -> Option<UsbIdentity<'static>> {
        let usb = self.usb_of(devpath)?;
        Some(compose::identity(usb, self.devices.get(usb)?.kind.as_usb()?))
    }

    pub(super) fn announce_usb(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        let Some(Followed { kind: Kind::UsbDevice(device), .. }) = self.devices.get(devpath) else { return };
        let interfaces = self.usb_interfaces(devpath).map(|interface| interface.class.clone()).collect();
        let here = |thing: &&Thing<'_>| self.usb_of(thing.devpath()) == Some(devpath);
        let filesystems = self.things.values().filter(here).filter_map(compose::filesystem);
        let thing = compose::usb(devpath, device, interfaces, filesystems.collect());
        self.pending.remove(devpath);
        self.announce(thing, out);
    }

    /// Every interface has its driver; of mass storage a medium is there and everything on it has been looked at.
    fn usb_is_complete(&self, devpath: &str) -> bool {
        let Some(Followed { kind: Kind::UsbDevice(device), .. }) = self.devices.get(devpath) else { return false };
        let bound = self.usb_interfaces(devpath).filter(|interface| interface.bound).count();
        if device.interfaces.is_none_or(|expected| bound < expected) {
            return false;
        }
        if !self.usb_has_storage(devpath) {
            return true;
        }
        let mut media = self.usb_disks(devpath).filter(|(_, block, _)| block.size_bytes > 0).peekable();
        media.peek().is_some() && media.all(|(path, block, looked)| self.disk_is_complete(path, block, looked))
    }

    fn disk_is_complete(&self, devpath: &str, disk: &super::Block, looked: Looked) -> bool {
        let partitions = self.below(devpath).filter_map(|(_, followed)| {
            let block = followed.kind.as_block()?;
            Some(followed.looked == Looked::Done || block.size_bytes == 0)
        });
        let done = partitions.filter(|done| *done).count();
        if disk.partitions == 0 { looked == Looked::Done } else { done >= disk.partitions }
    }

    fn usb_has_storage(&self, devpath: &str) -> bool {
        self.usb_interfaces(devpath).any(|interface| interface.class.starts_with(MASS_STORAGE))
    }

    fn usb_interfaces<'m>(&'m self, devpath: &'m str) -> impl Iterator<Item = &'m UsbInterface> {
        let own = self.below(devpath).filter(move |(path, _)| parent(path) == devpath);
        own.filter_map(|(_, followed)| followed.kind.as_interface())
    }

    fn usb_disks<'m>(&'m self, devpath: &'m str) -> impl Iterator<Item = (&'m str, &'m super::Block, Looked)> {
        let own = self.below(devpath).filter(move |(path, _)| self.usb_of(path) == Some(devpath));
        own.filter_map(|(path, followed)| {
            let block = followed.kind.as_block()?;
            (!block.partition).then_some((path.as_str(), block, followed.looked))
        })
    }

    /// The nearest USB device above.
    fn usb_of(&self, devpath: &str) -> Option<&str> {
        let mut path = devpath;
        loop {
            path = parent(path);
            if path.is_empty() {
                return None;
            }
            if let Some((path, Followed { kind: Kind::UsbDevice(_), .. })) = self.devices.get_key_value(path) {
                return Some(path);
            }
        }
    }
}
