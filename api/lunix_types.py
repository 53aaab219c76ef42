# Generated from crates/interfaces by `cargo xtask codegen`.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class GenerationEvent(TypedDict):
    """The service directory is another one: what differs."""

    added: NotRequired[list[str]]
    changed: NotRequired[list[str]]
    epoch: str
    generation: int
    kept: int
    omitted: NotRequired[int]
    reason: NotRequired[str]
    removed: NotRequired[list[str]]
    seq: int
    time: str
    took_ms: NotRequired[int]


class HardwareList(TypedDict):
    """Answers everything that is plugged in, or all of one class."""

    epoch: str
    items: list[HardwareListItem]
    note: NotRequired[str]
    seq: int


class HardwareListFileSystem(TypedDict):
    """A file system, swap space or locked volume."""

    label: NotRequired[str]
    node: str
    read_only: bool
    size_bytes: int
    type: str
    usage: HardwareListUsage
    uuid: NotRequired[str]


class HardwareListInput(TypedDict):
    """What a person uses to enter something: a keyboard, mouse, touch screen, button. Announced once its event node exists."""

    devpath: str
    kind: HardwareListInputKind
    name: str
    node: NotRequired[str]
    phys: NotRequired[str]


#: Kinds of input devices; a device that is several is the first that fits.
HardwareListInputKind = Literal["keyboard", "mouse", "touchpad", "touchscreen", "tablet", "joystick", "buttons", "switch", "other"]


class HardwareListItem(TypedDict):
    """One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement."""

    subject: str


class HardwareListNet(TypedDict):
    """A network interface with hardware behind it."""

    address: NotRequired[str]
    devpath: str
    devtype: NotRequired[str]
    ifindex: int
    name: str


class HardwareListStorage(TypedDict):
    """A file system or the like on a block device of any kind: announced once it has been recognised, also when a card is put into a reader that has been there for long."""

    devpath: str
    diskseq: NotRequired[int]
    label: NotRequired[str]
    node: str
    read_only: bool
    removable: bool
    size_bytes: int
    type: str
    usage: HardwareListUsage
    usb: NotRequired[Any]
    uuid: NotRequired[str]


class HardwareListTty(TypedDict):
    """A serial port with hardware behind it."""

    devpath: str
    node: str


#: What can be done with the content of a block device.
HardwareListUsage = Literal["filesystem", "swap", "crypto"]


class HardwareListUsb(TypedDict):
    """A USB device, hubs included, the machine's own root hubs not. Announced once its drivers are bound, and for mass storage once its disk has been looked at: about 1.5 s after plugging, at most 5 s (a card reader without a card takes that long)."""

    devpath: str
    filesystem: NotRequired[str]
    filesystems: NotRequired[list[HardwareListFileSystem]]
    interfaces: list[str]
    node: str
    product: NotRequired[str]
    product_id: str
    serial: NotRequired[str]
    vendor: NotRequired[str]
    vendor_id: str


class HardwareListUsbIdentity(TypedDict):
    """Who a USB device is."""

    devpath: str
    product_id: str
    serial: NotRequired[str]
    vendor_id: str


class HardwareOverrun(TypedDict):
    """The kernel dropped events; the differences have been published."""

    time: str


class Input(TypedDict):
    """It is gone; the same fields as on add."""

    devpath: str
    epoch: str
    kind: InputInputKind
    name: str
    node: NotRequired[str]
    phys: NotRequired[str]
    seq: int
    time: str


#: Kinds of input devices; a device that is several is the first that fits.
InputInputKind = Literal["keyboard", "mouse", "touchpad", "touchscreen", "tablet", "joystick", "buttons", "switch", "other"]


class LogEntry(TypedDict):
    """Writes a line; plain text and a JSON string are taken as its message."""

    facility: NotRequired[str]
    message: str
    pid: NotRequired[int]
    program: NotRequired[str]
    severity: NotRequired[Any]


#: How bad it is, the worst first.
LogEntrySeverity = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]


class LogLine(TypedDict):
    """A line about who came in and what he was allowed."""

    epoch: str
    facility: str
    host: NotRequired[str]
    message: str
    message_id: NotRequired[str]
    monotonic_us: int
    pid: NotRequired[int]
    process: NotRequired[str]
    program: NotRequired[str]
    raw: NotRequired[str]
    seq: int
    severity: LogLineSeverity
    source: str
    structured: NotRequired[list[LogLineElement]]
    time: str
    uid: NotRequired[int]
    written: NotRequired[str]


