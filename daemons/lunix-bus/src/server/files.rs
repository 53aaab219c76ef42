//! Files that tell others where we are: process number, ports, readiness.

use super::error::Error;
use super::listen::Listener;
use super::log::Log;
use crate::broker::json::quote;
use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use sys::notify::Notify;

/// A file that is removed at the end.
#[derive(Debug)]
pub(crate) struct Written(PathBuf);

impl Drop for Written {
    fn drop(&mut self) {
        // Nothing can be done about it while ending.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes the process number.
pub(crate) fn process_number(path: &Path) -> Result<Written, Error> {
    write(path, &std::process::id().to_string())
}

/// Where the server is reached: URLs by what they are for.
#[derive(Debug, Default)]
pub(crate) struct Urls(Vec<(&'static str, Vec<String>)>);

impl Urls {
    /// Adds the addresses of a listener. Where an address stands for all of the machine, each is told.
    pub(crate) fn add(&mut self, key: &'static str, scheme: &str, listener: &Listener) {
        let place = self.0.iter().position(|(known, _)| *known == key).unwrap_or(self.0.len());
        if place == self.0.len() {
            self.0.push((key, Vec::new()));
        }
        if let Some((_, urls)) = self.0.get_mut(place) {
            urls.extend(urls_of(scheme, listener));
        }
    }

    fn json(&self) -> String {
        let lists: Vec<String> = self.0.iter().map(|(key, urls)| format!("\"{key}\":[{}]", urls.join(","))).collect();
        format!("{{{}}}", lists.join(","))
    }
}

/// Writes `lunix-bus_PID.ports`, as nats-server names it after its own program. Unix sockets are told, too, which nats-server has none
/// of.
pub(crate) fn ports(directory: &Path, urls: &Urls) -> Result<Written, Error> {
    let program = std::env::current_exe().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    let name = format!("{}_{}.ports", program.as_deref().unwrap_or("lunix-bus"), std::process::id());
    write(&directory.join(name), &urls.json())
}

fn write(path: &Path, text: &str) -> Result<Written, Error> {
    fs::write(path, text).map_err(|error| Error::Create(path.display().to_string(), error))?;
    Ok(Written(path.to_owned()))
}

/// The listener's addresses as quoted URLs.
fn urls_of(scheme: &str, listener: &Listener) -> Vec<String> {
    let Some(address) = listener.address() else { return vec![quoted(&format!("{scheme}://{}", listener.name))] };
    let all = if address.ip().is_unspecified() { sys::network::addresses().unwrap_or_default() } else { Vec::new() };
    // A link-local address cannot be used without saying which link.
    let is_reachable = |ip: &IpAddr| match ip {
        IpAddr::V4(_) => true,
        IpAddr::V6(ip) => address.is_ipv6() && !ip.is_unicast_link_local(),
    };
    let mut addresses: Vec<IpAddr> = all.into_iter().filter(is_reachable).collect();
    if addresses.is_empty() {
        addresses.push(address.ip());
    }
    addresses.into_iter().map(|ip| quoted(&format!("{scheme}://{}", SocketAddr::new(ip, address.port())))).collect()
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    quote(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// The supervisor that wants to hear how we are by `sd_notify`, if there is one.
pub(crate) fn supervisor(log: &mut Log) -> Notify {
    Notify::from_environment().unwrap_or_else(|error| {
        log.warn(format_args!("no word to the supervisor: {error}"));
        Notify::default()
    })
}

/// Tells it.
pub(crate) fn tell(supervisor: &Notify, text: &str, log: &mut Log) {
    if let Err(error) = supervisor.say(text) {
        log.warn(format_args!("cannot tell the supervisor how we are: {error}"));
    }
}

/// Tells whoever started us that clients may connect.
pub(crate) fn ready(fd: OwnedFd) {
    // A parent that no longer listens does not want to know.
    let _ = File::from(fd).write_all(b"\n");
}
