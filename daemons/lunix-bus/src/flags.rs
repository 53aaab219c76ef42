//! The command line: nats-server's flags, with one dash or two, and a few of our own.

use crate::config::Overrides;
use crate::server::Signalling;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// What `-h` prints.
pub const HELP: &str = "\
Usage: lunix-bus [options]

Server:
  -a, --addr, --net HOST       address to listen on (default 0.0.0.0)
  -p, --port PORT              port for clients (default 4222; -1: a free one)
  -n, --name, --server_name N  server name (default: drawn at start)
      --unix PATH              also listen on this unix socket; @NAME: abstract; may be repeated
  -c, --config FILE            configuration file
  -t, --check-config           check the configuration and exit
  -m, --http_port PORT         port for monitoring over HTTP (default: none; -1: a free one)
  -P, --pid FILE               write the process number to FILE
      --ports_file_dir DIR     write lunix-bus_PID.ports there
      --ready-fd N             write a newline to descriptor N when ready, and close it
      --sl, --signal COMMAND   ldm, reload, reopen, quit, term or stop; COMMAND=PID or COMMAND=FILE with the number:
                               send it to a running server
      --sd, --store_dir DIR    has no meaning without JetStream, as in nats-server: taken because test harnesses always give it
Logging:
  -l, --log FILE               log to FILE instead of standard error
  -D, --debug                  log clients coming and going
  -V, --trace                  log every operation
  -DV                          both
Authorization (TCP clients):
      --user USER --pass PASS  what a client must send
      --auth TOKEN             what a client must send instead
TLS:
      --tls                    TLS for clients
      --tlscert FILE           certificate of the server
      --tlskey FILE            its private key
      --tlsverify              clients must show a certificate
      --tlscacert FILE         certificates that vouch for theirs
Other:
  -h, --help                   this text
  -v, --version                version
";

/// What the command line asks for.
#[derive(Debug)]
pub enum Request {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Tell a running server what to do.
    Signal(Signalling),
    /// Run.
    Serve(Box<Flags>),
}

/// The flags of a run.
#[derive(Debug, Default)]
pub struct Flags {
    /// Configuration file.
    pub config: Option<PathBuf>,
    /// Only check the configuration.
    pub check: bool,
    /// Descriptor to report readiness on.
    pub ready_fd: Option<u32>,
    /// What overrides the file.
    pub overrides: Overrides,
}

/// A command line that makes no sense.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// A flag we do not have.
    Unknown(String),
    /// A flag of nats-server that we do not have.
    Unsupported(String),
    /// A flag without its value.
    MissingValue(String),
    /// A value that does not fit its flag.
    BadValue(String, String),
    /// A command for `--signal` that there is not.
    UnknownSignal(String),
    /// TLS is asked for, and this build has none.
    NoTls,
    /// Something that is no flag.
    Stray(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(flag) => write!(f, "flag provided but not defined: -{flag}"),
            Self::Unsupported(flag) => write!(f, "flag -{flag} of nats-server is not supported"),
            Self::MissingValue(flag) => write!(f, "flag needs an argument: -{flag}"),
            Self::BadValue(flag, value) => write!(f, "invalid value {value:?} for flag -{flag}"),
            Self::UnknownSignal(text) => write!(f, "unknown signal {text:?}"),
            Self::NoTls => f.write_str("this build has no TLS"),
            Self::Stray(text) => write!(f, "unrecognized argument {text:?}"),
        }
    }
}

impl std::error::Error for Error {}

#[derive(Clone, Copy)]
enum Flag {
    Address,
    Port,
    Name,
    Unix,
    Config,
    Pid,
    PortsDirectory,
    ReadyFd,
    StoreDirectory,
    Log,
    Signal,
    HttpPort,
    User,
    Password,
    Token,
    Tls,
    TlsVerify,
    TlsCertificate,
    TlsKey,
    TlsRoots,
    Check,
    Debug,
    Trace,
    DebugTrace,
    Help,
    Version,
}

