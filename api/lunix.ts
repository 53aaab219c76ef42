// Generated from crates/interfaces by `cargo xtask codegen`.

/** The service directory is another one: what differs. */
export interface GenerationEvent {
  /** Services that were not there before. With many of them only the first are named. */
  added?: string[]
  /** Services whose directories hold something else than before. */
  changed?: string[]
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Counts the generations taken over since lunix-init started, from 1; a rejected one has the number it would have had. */
  generation: number
  /** How many services are what they were: nothing happens to them. */
  kept: number
  /** How many services differ and are not named; absent when all are. */
  omitted?: number
  /** Why it was rejected, or what of it does not run, in a sentence; absent when there is nothing to say. */
  reason?: string
  /** Services that are not there any more. */
  removed?: string[]
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** Milliseconds from the reading of the directory until everything that differs was at rest; only in `done`. */
  took_ms?: number
}

/** Answers everything that is plugged in, or all of one class. */
export interface HardwareList {
  /** The epoch of `seq`, as in `Stamp`. */
  epoch: string
  /** Everything there is, in no particular order. */
  items: HardwareListItem[]
  /** Why this list or its events are less than they should be, in a sentence; absent when all is well. */
  note?: string
  /** The number of the last event that this state includes: drop events of the same epoch with a `seq` up to this one. 0 before the first event. */
  seq: number
}

/** A file system, swap space or locked volume. */
export interface HardwareListFileSystem {
  /** Label; absent when it has none. */
  label?: string
  /** Its block device, as `/dev/sda1`. */
  node: string
  /** True when the block device refuses writing. */
  read_only: boolean
  /** Size of the block device in bytes. */
  size_bytes: number
  /** Type in mount's and blkid's words: `vfat`, `ext4`, `swap`, `crypto_LUKS` ... */
  type: string
  /** What it is for. */
  usage: HardwareListUsage
  /** Identifier in the form usual for the type; absent when it has none. Identifies a single item. */
  uuid?: string
}

/** What a person uses to enter something: a keyboard, mouse, touch screen, button. Announced once its event node exists. */
export interface HardwareListInput {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** What it is, by the events it can send. */
  kind: HardwareListInputKind
  /** Its name in the driver's words. Source: uevent NAME. */
  name: string
  /** Its event node, as `/dev/input/event2`; absent when none came within 2 s. */
  node?: string
  /** How it is attached, as `usb-0000:00:01.0-2/input0`; absent when it does not tell. Source: uevent PHYS. */
  phys?: string
}

/** Kinds of input devices; a device that is several is the first that fits. */
export type HardwareListInputKind = 'keyboard' | 'mouse' | 'touchpad' | 'touchscreen' | 'tablet' | 'joystick' | 'buttons' | 'switch' | 'other'

/** One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement. */
export interface HardwareListItem {
  /** Subject of the announcement, `hardware.usb.add` for a stick. */
  subject: string
}

/** A network interface with hardware behind it. */
export interface HardwareListNet {
  /** Hardware address, lower case; absent when it has none. Identifies a single item. Source: sysfs `address`. */
  address?: string
  /** Path below /sys, stable until removal or renaming. Source: uevent DEVPATH. */
  devpath: string
  /** Sort of interface when not plain Ethernet: `wlan`, `wwan`, `bluetooth`; otherwise absent. Source: uevent DEVTYPE. */
  devtype?: string
  /** Number of the interface, kept when it is renamed. Source: uevent IFINDEX. */
  ifindex: number
  /** Name of the interface, as `eth0`. Source: uevent INTERFACE. */
  name: string
}

/** A file system or the like on a block device of any kind: announced once it has been recognised, also when a card is put into a reader that has been there for long. */
export interface HardwareListStorage {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Number of the disk, never used twice while the machine runs; absent before Linux 5.15. Source: uevent DISKSEQ. */
  diskseq?: number
  /** Label; absent when it has none. */
  label?: string
  /** Its block device, as `/dev/sda1`. */
  node: string
  /** True when the block device refuses writing. */
  read_only: boolean
  /** True when the medium can be taken out of its drive. Source: sysfs `removable`. */
  removable: boolean
  /** Size of the block device in bytes. */
  size_bytes: number
  /** Type in mount's and blkid's words: `vfat`, `ext4`, `swap`, `crypto_LUKS` ... */
  type: string
  /** What it is for. */
  usage: HardwareListUsage
  /** The USB device it belongs to; absent for other disks. */
  usb?: unknown
  /** Identifier in the form usual for the type; absent when it has none. Identifies a single item. */
  uuid?: string
}

/** A serial port with hardware behind it. */
export interface HardwareListTty {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Its node, as `/dev/ttyUSB0`. */
  node: string
}

