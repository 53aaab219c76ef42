//! Everything that can be typed.

use program::flags::{HELP, VERSION};
use program::{Argument, Command, Flag, Shell, Times};

const BUS: Flag = Flag {
    long: "url",
    short: Some('u'),
    value: Some("URL"),
    help: "address of the bus: nats://host:port or unix:///path",
};
const GET: Flag = Flag {
    long: "get",
    short: Some('g'),
    value: Some("FIELD"),
    help: "print this field of the JSON payload alone; dots lead inwards, as in filesystems.0.label",
};
const RAW: Flag =
    Flag { long: "raw", short: Some('r'), value: None, help: "print the payload alone, byte for byte, and a newline" };
const CONTROL: Flag = Flag {
    long: "control",
    short: None,
    value: Some("PATH"),
    help: "control socket of lunix-init (default /run/lunix/init.sock)",
};

const fn once(name: &'static str, help: &'static str) -> Argument {
    Argument { name, times: Times::Once, help, words: &[] }
}

const fn maybe(name: &'static str, help: &'static str) -> Argument {
    Argument { name, times: Times::Maybe, help, words: &[] }
}

/// The whole table.
pub const LUNIX: Command = Command {
    name: "lunix",
    summary: "talks to the bus and to lunix-init",
    common: &[VERSION, HELP],
    commands: &[SUB, PUB, REQ, LOG, STATUS, SERVICE, INIT, POWEROFF, REBOOT, HALT, UP, TIED, COMPLETIONS, HELP_OF],
    ..Command::NEW
};

const SUB: Command = Command {
    name: "sub",
    summary: "prints messages as they come, one line each: subject and payload",
    flags: &[
        GET,
        Flag {
            long: "state",
            short: Some('s'),
            value: None,
            help: "print what is there first, and then every change once",
        },
        Flag { long: "count", short: Some('n'), value: Some("N"), help: "end after N lines" },
        Flag {
            long: "queue",
            short: Some('q'),
            value: Some("NAME"),
            help: "share the messages with the others of this queue",
        },
        RAW,
        BUS,
    ],
    arguments: &[Argument {
        name: "SUBJECT",
        times: Times::Some,
        help: "what to subscribe to; * stands for a token, > for the rest",
        words: &[],
    }],
    ..Command::NEW
};

const PUB: Command = Command {
    name: "pub",
    summary: "publishes a message and waits until the bus has taken it",
    flags: &[
        Flag { long: "header", short: Some('H'), value: Some("KEY:VALUE"), help: "add a header; may be repeated" },
        Flag { long: "reply", short: None, value: Some("SUBJECT"), help: "where answers go" },
        BUS,
    ],
    arguments: &[
        once("SUBJECT", "where to publish"),
        maybe("PAYLOAD", "the payload; - reads it from standard input; empty when absent"),
    ],
    ..Command::NEW
};

const REQ: Command = Command {
    name: "req",
    summary: "sends a request and prints the payload of the first answer",
    flags: &[
        Flag {
            long: "timeout",
            short: Some('t'),
            value: Some("TIME"),
            help: "how long to wait: 500ms, 2s, 1m (default 2s)",
        },
        GET,
        RAW,
        BUS,
    ],
    arguments: &[
        once("SUBJECT", "what to ask"),
        maybe("PAYLOAD", "the payload; - reads it from standard input; empty when absent"),
    ],
    ..Command::NEW
};

const LOG: Command = Command {
    name: "log",
    summary: "prints lines of the log, the newest that are kept",
    flags: &[
        Flag { long: "follow", short: Some('f'), value: None, help: "go on with the lines that come" },
        Flag {
            long: "source",
            short: Some('s'),
            value: Some("SOURCE"),
            help: "only those of this source: a service, kernel, user-1000, bus ...",
        },
        Flag {
            long: "severity",
            short: Some('p'),
            value: Some("WORD"),
            help: "only those at least as bad: err, warning ...",
        },
        Flag {
            long: "program",
            short: Some('t'),
            value: Some("NAME"),
            help: "only those of this program, as it calls itself",
        },
        Flag { long: "since", short: None, value: Some("N"), help: "all with a greater number, the oldest first" },
        Flag {
            long: "count",
            short: Some('n'),
            value: Some("N"),
            help: "at most so many at a time, 1 to 1000 (default 100)",
        },
        Flag { long: "raw", short: Some('r'), value: None, help: "print the JSON objects" },
        BUS,
    ],
    ..Command::NEW
};