class LogLineElement(TypedDict):
    """An element of structured data."""

    id: str
    parameters: list[LogLineParameter]


class LogLineParameter(TypedDict):
    """A parameter of structured data."""

    name: str
    value: str


#: How bad it is, the worst first.
LogLineSeverity = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]


class LogTail(TypedDict):
    """Answers lines that are still kept; argument: source, severity, program, since, count."""

    epoch: str
    items: list[LogTailItem]
    oldest: int
    seq: int


class LogTailElement(TypedDict):
    """An element of structured data."""

    id: str
    parameters: list[LogTailParameter]


class LogTailItem(TypedDict):
    """One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement."""

    epoch: str
    facility: str
    host: NotRequired[str]
    message: str
    message_id: NotRequired[str]
    monotonic_us: int
    pid: NotRequired[int]
    process: NotRequired[str]
    program: NotRequired[str]
    raw: NotRequired[str]
    seq: int
    severity: LogTailSeverity
    source: str
    structured: NotRequired[list[LogTailElement]]
    subject: str
    time: str
    uid: NotRequired[int]
    written: NotRequired[str]


class LogTailParameter(TypedDict):
    """A parameter of structured data."""

    name: str
    value: str


#: How bad it is, the worst first.
LogTailSeverity = Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]


class MachineEvent(TypedDict):
    """The whole machine is about to stop."""

    epoch: str
    reason: NotRequired[str]
    seq: int
    time: str


class Net(TypedDict):
    """It is gone; the same fields as on add."""

    address: NotRequired[str]
    devpath: str
    devtype: NotRequired[str]
    epoch: str
    ifindex: int
    name: str
    seq: int
    time: str


class NetworkAddress(TypedDict):
    """It can not any more."""

    address: str
    epoch: str
    family: NetworkAddressFamily
    ifindex: int
    interface: str
    peer: NotRequired[str]
    prefix_len: int
    scope: str
    seq: int
    time: str


#: IPv4 or IPv6.
NetworkAddressFamily = Literal["inet", "inet6"]


class NetworkLink(TypedDict):
    """Hardware address, MTU or master changed."""

    epoch: str
    ifindex: int
    kind: NotRequired[str]
    mac: NotRequired[str]
    master: NotRequired[int]
    mtu: NotRequired[int]
    name: str
    seq: int
    time: str
    up: bool


class NetworkList(TypedDict):
    """Answers everything there is, or what has this second token in its subject."""

    epoch: str
    items: list[NetworkListItem]
    note: NotRequired[str]
    seq: int


class NetworkListAddress(TypedDict):
    """An address that can be used."""

    address: str
    family: NetworkListFamily
    ifindex: int
    interface: str
    peer: NotRequired[str]
    prefix_len: int
    scope: str


class NetworkListDefaultRoute(TypedDict):
    """A route to everywhere, in the main table."""

    family: NetworkListFamily
    gateway: NotRequired[str]
    interface: NotRequired[str]
    metric: int
    protocol: str


#: IPv4 or IPv6.
NetworkListFamily = Literal["inet", "inet6"]


class NetworkListItem(TypedDict):
    """One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement."""

    subject: str


class NetworkListLink(TypedDict):
    """A network interface."""

    ifindex: int
    kind: NotRequired[str]
    mac: NotRequired[str]
    master: NotRequired[int]
    mtu: NotRequired[int]
    name: str
    up: bool


class NetworkListNeighbour(TypedDict):
    """A neighbour whose hardware address is known."""

    address: str
    interface: str
    mac: str


class NetworkListReach(TypedDict):
    """Whether packets can leave the machine: there is a default route through an interface that is up, and an address to send them from. Announced when that has held for a while (half a second unless configured otherwise)."""

    inet: bool
    inet6: bool
    online: bool


class NetworkListSwitch(TypedDict):
    """A radio switch."""

    hard_blocked: bool
    radio: str
    soft_blocked: bool
    switch: str


class NetworkListWifi(TypedDict):
    """A Wi-Fi link."""

    bssid: NotRequired[str]
    connected: bool
    frequency_mhz: NotRequired[int]
    interface: str
    reason: NotRequired[int]
    signal_dbm: NotRequired[int]
    ssid: NotRequired[str]