/** What can be done with the content of a block device. */
export type HardwareListUsage = 'filesystem' | 'swap' | 'crypto'

/** A USB device, hubs included, the machine's own root hubs not. Announced once its drivers are bound, and for mass storage once its disk has been looked at: about 1.5 s after plugging, at most 5 s (a card reader without a card takes that long). */
export interface HardwareListUsb {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Node of the first file system that can be mounted; absent when there is none. */
  filesystem?: string
  /** All file systems and the like on its disks, in node order; absent when there is none. */
  filesystems?: HardwareListFileSystem[]
  /** What it does: class, subclass and protocol of each interface as `08/06/50`, hexadecimal, in interface order. */
  interfaces: string[]
  /** Its node, as `/dev/bus/usb/002/003`. Source: uevent DEVNAME. */
  node: string
  /** The product's name in the device's own words; absent when it tells none. Source: sysfs `product`. */
  product?: string
  /** Product, four hex digits. Source: device descriptor, idProduct. */
  product_id: string
  /** Serial number; absent when it tells none. Identifies a single item. Source: sysfs `serial`. */
  serial?: string
  /** The maker's name in the device's own words; absent when it tells none. Source: sysfs `manufacturer`. */
  vendor?: string
  /** Maker, four hex digits. Source: device descriptor, idVendor. */
  vendor_id: string
}

/** Who a USB device is. */
export interface HardwareListUsbIdentity {
  /** Path below /sys of the USB device. */
  devpath: string
  /** Product, four hex digits. */
  product_id: string
  /** Serial number; absent when it tells none. Identifies a single item. */
  serial?: string
  /** Maker, four hex digits. */
  vendor_id: string
}

/** The kernel dropped events; the differences have been published. */
export interface HardwareOverrun {
  /** When it was noticed. RFC 3339, UTC, milliseconds. */
  time: string
}