const FLAGS: &[(&str, Flag)] = &[
    ("a", Flag::Address),
    ("addr", Flag::Address),
    ("net", Flag::Address),
    ("p", Flag::Port),
    ("port", Flag::Port),
    ("n", Flag::Name),
    ("name", Flag::Name),
    ("server_name", Flag::Name),
    ("unix", Flag::Unix),
    ("c", Flag::Config),
    ("config", Flag::Config),
    ("P", Flag::Pid),
    ("pid", Flag::Pid),
    ("ports_file_dir", Flag::PortsDirectory),
    ("ready-fd", Flag::ReadyFd),
    ("sd", Flag::StoreDirectory),
    ("store_dir", Flag::StoreDirectory),
    ("l", Flag::Log),
    ("log", Flag::Log),
    ("sl", Flag::Signal),
    ("signal", Flag::Signal),
    ("m", Flag::HttpPort),
    ("http_port", Flag::HttpPort),
    ("user", Flag::User),
    ("pass", Flag::Password),
    ("auth", Flag::Token),
    ("tls", Flag::Tls),
    ("tlsverify", Flag::TlsVerify),
    ("tlscert", Flag::TlsCertificate),
    ("tlskey", Flag::TlsKey),
    ("tlscacert", Flag::TlsRoots),
    ("t", Flag::Check),
    ("check-config", Flag::Check),
    ("D", Flag::Debug),
    ("debug", Flag::Debug),
    ("V", Flag::Trace),
    ("trace", Flag::Trace),
    ("DV", Flag::DebugTrace),
    ("h", Flag::Help),
    ("help", Flag::Help),
    ("v", Flag::Version),
    ("version", Flag::Version),
];

/// Flags of nats-server that are refused by name.
const UNSUPPORTED: &[&str] = &[
    "ms",
    "https_port",
    "client_advertise",
    "T",
    "logtime",
    "logtime_utc",
    "s",
    "syslog",
    "r",
    "remote_syslog",
    "VV",
    "DVV",
    "log_size_limit",
    "max_traced_msg_len",
    "js",
    "jetstream",
    "routes",
    "cluster",
    "cluster_name",
    "no_advertise",
    "cluster_advertise",
    "connect_retries",
    "cluster_listen",
    "profile",
    "help_tls",
];

/// Reads the arguments after the program's name.
///
/// # Errors
/// The first argument that makes no sense.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, Error> {
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    let mut flags = Flags::default();
    while let Some(argument) = arguments.next() {
        let Some(text) = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')) else {
            return Err(Error::Stray(argument));
        };
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        };
        let Some(&(_, flag)) = FLAGS.iter().find(|(known, _)| *known == name) else {
            let unsupported = UNSUPPORTED.contains(&name);
            return Err(if unsupported { Error::Unsupported(name.into()) } else { Error::Unknown(name.into()) });
        };
        match flag {
            Flag::Help => return Ok(Request::Help),
            Flag::Version => return Ok(Request::Version),
            Flag::Signal => {
                let value = attached.or_else(|| arguments.next()).ok_or_else(|| Error::MissingValue(name.into()))?;
                let signalling = Signalling::parse(&value).ok_or(Error::UnknownSignal(value))?;
                return Ok(Request::Signal(signalling));
            }
            Flag::Tls => flags.overrides.tls = Some(switched(name, attached.as_deref())?),
            Flag::TlsVerify => flags.overrides.tls_verify = switched(name, attached.as_deref())?,
            Flag::Check => flags.check = true,
            Flag::Debug => flags.overrides.debug = true,
            Flag::Trace => flags.overrides.trace = true,
            Flag::DebugTrace => (flags.overrides.debug, flags.overrides.trace) = (true, true),
            Flag::Address
            | Flag::Port
            | Flag::Name
            | Flag::Unix
            | Flag::Config
            | Flag::Pid
            | Flag::PortsDirectory
            | Flag::ReadyFd
            | Flag::StoreDirectory
            | Flag::Log
            | Flag::HttpPort
            | Flag::User
            | Flag::Password
            | Flag::TlsCertificate
            | Flag::TlsKey
            | Flag::TlsRoots
            | Flag::Token => {
                let value = attached.or_else(|| arguments.next()).ok_or_else(|| Error::MissingValue(name.into()))?;
                set(&mut flags, flag, name, value)?;
            }
        }
    }
    Ok(Request::Serve(Box::new(flags)))
}