class NetworkNeighbour(TypedDict):
    """It is lost."""

    address: str
    epoch: str
    interface: str
    mac: str
    seq: int
    time: str


class NetworkReach(TypedDict):
    """They can not any more."""

    epoch: str
    inet: bool
    inet6: bool
    online: bool
    seq: int
    time: str


class NetworkRenamed(TypedDict):
    """It has another name."""

    epoch: str
    ifindex: int
    kind: NotRequired[str]
    mac: NotRequired[str]
    master: NotRequired[int]
    mtu: NotRequired[int]
    name: str
    previous_name: str
    seq: int
    time: str
    up: bool


class NetworkRoute(TypedDict):
    """It is gone."""

    epoch: str
    family: NetworkRouteFamily
    gateway: NotRequired[str]
    interface: NotRequired[str]
    metric: int
    protocol: str
    seq: int
    time: str


#: IPv4 or IPv6.
NetworkRouteFamily = Literal["inet", "inet6"]


class NetworkScan(TypedDict):
    """A search ended."""

    aborted: bool
    interface: str


class NetworkSwitch(TypedDict):
    """The radio is on."""

    epoch: str
    hard_blocked: bool
    radio: str
    seq: int
    soft_blocked: bool
    switch: str
    time: str


class NetworkWifi(TypedDict):
    """Its signal crossed a threshold."""

    bssid: NotRequired[str]
    connected: bool
    epoch: str
    frequency_mhz: NotRequired[int]
    interface: str
    reason: NotRequired[int]
    seq: int
    signal_dbm: NotRequired[int]
    ssid: NotRequired[str]
    time: str


class OutputTail(TypedDict):
    """The same of one service."""

    dropped: int
    lines: list[OutputTailOutputLine]


class OutputTailOutputLine(TypedDict):
    """One line of a service's output."""

    line: str
    service: str


class Overrun(TypedDict):
    """The kernel dropped events; the state was compared with the system and differences were published."""

    time: str


#: Answers the oldest matching process id, in digits; status 503 when nothing matches.
Pid = int


class ProcessExited(TypedDict):
    """A program ended, or its process runs another one now."""

    comm: str
    cpu_us: NotRequired[int]
    epoch: str
    executable: NotRequired[str]
    exit_code: NotRequired[int]
    memory_peak_bytes: NotRequired[int]
    name: str
    parent_pid: int
    pid: int
    replaced_by: NotRequired[str]
    script: NotRequired[str]
    seq: int
    signal: NotRequired[int]
    started: str
    time: str
    uid: int


class ProcessList(TypedDict):
    """Answers every running process."""

    epoch: str
    items: list[ProcessListItem]
    note: NotRequired[str]
    seq: int


class ProcessListItem(TypedDict):
    """One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement."""

    comm: str
    executable: NotRequired[str]
    name: str
    parent_pid: int
    pid: int
    script: NotRequired[str]
    started: str
    subject: str
    uid: int


class ProcessStarted(TypedDict):
    """A program started."""

    comm: str
    epoch: str
    executable: NotRequired[str]
    name: str
    parent_pid: int
    pid: int
    script: NotRequired[str]
    seq: int
    started: str
    time: str
    uid: int


class ServiceEvent(TypedDict):
    """Something happened to a service."""

    epoch: str
    exit_code: NotRequired[int]
    name: str
    pid: NotRequired[int]
    reason: NotRequired[str]
    seq: int
    signal: NotRequired[int]
    time: str


class ServiceList(TypedDict):
    """Answers every service, under the last thing that happened to it."""

    epoch: str
    items: list[ServiceListItem]
    note: NotRequired[str]
    seq: int


class ServiceListItem(TypedDict):
    """One thing of a domain's state: the subject it was, or would have been, announced under, and the fields of that announcement."""

    exit_code: NotRequired[int]
    name: str
    pid: NotRequired[int]
    reason: NotRequired[str]
    signal: NotRequired[int]
    subject: str


class ServiceStatus(TypedDict):
    """Tells a service to start, stop, restart, reload or run once, or sends it the signal of the argument `signal`; answers its state when lunix-init has taken note."""

    after: NotRequired[list[str]]
    exit_code: NotRequired[int]
    name: str
    once: NotRequired[bool]
    override: NotRequired[str]
    pid: NotRequired[int]
    process_ms: NotRequired[int]
    ready_ms: NotRequired[int]
    reason: NotRequired[str]
    restarts: NotRequired[int]
    signal: NotRequired[int]
    since_ms: NotRequired[int]
    state: str
    status: NotRequired[str]
    type: NotRequired[str]
    wanted: NotRequired[bool]


