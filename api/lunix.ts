// Generated from crates/interfaces by `cargo xtask codegen`.

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
  /** Names one run of numbers: 16 hex digits. It outlives a restart of the daemon where its state does, and changes at boot. */
  epoch: string
  /** Path of the executable; absent for kernel threads and where it may not be read. Source: `/proc/<pid>/exe`. */
  executable?: string
  /** Exit code, 0–255; absent when a signal ended it, when it was replaced, and when nobody saw the end. */
  exit_code?: number
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
