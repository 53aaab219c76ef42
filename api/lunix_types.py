# Generated from crates/interfaces by `cargo xtask codegen`.
from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class MachineEvent(TypedDict):
    """The whole machine is about to stop."""

    epoch: str
    reason: NotRequired[str]
    seq: int
    time: str


class Overrun(TypedDict):
    """The kernel dropped events; the state was compared with the system and differences were published."""

    time: str


#: Answers the oldest matching process id, in digits; status 503 when nothing matches.
Pid = int


class ProcessExited(TypedDict):
    """A program ended, or its process runs another one now."""

    comm: str
    epoch: str
    executable: NotRequired[str]
    exit_code: NotRequired[int]
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