fn set(flags: &mut Flags, flag: Flag, name: &str, value: String) -> Result<(), Error> {
    let overrides = &mut flags.overrides;
    match flag {
        Flag::Address => overrides.host = Some(value),
        Flag::Port => overrides.port = Some(port(name, &value)?),
        Flag::HttpPort => overrides.http_port = Some(port(name, &value)?),
        Flag::Name => overrides.name = Some(value),
        Flag::Unix => overrides.unix.push(value),
        Flag::Config => flags.config = Some(value.into()),
        Flag::Pid => overrides.pid_file = Some(value.into()),
        Flag::PortsDirectory => overrides.ports_directory = Some(value.into()),
        Flag::ReadyFd => {
            flags.ready_fd = Some(value.parse().map_err(|_| Error::BadValue(name.into(), value))?);
        }
        Flag::Log => overrides.log_file = Some(value.into()),
        Flag::User => overrides.user = Some(value),
        Flag::Password => overrides.password = Some(value),
        Flag::Token => overrides.token = Some(value),
        Flag::TlsCertificate => overrides.tls_certificate = Some(value.into()),
        Flag::TlsKey => overrides.tls_key = Some(value.into()),
        Flag::TlsRoots => overrides.tls_roots = Some(value.into()),
        // Those without a value are dealt with by the caller; nothing is ever stored.
        Flag::StoreDirectory
        | Flag::Signal
        | Flag::Tls
        | Flag::TlsVerify
        | Flag::Check
        | Flag::Debug
        | Flag::Trace
        | Flag::DebugTrace
        | Flag::Help
        | Flag::Version => {}
    }
    Ok(())
}

/// A switch that is on, unless `=false` is attached to it.
fn switched(name: &str, attached: Option<&str>) -> Result<bool, Error> {
    if !cfg!(feature = "tls") {
        return Err(Error::NoTls);
    }
    let value = attached.unwrap_or("true");
    value.parse().map_err(|_| Error::BadValue(name.into(), value.into()))
}

/// A port; -1 is 0, a free one.
fn port(name: &str, value: &str) -> Result<u16, Error> {
    let port = if value == "-1" { Ok(0) } else { value.parse() };
    port.map_err(|_| Error::BadValue(name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, Error> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn one_dash_or_two_and_values_attached_or_not() {
        for line in [
            "-a ::1 -p 4333 -DV -sd /tmp",
            "--store_dir /tmp --addr ::1 --port 4333 --debug --trace",
            "--addr=::1 -port=4333 -D -V",
        ] {
            let Ok(Request::Serve(flags)) = parsed(line) else { panic!("{line}") };
            let overrides = flags.overrides;
            assert_eq!((overrides.host.as_deref(), overrides.port), (Some("::1"), Some(4333)));
            assert!(overrides.debug && overrides.trace);
        }
        assert!(matches!(parsed("-p -1"), Ok(Request::Serve(flags)) if flags.overrides.port == Some(0)));
        assert!(matches!(parsed("--version"), Ok(Request::Version)));
        assert!(matches!(parsed("-h"), Ok(Request::Help)));
    }

    #[test]
    fn what_is_not_there_is_refused_by_name() {
        for (line, text) in [
            ("--bogus", "flag provided but not defined: -bogus"),
            ("--jetstream", "flag -jetstream of nats-server is not supported"),
            ("-p", "flag needs an argument: -p"),
            ("-p 70000", "invalid value \"70000\" for flag -p"),
            ("start", "unrecognized argument \"start\""),
        ] {
            assert_eq!(parsed(line).map(|_| ()).unwrap_err().to_string(), text);
        }
    }

    #[test]
    fn every_flag_is_in_the_help() {
        for (name, _) in FLAGS {
            assert!(HELP.contains(&format!("-{name}")), "{name}");
        }
    }
}
