//! The table of devices and the things composed from them.
//!
//! A device is followed while it is in sysfs. A *thing* (what is published) is made of one or more devices when they are complete:
//!
//! | thing | made of | complete when | at the latest |
//! |---|---|---|---|
//! | usb | the device, its interfaces, the file systems on its disks | every interface is bound; for mass storage: a medium and all its partitions have been looked at | 2 s; with mass storage 5 s |
//! | storage | a disk without partitions, or a partition | something was recognised on it | |
//! | input | the device and its event node | the node exists | 2 s |
//! | net, tty | the device | at once | |

pub mod capabilities;
pub mod device;
pub mod input;
pub mod nodes;

mod compose;
mod usb;

pub use device::{Content, Device, Kind};
pub use input::{Action, Effect, Input, Note};
pub use nodes::{Ownership, Rule, Rules};

use daemon::{Effects, Instant};
use device::{Block, parent};
use interfaces::hardware::Thing;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long an input device may wait for its event node.
const INPUT_WAIT: Duration = Duration::from_secs(2);
/// How long after a gap in the kernel's numbers the table is compared.
const GAP_WAIT: Duration = Duration::from_secs(1);
/// Numbers that other network namespaces took look like gaps too, so a comparison is made at most this often.
const GAP_PAUSE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Looked {
    /// Nothing to look at: no medium, or divided into partitions.
    Never,
    /// A probe is under way.
    Running(u64),
    /// The probe has answered.
    Done,
}

#[derive(Debug)]
struct Followed {
    kind: Kind,
    looked: Looked,
}

#[derive(Clone, Copy, Debug)]
struct Pending {
    since: Instant,
    wait: Duration,
}

/// Follows devices and announces things.
#[derive(Debug)]
pub struct Machine {
    rules: Rules,
    devices: BTreeMap<String, Followed>,
    things: BTreeMap<String, Thing<'static>>,
    /// Things that are not complete yet, and how long they may wait for it.
    pending: BTreeMap<String, Pending>,
    /// The devices a reading of sysfs has shown so far.
    shown: Option<BTreeSet<String>>,
    announcing: bool,
    devices_max: usize,
    jobs: u64,
    version: u64,
    lost: u64,
    seqnum: Option<u64>,
    compare_at: Option<Instant>,
    compared: Option<Instant>,
    armed: Option<Instant>,
}

impl Machine {
    /// An empty table. `saved`: the things an earlier process of this boot had announced; `None` at the first start, when what is
    /// there already is listed and not announced.
    #[must_use]
    pub fn new(rules: Rules, devices_max: usize, saved: Option<Vec<Thing<'static>>>) -> Self {
        let announcing = saved.is_some();
        let things = saved.unwrap_or_default().into_iter().map(|thing| (thing.devpath().to_owned(), thing)).collect();
        Self {
            rules,
            devices: BTreeMap::new(),
            things,
            pending: BTreeMap::new(),
            shown: None,
            announcing,
            devices_max,
            jobs: 0,
            version: 0,
            lost: 0,
            seqnum: None,
            compare_at: None,
            compared: None,
            armed: None,
        }
    }

    /// Most effects of one step: a thing taken away and put there for each device, and some.
    #[must_use]
    pub fn effects_max(&self) -> usize {
        4 * self.devices_max + 64
    }

    /// Takes other rules and another limit; devices above it stay until they go.
    pub fn configure(&mut self, rules: Rules, devices_max: usize) {
        self.rules = rules;
        self.devices_max = devices_max;
    }