/** It is gone; the same fields as on add. */
export interface Input {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** What it is, by the events it can send. */
  kind: InputInputKind
  /** Its name in the driver's words. Source: uevent NAME. */
  name: string
  /** Its event node, as `/dev/input/event2`; absent when none came within 2 s. */
  node?: string
  /** How it is attached, as `usb-0000:00:01.0-2/input0`; absent when it does not tell. Source: uevent PHYS. */
  phys?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** Kinds of input devices; a device that is several is the first that fits. */
export type InputInputKind = 'keyboard' | 'mouse' | 'touchpad' | 'touchscreen' | 'tablet' | 'joystick' | 'buttons' | 'switch' | 'other'

/** Writes a line; plain text and a JSON string are taken as its message. */
export interface LogEntry {
  /** What it is about, one of the words of syslog.conf; `user` when absent. `kern` is the kernel's own. */
  facility?: string
  /** The text. */
  message: string
  /** Its process id. */
  pid?: number
  /** The program. */
  program?: string
  /** How bad it is; `notice` when absent. */
  severity?: unknown
}

/** How bad it is, the worst first. */
export type LogEntrySeverity = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug'

/** A line about who came in and what he was allowed. */
export interface LogLine {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** What it is about: one of the words of syslog.conf, `kern`, `daemon`, `auth` … */
  facility: string
  /** The machine, as it calls itself; absent for lines of this one. */
  host?: string
  /** The text; it may have several lines. */
  message: string
  /** Kind of message (RFC 5424, MSGID); absent without one. */
  message_id?: string
  /** When it arrived, in microseconds since boot (CLOCK_MONOTONIC); of the kernel's lines, when it was written. */
  monotonic_us: number
  /** Process id: the kernel's word where the source is `user-<uid>`, elsewhere a claim; absent when there is none. */
  pid?: number
  /** What stands in the place of the process id where it is no number; absent otherwise. */
  process?: string
  /** The program, as it calls itself; absent when it does not. */
  program?: string
  /** Why the message is (partly) not what it should be, in a few words: it is in no format, or too long. Absent when all is well. */
  raw?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** How bad it is. */
  severity: LogLineSeverity
  /** Where it comes from, as in the subject; of what the kernel or lunix-init vouches for. */
  source: string
  /** Structured data (RFC 5424); of the kernel's lines one element `kernel` with what it knows besides: `SUBSYSTEM`, `DEVICE`. Absent when there is none. */
  structured?: LogLineElement[]
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** Who sent it, as the kernel says; absent where it does not. */
  uid?: number
  /** When it was written, as the message says: RFC 3339 in UTC with microseconds, or, from those who write neither year nor zone, as `Oct 11 22:14:15`. Absent when it does not say. */
  written?: string
}

/** An element of structured data. */
export interface LogLineElement {
  /** Its name: `origin`, or `name@number` of an organisation's own. */
  id: string
  /** Its parameters, in order; a name may come several times. */
  parameters: LogLineParameter[]
}

/** A parameter of structured data. */
export interface LogLineParameter {
  /** Its name. */
  name: string
  /** Its value. */
  value: string
}

/** How bad it is, the worst first. */
export type LogLineSeverity = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug'

/** Answers lines that are still kept; argument: source, severity, program, since, count. */
export interface LogTail {
  /** The epoch of all numbers. */
  epoch: string
  /** The lines, the oldest first. */
  items: LogTailItem[]
  /** The number of the oldest line that is still kept. When it is greater than `since` + 1, lines in between are gone. */
  oldest: number
  /** The number of the last line that was looked at: go on with it as `since`, or with events that have a greater one. */
  seq: number
}

/** An element of structured data. */
export interface LogTailElement {
  /** Its name: `origin`, or `name@number` of an organisation's own. */
  id: string
  /** Its parameters, in order; a name may come several times. */
  parameters: LogTailParameter[]
}

/** One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement. */
export interface LogTailItem {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** What it is about: one of the words of syslog.conf, `kern`, `daemon`, `auth` … */
  facility: string
  /** The machine, as it calls itself; absent for lines of this one. */
  host?: string
  /** The text; it may have several lines. */
  message: string
  /** Kind of message (RFC 5424, MSGID); absent without one. */
  message_id?: string
  /** When it arrived, in microseconds since boot (CLOCK_MONOTONIC); of the kernel's lines, when it was written. */
  monotonic_us: number
  /** Process id: the kernel's word where the source is `user-<uid>`, elsewhere a claim; absent when there is none. */
  pid?: number
  /** What stands in the place of the process id where it is no number; absent otherwise. */
  process?: string
  /** The program, as it calls itself; absent when it does not. */
  program?: string
  /** Why the message is (partly) not what it should be, in a few words: it is in no format, or too long. Absent when all is well. */
  raw?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** How bad it is. */
  severity: LogTailSeverity
  /** Where it comes from, as in the subject; of what the kernel or lunix-init vouches for. */
  source: string
  /** Structured data (RFC 5424); of the kernel's lines one element `kernel` with what it knows besides: `SUBSYSTEM`, `DEVICE`. Absent when there is none. */
  structured?: LogTailElement[]
  /** Subject of the announcement, `hardware.usb.add` for a stick. */
  subject: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** Who sent it, as the kernel says; absent where it does not. */
  uid?: number
  /** When it was written, as the message says: RFC 3339 in UTC with microseconds, or, from those who write neither year nor zone, as `Oct 11 22:14:15`. Absent when it does not say. */
  written?: string
}

/** A parameter of structured data. */
export interface LogTailParameter {
  /** Its name. */
  name: string
  /** Its value. */
  value: string
}

/** How bad it is, the worst first. */
export type LogTailSeverity = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug'

/** The whole machine is about to stop. */
export interface MachineEvent {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Who asked for it, in a sentence; absent when unknown. */
  reason?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** It is gone; the same fields as on add. */
export interface Net {
  /** Hardware address, lower case; absent when it has none. Identifies a single item. Source: sysfs `address`. */
  address?: string
  /** Path below /sys, stable until removal or renaming. Source: uevent DEVPATH. */
  devpath: string
  /** Sort of interface when not plain Ethernet: `wlan`, `wwan`, `bluetooth`; otherwise absent. Source: uevent DEVTYPE. */
  devtype?: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Number of the interface, kept when it is renamed. Source: uevent IFINDEX. */
  ifindex: number
  /** Name of the interface, as `eth0`. Source: uevent INTERFACE. */
  name: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** It can not any more. */
export interface NetworkAddress {
  /** The address as text. */
  address: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Its family. */
  family: NetworkAddressFamily
  /** Number of the interface. */
  ifindex: number
  /** Name of the interface. */
  interface: string
  /** The other end of a point-to-point link; absent elsewhere. */
  peer?: string
  /** Bits of the network's part. */
  prefix_len: number
  /** How far it reaches: `global`, `site`, `link`, `host`, or the kernel's number. */
  scope: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** IPv4 or IPv6. */
export type NetworkAddressFamily = 'inet' | 'inet6'

/** Hardware address, MTU or master changed. */
export interface NetworkLink {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** The kernel's number for it; a name may change, this does not. */
  ifindex: number
  /** Kind of a virtual interface: `veth`, `bridge`, `vlan`, `dummy`; `loopback`; absent for hardware. Source: `IFLA_INFO_KIND`. */
  kind?: string
  /** Hardware address as `52:54:00:12:34:56`; absent when it has none. Source: `IFLA_ADDRESS`. */
  mac?: string
  /** Number of the bridge, bond or the like that it is a part of; absent when it is none. Source: `IFLA_MASTER`. */
  master?: number
  /** Largest packet in bytes. Source: `IFLA_MTU`. */
  mtu?: number
  /** Its name. */
  name: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** True when packets can go through: switched on, carrier there, nothing missing. Source: `IFF_UP`, `IFF_LOWER_UP`, `IFF_RUNNING`. */
  up: boolean
}

/** Answers everything there is, or what has this second token in its subject. */
export interface NetworkList {
  /** The epoch of `seq`, as in `Stamp`. */
  epoch: string
  /** Everything there is, in no particular order. */
  items: NetworkListItem[]
  /** Why this list or its events are less than they should be, in a sentence; absent when all is well. */
  note?: string
  /** The number of the last event that this state includes: drop events of the same epoch with a `seq` up to this one. 0 before the first event. */
  seq: number
}

/** An address that can be used. */
export interface NetworkListAddress {
  /** The address as text. */
  address: string
  /** Its family. */
  family: NetworkListFamily
  /** Number of the interface. */
  ifindex: number
  /** Name of the interface. */
  interface: string
  /** The other end of a point-to-point link; absent elsewhere. */
  peer?: string
  /** Bits of the network's part. */
  prefix_len: number
  /** How far it reaches: `global`, `site`, `link`, `host`, or the kernel's number. */
  scope: string
}

/** A route to everywhere, in the main table. */
export interface NetworkListDefaultRoute {
  /** Its family. */
  family: NetworkListFamily
  /** The next router; absent when everything is on the link itself. */
  gateway?: string
  /** Name of the interface; absent when it has none. */
  interface?: string
  /** Of two routes the one with the smaller metric is taken. */
  metric: number
  /** Who made it, in iproute2's words: `static`, `dhcp`, `ra`, `kernel`, `boot`, or the kernel's number. */
  protocol: string
}

/** IPv4 or IPv6. */
export type NetworkListFamily = 'inet' | 'inet6'

/** One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement. */
export interface NetworkListItem {
  /** Subject of the announcement, `hardware.usb.add` for a stick. */
  subject: string
}

/** A network interface. */
export interface NetworkListLink {
  /** The kernel's number for it; a name may change, this does not. */
  ifindex: number
  /** Kind of a virtual interface: `veth`, `bridge`, `vlan`, `dummy`; `loopback`; absent for hardware. Source: `IFLA_INFO_KIND`. */
  kind?: string
  /** Hardware address as `52:54:00:12:34:56`; absent when it has none. Source: `IFLA_ADDRESS`. */
  mac?: string
  /** Number of the bridge, bond or the like that it is a part of; absent when it is none. Source: `IFLA_MASTER`. */
  master?: number
  /** Largest packet in bytes. Source: `IFLA_MTU`. */
  mtu?: number
  /** Its name. */
  name: string
  /** True when packets can go through: switched on, carrier there, nothing missing. Source: `IFF_UP`, `IFF_LOWER_UP`, `IFF_RUNNING`. */
  up: boolean
}

/** A neighbour whose hardware address is known. */
export interface NetworkListNeighbour {
  /** Its address. */
  address: string
  /** Name of the interface it is reached through. */
  interface: string
  /** Its hardware address. Identifies a single item. */
  mac: string
}

/** Whether packets can leave the machine: there is a default route through an interface that is up, and an address to send them from. Announced when that has held for a while (half a second unless configured otherwise). */
export interface NetworkListReach {
  /** By IPv4. */
  inet: boolean
  /** By IPv6. */
  inet6: boolean
  /** True when it can reach others at all. */
  online: boolean
}

/** A radio switch. */
export interface NetworkListSwitch {
  /** True when a switch or button on the machine did. */
  hard_blocked: boolean
  /** What it switches: `wlan`, `bluetooth`, `uwb`, `wimax`, `wwan`, `gps`, `fm`, `nfc`, or the kernel's number. */
  radio: string
  /** True when software switched it off. */
  soft_blocked: boolean
  /** Its name in subjects: `rfkill0`. */
  switch: string
}

/** A Wi-Fi link. */
export interface NetworkListWifi {
  /** Hardware address of the access point; absent when it is not known. */
  bssid?: string
  /** True while it is connected to an access point. */
  connected: boolean
  /** Frequency in MHz; absent when it is not known. */
  frequency_mhz?: number
  /** Name of the interface. */
  interface: string
  /** IEEE 802.11 reason of a disconnection; absent elsewhere. */
  reason?: number
  /** Signal in dBm as last told; absent when it was not. */
  signal_dbm?: number
  /** Name of the network; bytes that are not UTF-8 are replaced. Absent when it is not known. */
  ssid?: string
}

/** It is lost. */
export interface NetworkNeighbour {
  /** Its address. */
  address: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Name of the interface it is reached through. */
  interface: string
  /** Its hardware address. Identifies a single item. */
  mac: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** They can not any more. */
export interface NetworkReach {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** By IPv4. */
  inet: boolean
  /** By IPv6. */
  inet6: boolean
  /** True when it can reach others at all. */
  online: boolean
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** It has another name. */
export interface NetworkRenamed {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** The kernel's number for it; a name may change, this does not. */
  ifindex: number
  /** Kind of a virtual interface: `veth`, `bridge`, `vlan`, `dummy`; `loopback`; absent for hardware. Source: `IFLA_INFO_KIND`. */
  kind?: string
  /** Hardware address as `52:54:00:12:34:56`; absent when it has none. Source: `IFLA_ADDRESS`. */
  mac?: string
  /** Number of the bridge, bond or the like that it is a part of; absent when it is none. Source: `IFLA_MASTER`. */
  master?: number
  /** Largest packet in bytes. Source: `IFLA_MTU`. */
  mtu?: number
  /** Its name. */
  name: string
  /** The name until now. */
  previous_name: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** True when packets can go through: switched on, carrier there, nothing missing. Source: `IFF_UP`, `IFF_LOWER_UP`, `IFF_RUNNING`. */
  up: boolean
}

/** It is gone. */
export interface NetworkRoute {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Its family. */
  family: NetworkRouteFamily
  /** The next router; absent when everything is on the link itself. */
  gateway?: string
  /** Name of the interface; absent when it has none. */
  interface?: string
  /** Of two routes the one with the smaller metric is taken. */
  metric: number
  /** Who made it, in iproute2's words: `static`, `dhcp`, `ra`, `kernel`, `boot`, or the kernel's number. */
  protocol: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** IPv4 or IPv6. */
export type NetworkRouteFamily = 'inet' | 'inet6'

/** A search ended. */
export interface NetworkScan {
  /** True when it was given up before its end. */
  aborted: boolean
  /** Name of the interface. */
  interface: string
}

/** The radio is on. */
export interface NetworkSwitch {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** True when a switch or button on the machine did. */
  hard_blocked: boolean
  /** What it switches: `wlan`, `bluetooth`, `uwb`, `wimax`, `wwan`, `gps`, `fm`, `nfc`, or the kernel's number. */
  radio: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** True when software switched it off. */
  soft_blocked: boolean
  /** Its name in subjects: `rfkill0`. */
  switch: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** Its signal crossed a threshold. */
export interface NetworkWifi {
  /** Hardware address of the access point; absent when it is not known. */
  bssid?: string
  /** True while it is connected to an access point. */
  connected: boolean
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Frequency in MHz; absent when it is not known. */
  frequency_mhz?: number
  /** Name of the interface. */
  interface: string
  /** IEEE 802.11 reason of a disconnection; absent elsewhere. */
  reason?: number
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** Signal in dBm as last told; absent when it was not. */
  signal_dbm?: number
  /** Name of the network; bytes that are not UTF-8 are replaced. Absent when it is not known. */
  ssid?: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** The same of one service. */
export interface OutputTail {
  /** How many older lines, of all services, are gone for good. */
  dropped: number
  /** The lines. */
  lines: OutputTailOutputLine[]
}

/** One line of a service's output. */
export interface OutputTailOutputLine {
  /** The line without its end, cut at 1024 bytes; what is no UTF-8 is U+FFFD. */
  line: string
  /** The service that wrote it. */
  service: string
}

/** The kernel dropped events; the state was compared with the system and differences were published. */
export interface Overrun {
  /** When it was noticed. RFC 3339, UTC, milliseconds. */
  time: string
}

/** Answers the oldest matching process id, in digits; status 503 when nothing matches. */
export type Pid = number

/** A program ended, or its process runs another one now. */
export interface ProcessExited {
  /** The kernel's name, at most 15 bytes, may be set by the program. Source: `/proc/<pid>/comm`. */
  comm: string
  /** Processor time of all its threads, in microseconds. Source: taskstats; absent where the kernel does not count (before 5.18, or without CONFIG_TASKSTATS), when it was replaced, and when nobody saw the end. */
  cpu_us?: number
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Path of the executable; absent for kernel threads and where it may not be read. Source: `/proc/<pid>/exe`. */
  executable?: string
  /** Exit code, 0–255; absent when a signal ended it, when it was replaced, and when nobody saw the end. */
  exit_code?: number
  /** The most memory it held at once, in bytes (its resident set). Source and absence as of `cpu_us`. */
  memory_peak_bytes?: number
  /** The name people use: the script's file name where an interpreter runs one, else the executable's, else `comm`; Nix's `.name-wrapped` is `name`. */
  name: string
  /** Process id of the parent; 0 for the first process. */
  parent_pid: number
  /** Process id. */
  pid: number
  /** Name of the program the same process runs now (`execve`); otherwise absent. */
  replaced_by?: string
  /** Path of the script, as given on the command line, where the executable is an interpreter that runs one; else absent. */
  script?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** Number of the signal that ended it; otherwise absent. */
  signal?: number
  /** When it started. RFC 3339, UTC. Source: `/proc/<pid>/stat`, field 22. */
  started: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** Real user id. Source: `/proc/<pid>/status`. */
  uid: number
}

/** Answers every running process. */
export interface ProcessList {
  /** The epoch of `seq`, as in `Stamp`. */
  epoch: string
  /** Everything there is, in no particular order. */
  items: ProcessListItem[]
  /** Why this list or its events are less than they should be, in a sentence; absent when all is well. */
  note?: string
  /** The number of the last event that this state includes: drop events of the same epoch with a `seq` up to this one. 0 before the first event. */
  seq: number
}

/** One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement. */
export interface ProcessListItem {
  /** The kernel's name, at most 15 bytes, may be set by the program. Source: `/proc/<pid>/comm`. */
  comm: string
  /** Path of the executable; absent for kernel threads and where it may not be read. Source: `/proc/<pid>/exe`. */
  executable?: string
  /** The name people use: the script's file name where an interpreter runs one, else the executable's, else `comm`; Nix's `.name-wrapped` is `name`. */
  name: string
  /** Process id of the parent; 0 for the first process. */
  parent_pid: number
  /** Process id. */
  pid: number
  /** Path of the script, as given on the command line, where the executable is an interpreter that runs one; else absent. */
  script?: string
  /** When it started. RFC 3339, UTC. Source: `/proc/<pid>/stat`, field 22. */
  started: string
  /** Subject of the announcement, `hardware.usb.add` for a stick. */
  subject: string
  /** Real user id. Source: `/proc/<pid>/status`. */
  uid: number
}

/** A program started. */
export interface ProcessStarted {
  /** The kernel's name, at most 15 bytes, may be set by the program. Source: `/proc/<pid>/comm`. */
  comm: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Path of the executable; absent for kernel threads and where it may not be read. Source: `/proc/<pid>/exe`. */
  executable?: string
  /** The name people use: the script's file name where an interpreter runs one, else the executable's, else `comm`; Nix's `.name-wrapped` is `name`. */
  name: string
  /** Process id of the parent; 0 for the first process. */
  parent_pid: number
  /** Process id. */
  pid: number
  /** Path of the script, as given on the command line, where the executable is an interpreter that runs one; else absent. */
  script?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it started. RFC 3339, UTC. Source: `/proc/<pid>/stat`, field 22. */
  started: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** Real user id. Source: `/proc/<pid>/status`. */
  uid: number
}

/** Something happened to a service. */
export interface ServiceEvent {
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Exit code of the process that ended; otherwise absent. */
  exit_code?: number
  /** Its name: that of its directory. */
  name: string
  /** Its process, or the one that ended; absent when there is none. */
  pid?: number
  /** Why, in a sentence; absent when there is nothing to say. */
  reason?: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** Signal that ended the process; otherwise absent. */
  signal?: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** Answers every service, under the last thing that happened to it. */
export interface ServiceList {
  /** The epoch of `seq`, as in `Stamp`. */
  epoch: string
  /** Everything there is, in no particular order. */
  items: ServiceListItem[]
  /** Why this list or its events are less than they should be, in a sentence; absent when all is well. */
  note?: string
  /** The number of the last event that this state includes: drop events of the same epoch with a `seq` up to this one. 0 before the first event. */
  seq: number
}

/** One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement. */
export interface ServiceListItem {
  /** Exit code of the process that ended; otherwise absent. */
  exit_code?: number
  /** Its name: that of its directory. */
  name: string
  /** Its process, or the one that ended; absent when there is none. */
  pid?: number
  /** Why, in a sentence; absent when there is nothing to say. */
  reason?: string
  /** Signal that ended the process; otherwise absent. */
  signal?: number
  /** Subject of the announcement, `hardware.usb.add` for a stick. */
  subject: string
}

/** Tells a service to start, stop, restart, reload or run once, or sends it the signal of the argument `signal`; answers its state when lunix-init has taken note. */
export interface ServiceStatus {
  /** The services that must be ready before it starts. */
  after?: string[]
  /** Exit code of the process that ended last; absent when there was none, or a signal ended it. */
  exit_code?: number
  /** Its name: that of its directory. */
  name: string
  /** True while it runs until it ends, not longer, by the operator's word; otherwise absent. */
  once?: boolean
  /** The operator's word where it differs from the directory: `started` or `stopped`; otherwise absent. */
  override?: string
  /** Its process; absent when there is none. */
  pid?: number
  /** Milliseconds since its process started; absent when there is none. */
  process_ms?: number
  /** Milliseconds since it announced that it is ready; absent when it announces nothing, or has not yet. */
  ready_ms?: number
  /** Why it is in this state, in a sentence; absent when there is nothing to say. */
  reason?: string
  /** How many times it was started again after it had ended by itself. */
  restarts?: number
  /** Signal that ended the process that ended last; otherwise absent. */
  signal?: number
  /** Milliseconds since it came into this state. */
  since_ms?: number
  /** One of `down`, `waiting`, `starting`, `ready`, `done`, `backoff`, `stopping`, `killing`, `finishing`, `undoing`, `broken`. */
  state: string
  /** What it says of itself (sd_notify's STATUS); absent when it says nothing. */
  status?: string
  /** One of `longrun`, `oneshot`, `bundle`. */
  type?: string
  /** True when it should run (a oneshot: have run), by its directory and the operator's word. */
  wanted?: boolean
}

/** It is gone; the same fields as on add. */
export interface Storage {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Number of the disk, never used twice while the machine runs; absent before Linux 5.15. Source: uevent DISKSEQ. */
  diskseq?: number
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Label; absent when it has none. */
  label?: string
  /** Its block device, as `/dev/sda1`. */
  node: string
  /** True when the block device refuses writing. */
  read_only: boolean
  /** True when the medium can be taken out of its drive. Source: sysfs `removable`. */
  removable: boolean
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** Size of the block device in bytes. */
  size_bytes: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** Type in mount's and blkid's words: `vfat`, `ext4`, `swap`, `crypto_LUKS` ... */
  type: string
  /** What it is for. */
  usage: StorageUsage
  /** The USB device it belongs to; absent for other disks. */
  usb?: unknown
  /** Identifier in the form usual for the type; absent when it has none. Identifies a single item. */
  uuid?: string
}

/** What can be done with the content of a block device. */
export type StorageUsage = 'filesystem' | 'swap' | 'crypto'

/** Who a USB device is. */
export interface StorageUsbIdentity {
  /** Path below /sys of the USB device. */
  devpath: string
  /** Product, four hex digits. */
  product_id: string
  /** Serial number; absent when it tells none. Identifies a single item. */
  serial?: string
  /** Maker, four hex digits. */
  vendor_id: string
}

/** Tells lunix-init to rescan the service directory, or to poweroff, reboot or halt the machine. */
export interface Taken {
  /** The verb. */
  taken: string
}

/** Shows a toast; plain text and a JSON string are taken as its summary. */
export interface Toast {
  /** Who speaks; at most 64 bytes. */
  application?: string
  /** More lines, at most 4096 bytes. */
  body?: string
  /** One line, at most 1024 bytes. Control characters are shown as `\u{fffd}`. */
  summary: string
  /** How much it wants to be seen; normal when absent. */
  urgency?: ToastUrgency
}

/** A toast was shown. */
export interface ToastShown {
  /** Who speaks; at most 64 bytes. */
  application?: string
  /** More lines, at most 4096 bytes. */
  body?: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Number of the toast since the daemon started, from 1; also the token in the subject. */
  id: number
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** One line, at most 1024 bytes. Control characters are shown as `\u{fffd}`. */
  summary: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** How much it wants to be seen; normal when absent. */
  urgency?: ToastShownUrgency
}

/** How much a toast wants to be seen (freedesktop notifications, "urgency"). */
export type ToastShownUrgency = 'low' | 'normal' | 'critical'

/** How much a toast wants to be seen (freedesktop notifications, "urgency"). */
export type ToastUrgency = 'low' | 'normal' | 'critical'

/** It is gone; the same fields as on add. */
export interface Tty {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Its node, as `/dev/ttyUSB0`. */
  node: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
}

/** Answers what a service uses of the machine. */
export interface Usage {
  /** Share of the last 10 s in which something of it waited for a processor, in ten-thousandths. Source: `cpu.pressure`, `some avg10`. */
  cpu_pressure_per_10000?: number
  /** The part of it in the kernel, in microseconds. Source: `cpu.stat`, `system_usec`. */
  cpu_system_us?: number
  /** Processor time of all its processes in microseconds. Source: `cpu.stat`, `usage_usec`. */
  cpu_us?: number
  /** The part of it outside the kernel, in microseconds. Source: `cpu.stat`, `user_usec`. */
  cpu_user_us?: number
  /** The same for block devices. Source: `io.pressure`. */
  io_pressure_per_10000?: number
  /** Bytes read from block devices. Source: `io.stat`, the sum of `rbytes`. */
  io_read_bytes?: number
  /** Bytes written to block devices. Source: `io.stat`, the sum of `wbytes`. */
  io_write_bytes?: number
  /** Memory in use, in bytes. Source: `memory.current`. */
  memory_bytes?: number
  /** The most memory there ever was in use, in bytes. Source: `memory.peak`. */
  memory_peak_bytes?: number
  /** The same for memory. Source: `memory.pressure`. */
  memory_pressure_per_10000?: number
  /** The service. */
  name: string
  /** Processes and threads. Source: `pids.current`. */
  pids?: number
  /** True when only its first process is counted, not those that it started: there is no cgroup; otherwise absent. */
  process_only?: boolean
  /** Swap in use, in bytes. Source: `memory.swap.current`. */
  swap_bytes?: number
}

/** Answers what each service that has processes uses of the machine. */
export interface UsageList {
  /** One for each service. */
  items: UsageListUsage[]
}

/** What a service uses of the machine, as cgroup v2 counts it (`Documentation/admin-guide/cgroup-v2.rst`) at the moment of the answer. A number that the kernel does not count is absent. The share of a processor takes two answers: the difference of `cpu_us` over the time between them. */
export interface UsageListUsage {
  /** Share of the last 10 s in which something of it waited for a processor, in ten-thousandths. Source: `cpu.pressure`, `some avg10`. */
  cpu_pressure_per_10000?: number
  /** The part of it in the kernel, in microseconds. Source: `cpu.stat`, `system_usec`. */
  cpu_system_us?: number
  /** Processor time of all its processes in microseconds. Source: `cpu.stat`, `usage_usec`. */
  cpu_us?: number
  /** The part of it outside the kernel, in microseconds. Source: `cpu.stat`, `user_usec`. */
  cpu_user_us?: number
  /** The same for block devices. Source: `io.pressure`. */
  io_pressure_per_10000?: number
  /** Bytes read from block devices. Source: `io.stat`, the sum of `rbytes`. */
  io_read_bytes?: number
  /** Bytes written to block devices. Source: `io.stat`, the sum of `wbytes`. */
  io_write_bytes?: number
  /** Memory in use, in bytes. Source: `memory.current`. */
  memory_bytes?: number
  /** The most memory there ever was in use, in bytes. Source: `memory.peak`. */
  memory_peak_bytes?: number
  /** The same for memory. Source: `memory.pressure`. */
  memory_pressure_per_10000?: number
  /** The service. */
  name: string
  /** Processes and threads. Source: `pids.current`. */
  pids?: number
  /** True when only its first process is counted, not those that it started: there is no cgroup; otherwise absent. */
  process_only?: boolean
  /** Swap in use, in bytes. Source: `memory.swap.current`. */
  swap_bytes?: number
}

/** It is gone; the same fields as on add. */
export interface Usb {
  /** Path below /sys, stable until removal. Source: uevent DEVPATH. */
  devpath: string
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Node of the first file system that can be mounted; absent when there is none. */
  filesystem?: string
  /** All file systems and the like on its disks, in node order; absent when there is none. */
  filesystems?: UsbFileSystem[]
  /** What it does: class, subclass and protocol of each interface as `08/06/50`, hexadecimal, in interface order. */
  interfaces: string[]
  /** Its node, as `/dev/bus/usb/002/003`. Source: uevent DEVNAME. */
  node: string
  /** The product's name in the device's own words; absent when it tells none. Source: sysfs `product`. */
  product?: string
  /** Product, four hex digits. Source: device descriptor, idProduct. */
  product_id: string
  /** The event's number within the epoch and domain, from 1. */
  seq: number
  /** Serial number; absent when it tells none. Identifies a single item. Source: sysfs `serial`. */
  serial?: string
  /** When it was published. RFC 3339, UTC, milliseconds. */
  time: string
  /** The maker's name in the device's own words; absent when it tells none. Source: sysfs `manufacturer`. */
  vendor?: string
  /** Maker, four hex digits. Source: device descriptor, idVendor. */
  vendor_id: string
}

/** A file system, swap space or locked volume. */
export interface UsbFileSystem {
  /** Label; absent when it has none. */
  label?: string
  /** Its block device, as `/dev/sda1`. */
  node: string
  /** True when the block device refuses writing. */
  read_only: boolean
  /** Size of the block device in bytes. */
  size_bytes: number
  /** Type in mount's and blkid's words: `vfat`, `ext4`, `swap`, `crypto_LUKS` ... */
  type: string
  /** What it is for. */
  usage: UsbUsage
  /** Identifier in the form usual for the type; absent when it has none. Identifies a single item. */
  uuid?: string
}

/** What can be done with the content of a block device. */
export type UsbUsage = 'filesystem' | 'swap' | 'crypto'
