//! Reading from clients, writing to them, and closing them.

use super::listen::Listener;
use super::transport::Transport;
use super::{READ_SIZE, Server, Socket, Source};
use crate::broker::Progress;
use reactor::{Instant, Interest};
use rustix::net::RecvFlags;
use std::fs::File;
use std::io::IoSlice;
use std::os::fd::OwnedFd;

/// Bytes and pieces written to one client per turn.
const WRITE_MAX: usize = 256 * 1024;
const PIECES_MAX: usize = 64;

impl Server {
    /// Watches a new client. One that cannot be watched is gone again.
    pub(super) fn attach(&mut self, slot: u32, fd: OwnedFd, transport: Transport) -> Option<()> {
        let Ok(token) = self.reactor.insert(&fd, Interest::READ, Source::Client(slot)) else {
            self.broker.remove(Instant::now(), slot);
            return None;
        };
        if self.sockets.len() <= slot as usize {
            self.sockets.resize_with(slot as usize + 1, || None);
        }
        *self.sockets.get_mut(slot as usize)? = Some(Socket { fd, token, interest: Interest::READ, transport });
        Some(())
    }

    /// With no descriptor free: gives up the reserve to accept one connection and close it, so that it learns at once and the
    /// listener does not stay ready.
    pub(super) fn refuse_one(&mut self, number: u32) {
        self.reserve = None;
        if let Some(Some(Ok(connection))) = self.listeners.get(number as usize).map(Listener::accept) {
            drop(connection);
            self.log.warn("connection refused: no descriptor is free");
        }
        self.reserve = File::open("/dev/null").ok();
    }

    pub(super) fn read(&mut self, now: Instant, slot: u32) {
        let Some(socket) = self.sockets.get(slot as usize).and_then(Option::as_ref) else { return };
        if self.broker.is_ending(slot) || self.broker.is_stalled(slot) {
            return;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        match rustix::net::recv(&socket.fd, &mut *buffer, RecvFlags::empty()) {
            Ok((0, _)) => self.close(slot),
            Ok((len, _)) => {
                let input = buffer.get_mut(..len).unwrap_or_default();
                match socket.transport {
                    Transport::Plain => self.take_in(now, slot, input),
                    Transport::Layered(_) => self.take_in_layers(now, slot, input),
                }
                if self.broker.is_stalled(slot) {
                    self.watch(slot);
                }
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => {
                self.broker.broke(slot);
                self.close(slot);
            }
        }
        self.buffer = buffer;
    }

    pub(super) fn take_in(&mut self, now: Instant, slot: u32, mut input: &[u8]) {
        while let Progress::Paused(used) = self.broker.receive(now, slot, input) {
            self.flush(now);
            input = input.get(used..).unwrap_or_default();
        }
    }

    /// Writes to everybody who has something new.
    pub(super) fn flush(&mut self, now: Instant) {
        let mut list = std::mem::take(&mut self.list);
        self.broker.take_dirty(&mut list);
        for &slot in &list {
            self.write(now, slot);
        }
        self.list = list;
    }

    /// One write of what waits for a client.
    pub(super) fn write(&mut self, now: Instant, slot: u32) {
        let Some(socket) = self.sockets.get(slot as usize).and_then(Option::as_ref) else { return };
        if matches!(socket.transport, Transport::Layered(_)) {
            return self.write_through(now, slot);
        }
        self.write_plain(now, slot);
        if self.broker.is_ending(slot) { self.finish(now, slot) } else { self.watch(slot) }
    }

    /// The same for a layered connection.
    pub(super) fn write_through(&mut self, now: Instant, slot: u32) {
        let clear = |server: &Self| {
            let socket = server.sockets.get(slot as usize).and_then(Option::as_ref);
            socket.is_some_and(|socket| socket.transport.is_clear()) && server.broker.pending(slot) > 0
        };
        if clear(self) {
            self.write_plain(now, slot);
        }
        // What goes out in the clear goes before everything else.
        if !clear(self) {
            self.write_layers(now, slot);
        }
        if self.broker.is_ending(slot) { self.finish(now, slot) } else { self.watch(slot) }
    }

    pub(super) fn write_plain(&mut self, now: Instant, slot: u32) {
        let Some(socket) = self.sockets.get(slot as usize).and_then(Option::as_ref) else { return };
        let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
        let (mut count, mut len) = (0, 0);
        for (place, piece) in pieces.iter_mut().zip(self.broker.pieces(slot)) {
            *place = IoSlice::new(piece);
            len += piece.len();
            count += 1;
            if len >= WRITE_MAX {
                break;
            }
        }
        if count > 0 {
            match rustix::io::writev(&socket.fd, pieces.get(..count).unwrap_or_default()) {
                Ok(len) => self.broker.sent(now, slot, len),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => self.broker.blocked(now, slot),
                Err(_) => self.close(slot),
            }
        }
    }

    /// Watches a client for what matters now: input unless it is stalled or ending, room when output waits.
    pub(super) fn watch(&mut self, slot: u32) {
        let reads = !self.broker.is_stalled(slot) && !self.broker.is_ending(slot);
        let Some(socket) = self.sockets.get_mut(slot as usize).and_then(Option::as_mut) else { return };
        let writes = self.broker.pending(slot) > 0 || socket.transport.has_output();
        let interest = match (reads && !socket.transport.is_behind(), writes) {
            (true, true) => Interest::BOTH,
            (true, false) => Interest::READ,
            (false, true) => Interest::WRITE,
            (false, false) => Interest::NONE,
        };
        if socket.interest != interest {
            socket.interest = interest;
            if self.reactor.set_interest(socket.token, &socket.fd, interest).is_err() {
                self.close(slot);
            }
        }
    }

    /// Closes a connection that is to end, once what waits is written.
    pub(super) fn finish(&mut self, now: Instant, slot: u32) {
        if !self.broker.is_ending(slot) {
            return;
        }
        if self.broker.pending(slot) > 0 || !self.say_farewell(slot) {
            self.broker.blocked(now, slot);
            return self.watch(slot);
        }
        if let Some(socket) = self.sockets.get(slot as usize).and_then(Option::as_ref) {
            // Input that is left unread would turn our last words into a reset. One buffer's worth is thrown away.
            let _ = rustix::net::shutdown(&socket.fd, rustix::net::Shutdown::Write);
            let mut rest = [0_u8; 4096];
            for _ in 0..READ_SIZE / rest.len() {
                match rustix::net::recv(&socket.fd, &mut rest, RecvFlags::DONTWAIT) {
                    Ok((len, _)) if len > 0 => {}
                    Ok(_) | Err(_) => break,
                }
            }
        }
        self.close(slot);
    }

    pub(super) fn close(&mut self, slot: u32) {
        if let Some(socket) = self.sockets.get_mut(slot as usize).and_then(Option::take) {
            // The descriptor is closed right after, which ends the watching, too.
            let _ = self.reactor.remove(socket.token, &socket.fd);
            self.doors.remove(slot, socket.transport);
        }
        self.broker.remove(Instant::now(), slot);
        while self.sockets.pop_if(|last| last.is_none()).is_some() {}
        if self.sockets.capacity() > 4 * self.sockets.len() + 64 {
            self.sockets.shrink_to(2 * self.sockets.len());
        }
    }
}