    /// Everything that can be used now.
    pub fn things(&self) -> impl Iterator<Item = &Thing<'static>> {
        self.things.values()
    }

    /// Changes whenever [`Machine::things`] does.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version
    }

    fn appeared(&mut self, now: Instant, action: Action, device: Device, out: &mut Effects<Effect>) {
        let scanning = self.shown.is_some();
        if action == Action::Add {
            if let Some(node) = &device.node
                && let Some(ownership) = self.rules.ownership(&node.subsystem, &node.name)
            {
                out.push(Effect::Node { name: node.name.clone(), ownership, fresh: scanning });
            }
            if let Some(alias) = &device.modalias {
                out.push(Effect::Modules { alias: alias.clone() });
            }
        }
        if device.kind != Kind::Other {
            self.follow(now, action, device.devpath, device.kind, out);
        }
    }

    fn follow(&mut self, now: Instant, action: Action, devpath: String, kind: Kind, out: &mut Effects<Effect>) {
        if let Some(shown) = &mut self.shown {
            shown.insert(devpath.clone());
        }
        if !self.devices.contains_key(&devpath) && self.devices.len() >= self.devices_max {
            self.lost += 1;
            return;
        }
        match kind {
            Kind::UsbDevice(device) => self.follow_usb(now, devpath, device, out),
            Kind::UsbInterface(_) => self.follow_interface(devpath, kind, out),
            Kind::Block(block) => self.follow_block(action, devpath, block, out),
            Kind::Input(_) => {
                self.insert(devpath.clone(), kind, Looked::Never);
                if !self.things.contains_key(&devpath) {
                    self.pending.entry(devpath.clone()).or_insert(Pending { since: now, wait: INPUT_WAIT });
                }
                self.complete_input(&devpath, out);
            }
            Kind::InputNode(_) => {
                let device = parent(&devpath).to_owned();
                self.insert(devpath, kind, Looked::Never);
                self.complete_input(&device, out);
            }
            Kind::Net(ref net) => {
                let thing = compose::net(&devpath, net);
                self.insert(devpath, kind, Looked::Never);
                self.announce(thing, out);
            }
            Kind::Tty(ref node) => {
                let thing = compose::tty(&devpath, node);
                self.insert(devpath, kind, Looked::Never);
                self.announce(thing, out);
            }
            Kind::Other => {}
        }
    }

    fn insert(&mut self, devpath: String, kind: Kind, looked: Looked) {
        self.devices.insert(devpath, Followed { kind, looked });
    }

    fn follow_block(&mut self, action: Action, devpath: String, block: Block, out: &mut Effects<Effect>) {
        let known = self.devices.get(&devpath).filter(|followed| followed.kind.as_block() == Some(&block));
        let known = known.map(|followed| followed.looked);
        let looked = if block.size_bytes == 0 || block.partitions > 0 {
            self.retire(&devpath, out);
            Looked::Never
        } else {
            let saved = self.things.get(&devpath).is_some_and(|saved| compose::is_same_medium(saved, &block));
            match known {
                Some(looked) if action == Action::Add => looked,
                None if saved && self.shown.is_some() => Looked::Done,
                Some(_) | None => self.probe(&devpath, &block, out),
            }
        };
        self.insert(devpath.clone(), Kind::Block(block), looked);
        self.complete_usb_of(&devpath, out);
    }

    fn probe(&mut self, devpath: &str, block: &Block, out: &mut Effects<Effect>) -> Looked {
        self.jobs += 1;
        let (job, node) = (self.jobs, block.node.clone());
        let (number, size_bytes) = (block.number, block.size_bytes);
        out.push(Effect::Probe { job, devpath: devpath.to_owned(), node, number, size_bytes });
        Looked::Running(job)
    }

    fn probed(&mut self, job: u64, devpath: &str, content: Option<Content>, out: &mut Effects<Effect>) {
        let Some(followed) = self.devices.get_mut(devpath) else { return };
        // An answer about an earlier medium, or from before the last change.
        if followed.looked != Looked::Running(job) {
            return;
        }
        followed.looked = Looked::Done;
        let Kind::Block(block) = &followed.kind else { return };
        match content {
            Some(content) => {
                let block = block.clone();
                let thing = compose::storage(devpath, &block, &content, self.usb_identity(devpath));
                self.announce(thing, out);
            }
            None => self.retire(devpath, out),
        }
        self.complete_usb_of(devpath, out);
    }

    /// Announces an input device whose event node is there.
    fn complete_input(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        if self.pending.contains_key(devpath) && self.input_node(devpath).is_some() {
            self.announce_input(devpath, out);
        }
    }

    fn announce_input(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        let Some(Followed { kind: Kind::Input(device), .. }) = self.devices.get(devpath) else { return };
        let thing = compose::input(devpath, device, self.input_node(devpath));
        self.pending.remove(devpath);
        self.announce(thing, out);
    }

    fn input_node(&self, devpath: &str) -> Option<&str> {
        self.below(devpath).find_map(|(_, followed)| followed.kind.as_input_node())
    }

    /// What is followed below a path, in the order of paths.
    fn below(&self, devpath: &str) -> impl Iterator<Item = (&String, &Followed)> {
        let prefix = format!("{devpath}/");
        let until = format!("{devpath}0"); // '0' is the character after '/'
        self.devices.range(prefix..until)
    }

    /// Puts a thing into the table and publishes it, unless it is there already.
    fn announce(&mut self, thing: Thing<'static>, out: &mut Effects<Effect>) {
        if self.things.get(thing.devpath()).is_some_and(|known| compose::is_same(known, &thing)) {
            return;
        }
        self.retire(thing.devpath(), out);
        self.version += 1;
        if self.announcing {
            out.push(Effect::Add(thing.clone()));
        }
        self.things.insert(thing.devpath().to_owned(), thing);
    }

    /// Takes a thing out of the table and publishes that.
    fn retire(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        if let Some(thing) = self.things.remove(devpath) {
            self.version += 1;
            if self.announcing {
                out.push(Effect::Remove(thing));
            }
        }
    }

    pub(in crate::machine) fn removed(&mut self, devpath: &str, out: &mut Effects<Effect>) {
        // The kernel takes away what is below first; after a loss we may have missed that.
        let saved = self.things.range(format!("{devpath}/")..format!("{devpath}0")).map(|(path, _)| path);
        let below: BTreeSet<String> = self.below(devpath).map(|(path, _)| path).chain(saved).cloned().collect();
        for path in below.iter().rev().map(String::as_str).chain([devpath]) {
            self.devices.remove(path);
            self.pending.remove(path);
            self.retire(path, out);
        }
    }

    fn scan_end(&mut self, out: &mut Effects<Effect>) {
        let Some(shown) = self.shown.take() else { return };
        let known: BTreeSet<&String> = self.devices.keys().chain(self.things.keys()).collect();
        let gone: Vec<String> = known.into_iter().filter(|path| !shown.contains(*path)).cloned().collect();
        for devpath in gone.iter().rev() {
            self.removed(devpath, out);
        }
    }

    fn number(&mut self, now: Instant, seqnum: Option<u64>) {
        let Some(seqnum) = seqnum else { return };
        let gap = self.seqnum.is_some_and(|last| seqnum > last + 1);
        self.seqnum = self.seqnum.max(Some(seqnum));
        let rested = self.compared.is_none_or(|at| now >= at + GAP_PAUSE);
        if gap && rested && self.compare_at.is_none() {
            self.compare_at = Some(now + GAP_WAIT);
        }
    }

    fn deadline(&mut self, now: Instant, out: &mut Effects<Effect>) {
        self.armed = None;
        if self.compare_at.is_some_and(|at| at <= now) {
            self.compare_at = None;
            self.compared = Some(now);
            out.push(Effect::Compare);
        }
        let due = self.pending.iter().filter(|(_, pending)| pending.since + pending.wait <= now);
        let due: Vec<String> = due.map(|(devpath, _)| devpath.clone()).collect();
        for devpath in due {
            self.announce_usb(&devpath, out);
            self.announce_input(&devpath, out);
        }
    }

    /// Asks for the next deadline where it changed, and tells what was lost.
    fn settle(&mut self, out: &mut Effects<Effect>) {
        let pending = self.pending.values().map(|pending| pending.since + pending.wait);
        let next = pending.chain(self.compare_at).min();
        if next != self.armed {
            self.armed = next;
            out.push(Effect::Arm(next.map(Instant::as_nanos)));
        }
        if self.lost > 0 && self.shown.is_none() {
            out.push(Effect::Note(Note::TableFull { lost: std::mem::take(&mut self.lost) }));
        }
    }
}

impl daemon::Machine for Machine {
    type Input<'a> = Input;
    type Effect = Effect;

    fn step(&mut self, now: Instant, input: Input, out: &mut Effects<Effect>) {
        match input {
            Input::Uevent { action, seqnum, device } => {
                self.number(now, seqnum);
                self.appeared(now, action, device, out);
            }
            Input::Removed { seqnum, devpath } => {
                self.number(now, seqnum);
                self.removed(&devpath, out);
            }
            Input::Scan => self.shown = Some(BTreeSet::new()),
            Input::Scanned(device) => self.appeared(now, Action::Add, device, out),
            Input::ScanEnd => self.scan_end(out),
            Input::Settled => self.settled(out),
            Input::Probed { job, devpath, content } => self.probed(job, &devpath, content, out),
            Input::Deadline => self.deadline(now, out),
            Input::List { class, reply } => out.push(Effect::List { class, reply }),
        }
        self.settle(out);
    }
}