class Storage(TypedDict):
    """It is gone; the same fields as on add."""

    devpath: str
    diskseq: NotRequired[int]
    epoch: str
    label: NotRequired[str]
    node: str
    read_only: bool
    removable: bool
    seq: int
    size_bytes: int
    time: str
    type: str
    usage: StorageUsage
    usb: NotRequired[Any]
    uuid: NotRequired[str]


#: What can be done with the content of a block device.
StorageUsage = Literal["filesystem", "swap", "crypto"]


class StorageUsbIdentity(TypedDict):
    """Who a USB device is."""

    devpath: str
    product_id: str
    serial: NotRequired[str]
    vendor_id: str


class Taken(TypedDict):
    """Tells lunix-init to rescan the service directory, or to poweroff, reboot or halt the machine."""

    taken: str


class Toast(TypedDict):
    """Shows a toast; plain text and a JSON string are taken as its summary."""

    application: NotRequired[str]
    body: NotRequired[str]
    summary: str
    urgency: NotRequired[ToastUrgency]


class ToastShown(TypedDict):
    """A toast was shown."""

    application: NotRequired[str]
    body: NotRequired[str]
    epoch: str
    id: int
    seq: int
    summary: str
    time: str
    urgency: NotRequired[ToastShownUrgency]


#: How much a toast wants to be seen (freedesktop notifications, 'urgency').
ToastShownUrgency = Literal["low", "normal", "critical"]


#: How much a toast wants to be seen (freedesktop notifications, 'urgency').
ToastUrgency = Literal["low", "normal", "critical"]


class Tty(TypedDict):
    """It is gone; the same fields as on add."""

    devpath: str
    epoch: str
    node: str
    seq: int
    time: str


class Usage(TypedDict):
    """Answers what a service uses of the machine."""

    cpu_pressure_per_10000: NotRequired[int]
    cpu_system_us: NotRequired[int]
    cpu_us: NotRequired[int]
    cpu_user_us: NotRequired[int]
    io_pressure_per_10000: NotRequired[int]
    io_read_bytes: NotRequired[int]
    io_write_bytes: NotRequired[int]
    memory_bytes: NotRequired[int]
    memory_peak_bytes: NotRequired[int]
    memory_pressure_per_10000: NotRequired[int]
    name: str
    pids: NotRequired[int]
    process_only: NotRequired[bool]
    swap_bytes: NotRequired[int]


class UsageList(TypedDict):
    """Answers what each service that has processes uses of the machine."""

    items: list[UsageListUsage]


class UsageListUsage(TypedDict):
    """What a service uses of the machine, as cgroup v2 counts it (`Documentation/admin-guide/cgroup-v2.rst`) at the moment of the answer. A number that the kernel does not count is absent. The share of a processor takes two answers: the difference of `cpu_us` over the time between them."""

    cpu_pressure_per_10000: NotRequired[int]
    cpu_system_us: NotRequired[int]
    cpu_us: NotRequired[int]
    cpu_user_us: NotRequired[int]
    io_pressure_per_10000: NotRequired[int]
    io_read_bytes: NotRequired[int]
    io_write_bytes: NotRequired[int]
    memory_bytes: NotRequired[int]
    memory_peak_bytes: NotRequired[int]
    memory_pressure_per_10000: NotRequired[int]
    name: str
    pids: NotRequired[int]
    process_only: NotRequired[bool]
    swap_bytes: NotRequired[int]


class Usb(TypedDict):
    """It is gone; the same fields as on add."""

    devpath: str
    epoch: str
    filesystem: NotRequired[str]
    filesystems: NotRequired[list[UsbFileSystem]]
    interfaces: list[str]
    node: str
    product: NotRequired[str]
    product_id: str
    seq: int
    serial: NotRequired[str]
    time: str
    vendor: NotRequired[str]
    vendor_id: str


class UsbFileSystem(TypedDict):
    """A file system, swap space or locked volume."""

    label: NotRequired[str]
    node: str
    read_only: bool
    size_bytes: int
    type: str
    usage: UsbUsage
    uuid: NotRequired[str]


#: What can be done with the content of a block device.
UsbUsage = Literal["filesystem", "swap", "crypto"]