const STATUS: Command = Command {
    name: "status",
    summary: "shows the daemons on the bus and the services of lunix-init",
    flags: &[BUS, CONTROL],
    ..Command::NEW
};

const NAME: Argument = once("NAME", "the service");

const SERVICE: Command = Command {
    name: "service",
    summary: "looks at services and controls them",
    commands: &[
        Command { name: "list", summary: "lists the services", flags: &[CONTROL], ..Command::NEW },
        Command {
            name: "start",
            summary: "runs it, whatever its directory says",
            flags: &[CONTROL],
            arguments: &[NAME],
            ..Command::NEW
        },
        Command {
            name: "stop",
            summary: "ends it and leaves it down, whatever its directory says",
            flags: &[CONTROL],
            arguments: &[NAME],
            ..Command::NEW
        },
        Command {
            name: "restart",
            summary: "ends it and runs it again",
            flags: &[CONTROL],
            arguments: &[NAME],
            ..Command::NEW
        },
        Command {
            name: "why",
            summary: "says why it does not run, and what it waits for in turn",
            flags: &[CONTROL],
            arguments: &[NAME],
            ..Command::NEW
        },
        Command { name: "tree", summary: "shows what depends on what", flags: &[CONTROL], ..Command::NEW },
        Command {
            name: "reload",
            summary: "tells it to read its configuration again, by its program reload or by SIGHUP",
            flags: &[CONTROL],
            arguments: &[NAME],
            ..Command::NEW
        },
        Command {
            name: "log",
            summary: "prints the lines that lunix-init keeps of the services' output",
            flags: &[CONTROL],
            arguments: &[maybe("NAME", "only those of this service")],
            ..Command::NEW
        },
        CONVERT,
    ],
    ..Command::NEW
};

const CONVERT: Command = Command {
    name: "convert",
    summary: "makes service directories of units of systemd, and says what does not come along",
    flags: &[
        Flag {
            long: "output",
            short: Some('o'),
            value: Some("DIR"),
            help: "write the directories there; without it they are printed",
        },
        Flag { long: "root", short: None, value: Some("DIR"), help: "look for units below DIR (default /)" },
        Flag { long: "strict", short: None, value: None, help: "exit 1 when something does not come along" },
    ],
    arguments: &[Argument {
        name: "UNIT",
        times: Times::Some,
        help: "a unit by its name, or by its path when there is a slash in it",
        words: &[],
    }],
    ..Command::NEW
};

const INIT: Command = Command {
    name: "init",
    summary: "looks after lunix-init itself",
    commands: &[Command {
        name: "reexec",
        summary: "lets the lunix-init that is installed now take over; services do not notice",
        flags: &[CONTROL],
        ..Command::NEW
    }],
    ..Command::NEW
};

const POWEROFF: Command = Command {
    name: "poweroff",
    summary: "stops everything and switches the machine off",
    flags: &[CONTROL],
    ..Command::NEW
};
const REBOOT: Command =
    Command { name: "reboot", summary: "stops everything and boots again", flags: &[CONTROL], ..Command::NEW };
const HALT: Command =
    Command { name: "halt", summary: "stops everything and stands still", flags: &[CONTROL], ..Command::NEW };

const UP: Command = Command {
    name: "up",
    summary: "runs a bus and the daemons here, as an ordinary user, until it is interrupted",
    flags: &[
        Flag { long: "bus", short: Some('b'), value: Some("URL"), help: "use the bus there instead of one of our own" },
        Flag { long: "quiet", short: None, value: None, help: "print no events" },
    ],
    ..Command::NEW
};

const TIED: Command = Command {
    name: "tied",
    summary: "executes a program that is told to end (SIGTERM) when its parent ends",
    flags: &[Flag {
        long: "parent",
        short: None,
        value: Some("PID"),
        help: "do not start when the parent is another one",
    }],
    arguments: &[Argument {
        name: "PROGRAM",
        times: Times::Some,
        help: "the program and its arguments, after -- when they begin with a dash",
        words: &[],
    }],
    ..Command::NEW
};

const COMPLETIONS: Command = Command {
    name: "completions",
    summary: "prints a script that teaches a shell this program's words",
    arguments: &[Argument { name: "SHELL", times: Times::Once, help: "the shell", words: Shell::NAMES }],
    ..Command::NEW
};

const HELP_OF: Command = Command {
    name: "help",
    summary: "prints the help of a command",
    arguments: &[maybe("COMMAND", "the command"), maybe("COMMAND", "")],
    ..Command::NEW
};
