//! Whom to ask about services: lunix-init on its control socket, or natsinit on the bus.

use super::{ask, open, socket};
use crate::bus;
use init_control::{Client, Reply, Request};
use interfaces::List;
use interfaces::init::{OutputLine, OutputTail, Service, ServiceStatus, Usage, UsageList};
use nats_client::blocking::Connection;
use nats_subject::encode_token;
use program::{Fatal, Given, exit};
use serde::de::DeserializeOwned;

/// One of the two.
pub(crate) enum Source {
    /// The control socket.
    Socket(Box<Client>),
    /// The bus.
    Bus(Box<Connection>),
}

impl Source {
    /// The bus when it was asked for, or when there is no socket at the usual place and NATS_URL says where a bus is; otherwise the socket.
    pub(crate) fn open(given: &Given) -> Result<Self, Fatal> {
        let over_bus = || bus::open(given).map(|connection| Self::Bus(Box::new(connection)));
        if given.has("bus") || given.has("url") {
            return over_bus();
        }
        match open(socket(given)) {
            Ok(client) => Ok(Self::Socket(Box::new(client))),
            Err(fatal) if fatal.code != exit::UNAVAILABLE || given.has("control") => Err(fatal),
            Err(fatal) if std::env::var_os("NATS_URL").is_none() => Err(fatal),
            Err(_) => over_bus(),
        }
    }

    /// All services.
    pub(crate) fn services(&mut self) -> Result<Vec<ServiceStatus<'static>>, Fatal> {
        match self {
            Self::Socket(client) => rows(client, &Request::List),
            Self::Bus(connection) => {
                let answer = answer(connection, "init.list", "")?;
                let list: List<'_, Service<'_>> = parsed("init.list", &answer)?;
                list.items.iter().map(|item| over_bus(connection, "init.status", Some(&item.body.name), "")).collect()
            }
        }
    }

    /// One of them.
    pub(crate) fn service(&mut self, name: &str) -> Result<ServiceStatus<'static>, Fatal> {
        match self {
            Self::Socket(client) => {
                let gone = || Fatal::new(exit::UNAVAILABLE, format!("there is no service {name}"));
                rows(client, &Request::Status { name })?.pop().ok_or_else(gone)
            }
            Self::Bus(connection) => over_bus(connection, "init.status", Some(name), ""),
        }
    }

    /// What one uses, or each that has processes.
    pub(crate) fn usage(&mut self, name: Option<&str>) -> Result<Vec<Usage<'static>>, Fatal> {
        match (self, name) {
            (Self::Socket(client), name) => {
                let mut all = Vec::new();
                ask(client, &Request::Usage { name }, |reply| {
                    if let Reply::Usage(usage) = reply {
                        all.push(usage.into());
                    }
                })?;
                Ok(all)
            }
            (Self::Bus(connection), None) => {
                let list: UsageList<'static> = over_bus(connection, "init.usage", None, "")?;
                Ok(list.items)
            }
            (Self::Bus(connection), Some(_)) => Ok(vec![over_bus(connection, "init.usage", name, "")?]),
        }
    }

    /// The newest lines of one, or of all, and how many older ones are gone. Over the bus there are 1000 at most.
    pub(crate) fn log(&mut self, name: Option<&str>, lines: Option<usize>) -> Result<OutputTail<'static>, Fatal> {
        let mut tail = match self {
            Self::Socket(client) => {
                let mut tail = OutputTail::default();
                ask(client, &Request::Log { name, follow: false }, |reply| match reply {
                    Reply::Line(line) => tail.lines.push(OutputLine::from(line)),
                    Reply::End { dropped, .. } => tail.dropped = *dropped,
                    Reply::Ok
                    | Reply::Refused { .. }
                    | Reply::Service(_)
                    | Reply::Usage(_)
                    | Reply::Event(_)
                    | Reply::Lost(_)
                    | Reply::Unknown => {}
                })?;
                tail
            }
            Self::Bus(connection) => {
                over_bus(connection, "init.log", name, &lines.unwrap_or(1000).clamp(1, 1000).to_string())?
            }
        };
        if let Some(lines) = lines {
            tail.lines.drain(..tail.lines.len().saturating_sub(lines));
        }
        Ok(tail)
    }

    /// Tells a service, or lunix-init itself where `name` is absent, to do something.
    pub(crate) fn command(&mut self, request: &Request<'_>, name: Option<&str>, argument: &str) -> Result<(), Fatal> {
        match self {
            Self::Socket(client) => ask(client, request, |_| {}),
            Self::Bus(connection) => {
                let subject = format!("init.control.{}", request.verb());
                over_bus::<serde_json::Value>(connection, &subject, name, argument).map(|_| ())
            }
        }
    }
}

fn rows(client: &mut Client, request: &Request<'_>) -> Result<Vec<ServiceStatus<'static>>, Fatal> {
    let mut all = Vec::new();
    ask(client, request, |reply| {
        if let Reply::Service(service) = reply {
            all.push(service.into());
        }
    })?;
    Ok(all)
}

fn over_bus<T: DeserializeOwned>(
    connection: &mut Connection,
    subject: &str,
    name: Option<&str>,
    argument: &str,
) -> Result<T, Fatal> {
    let subject = match name {
        Some(name) => format!("{subject}.{}", encode_token(name.as_bytes())),
        None => subject.to_owned(),
    };
    parsed(&subject, &answer(connection, &subject, argument)?)
}

fn answer(connection: &mut Connection, subject: &str, argument: &str) -> Result<Vec<u8>, Fatal> {
    let answer = connection.request(subject, argument.as_bytes(), bus::PATIENCE).map_err(|failure| {
        let fatal = bus::failed(failure);
        Fatal::new(fatal.code, format!("{subject}: {}", fatal.reason))
    })?;
    match bus::service_error(&answer.headers) {
        Some(fatal) => Err(Fatal::new(fatal.code, format!("natsinit refuses: {}", fatal.reason))),
        None => Ok(answer.payload),
    }
}

fn parsed<'a, T: serde::Deserialize<'a>>(subject: &str, payload: &'a [u8]) -> Result<T, Fatal> {
    serde_json::from_slice(payload).map_err(|error| Fatal::new(exit::DATA, format!("{subject}: {error}")))
}
