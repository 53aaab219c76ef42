//! A device daemon that is played.

use crate::soon;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use testkit::bus::Bus;
use testkit::{Deadline, Error, Result};

/// What there is, and how far the daemon has counted.
#[derive(Clone)]
pub(crate) struct Hardware {
    pub(crate) seq: u64,
    pub(crate) sticks: Vec<&'static str>,
}

impl Hardware {
    fn list(&self) -> String {
        let items: Vec<String> = self
            .sticks
            .iter()
            .map(|disk| format!("{{\"subject\":\"hardware.usb.add\",{}}}", self.fields(disk)))
            .collect();
        format!("{{\"epoch\":\"a\",\"seq\":{},\"items\":[{}]}}", self.seq, items.join(","))
    }

    /// Announces a stick.
    pub(crate) fn publish(&self, bus: &mut Bus, verb: &str, disk: &str) -> Result<()> {
        bus.publish(&format!("hardware.usb.{verb}"), format!("{{{}}}", self.fields(disk)).as_bytes())
    }

    /// Announces a device without a file system, as soon as somebody listens.
    pub(crate) fn publish_keyboard(&self, bus: &mut Bus, verb: &str) -> Result<()> {
        let event = format!("{{\"epoch\":\"a\",\"seq\":{},\"devpath\":\"/devices/keyboard\"}}", self.seq);
        bus.publish_when_heard(&format!("hardware.usb.{verb}"), event.as_bytes(), soon())
    }

    fn fields(&self, disk: &str) -> String {
        let seq = self.seq;
        format!("\"epoch\":\"a\",\"seq\":{seq},\"devpath\":\"/devices/{disk}\",\"filesystem\":\"/dev/{disk}1\"")
    }
}

/// It answers `hardware.list` as long as it lives, whatever happens to the bus.
pub(crate) struct Player {
    hardware: Arc<Mutex<Hardware>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Player {
    pub(crate) fn start(url: String, hardware: Hardware) -> Self {
        let hardware = Arc::new(Mutex::new(hardware));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&hardware), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // It ends when the bus goes; then the next one is waited for.
                let _ = serve(&url, &shared, &stopped);
            }
        });
        Self { hardware, stop, thread: Some(thread) }
    }

    /// Lists this from now on.
    pub(crate) fn becomes(&self, seq: u64, sticks: &[&'static str]) -> Hardware {
        let hardware = Hardware { seq, sticks: sticks.to_vec() };
        *self.hardware.lock().unwrap_or_else(PoisonError::into_inner) = hardware.clone();
        hardware
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn serve(url: &str, hardware: &Mutex<Hardware>, stop: &AtomicBool) -> Result<()> {
    let mut bus = testkit::vm::wait_for_bus(url, Deadline::seconds(1))?;
    bus.subscribe("hardware.list")?;
    while !stop.load(Ordering::Relaxed) {
        match bus.next(Deadline::seconds(1)) {
            Ok(request) => {
                let list = hardware.lock().unwrap_or_else(PoisonError::into_inner).list();
                bus.publish(&request.reply, list.as_bytes())?;
            }
            Err(Error::Timeout(..)) => {}
            Err(error @ (Error::Io(..) | Error::Unexpected(..))) => return Err(error),
        }
    }
    Ok(())
}
