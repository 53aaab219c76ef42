//! Bytes of layered connections, in and out.

use super::web::{Heard, Web};
use super::{Stage, Tls, Transport};
use crate::broker::Reason;
use crate::server::Server;
use reactor::Instant;
use std::os::fd::AsFd;

/// First byte of a TLS handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;
/// How often one client's output is encrypted or framed and written in one turn.
const LOADS_MAX: usize = 8;
/// Decompressed input of one client and turn.
const INFLATED_MAX: usize = 1 << 20;
/// The buffer for decrypted input shrinks to this.
const PLAIN_KEPT: usize = 128 * 1024;

impl Server {
    /// Takes in what a layered connection sent.
    pub(in crate::server) fn take_in_layers(&mut self, now: Instant, slot: u32, input: &mut [u8]) {
        let Some(layered) = self.layered(slot) else { return };
        if layered.stage == Stage::Undecided {
            layered.is_heard = true;
            self.decide(now, slot, input.first() == Some(&HANDSHAKE));
        }
        match self.layered(slot) {
            None => self.take_in(now, slot, input),
            Some(layered) if layered.tls.is_some() => self.decrypt(now, slot, input),
            Some(_) => self.take_in_web(now, slot, input),
        }
        self.write(now, slot);
    }

    fn decrypt(&mut self, now: Instant, slot: u32, input: &[u8]) {
        let mut plain = std::mem::take(&mut self.doors.plain);
        plain.clear();
        if self.decrypt_into(now, slot, input, &mut plain) && !plain.is_empty() {
            match self.layered(slot) {
                Some(layered) if layered.web.is_some() => self.take_in_web(now, slot, &mut plain),
                Some(_) | None => self.take_in(now, slot, &plain),
            }
        }
        if self.layered(slot).is_some_and(|layered| layered.tls.as_ref().is_some_and(Tls::is_closed)) {
            self.broker.turn_away(slot, Reason::Gone, "");
        }
        plain.shrink_to(PLAIN_KEPT);
        self.doors.plain = plain;
    }

    /// False when the connection does not go on.
    fn decrypt_into(&mut self, now: Instant, slot: u32, input: &[u8], plain: &mut Vec<u8>) -> bool {
        let Some(layered) = self.layered(slot) else { return false };
        let Some(tls) = &mut layered.tls else { return false };
        let began = tls.is_handshaking();
        if let Err(error) = tls.receive(input, plain) {
            if tls.is_strange() {
                // Somebody who does not speak TLS is not told so in TLS.
                layered.tls = None;
            }
            let (reason, what) = if began { (Reason::TlsHandshake, "handshake ") } else { (Reason::Broken, "") };
            self.turn_away(slot, reason, &format!("TLS {what}error: {error}"));
            return false;
        }
        if !began || tls.is_handshaking() {
            return true;
        }
        let facts = tls.facts();
        self.shaken(now, slot, facts)
    }

    /// Takes in bytes of a WebSocket: its request, then frames.
    fn take_in_web(&mut self, now: Instant, slot: u32, input: &mut [u8]) {
        let mut frame = std::mem::take(&mut self.doors.frame);
        let (mut at, mut inflated) = (0, 0);
        while at < input.len() && !self.broker.is_ending(slot) {
            let Some(layered) = self.layered(slot) else { break };
            if inflated > INFLATED_MAX {
                layered.backlog = input.get(at..).unwrap_or_default().to_vec();
                self.doors.behind.push(slot);
                break;
            }
            let Some(web) = &mut layered.web else { break };
            let rest = input.get_mut(at..).unwrap_or_default();
            let heard =
                if layered.stage == Stage::Open { web.feed(rest, &mut frame) } else { web.request(rest, &mut frame) };
            match heard {
                Heard::Nothing => break,
                Heard::Upgraded(used, facts) => {
                    at += used;
                    layered.say(&[&frame]);
                    self.upgraded(now, slot, facts);
                }
                Heard::Refused(why) => {
                    layered.say(&[&frame]);
                    layered.last = Some(Vec::new());
                    self.turn_away(slot, Reason::Protocol, &format!("websocket handshake error: {why}"));
                }
                Heard::Bytes(used, len) => {
                    at += used;
                    let bytes = input.get(at.saturating_sub(len)..at).unwrap_or_default();
                    if !bytes.is_empty() {
                        self.take_in(now, slot, bytes);
                    }
                }
                Heard::Inflated(used) => {
                    at += used;
                    inflated += frame.len();
                    self.take_in(now, slot, &frame);
                }
                Heard::Asked(used) => {
                    at += used;
                    if layered.has_room() {
                        layered.say(&[&frame]);
                    }
                }
                Heard::Closed => {
                    layered.last = Some(frame.clone());
                    self.broker.turn_away(slot, Reason::Gone, "");
                }
                Heard::Wrong(why) => {
                    layered.last = Some(frame.clone());
                    self.turn_away(slot, Reason::Protocol, why);
                }
            }
        }
        self.doors.frame = frame;
    }

    /// Goes on with the input of those whose decompressed messages were too much for one turn.
    pub(in crate::server) fn catch_up(&mut self, now: Instant) {
        for slot in std::mem::take(&mut self.doors.behind) {
            let Some(layered) = self.layered(slot) else { continue };
            let mut backlog = std::mem::take(&mut layered.backlog);
            self.take_in_web(now, slot, &mut backlog);
            self.write(now, slot);
        }
    }

    /// Writes what waits for a layered connection.
    pub(in crate::server) fn write_layers(&mut self, now: Instant, slot: u32) {
        for round in 0..=LOADS_MAX {
            let Self { sockets, broker, .. } = self;
            let Some(socket) = sockets.get_mut(slot as usize).and_then(Option::as_mut) else { return };
            let Transport::Layered(layered) = &mut socket.transport else { return };
            match layered.flush(socket.fd.as_fd()) {
                Ok(true) => {
                    let taken = std::mem::take(&mut layered.taken);
                    if taken > 0 {
                        broker.sent(now, slot, taken);
                    }
                }
                Ok(false) => {
                    broker.blocked(now, slot);
                    break;
                }
                Err(_) => return self.close(slot),
            }
            if layered.stage != Stage::Open || broker.pending(slot) == 0 || round == LOADS_MAX {
                break;
            }
            layered.load(broker.pieces(slot));
        }
        if let Some(held) = self.layered(slot).map(|layered| layered.held()) {
            self.broker.charge(slot, held);
        }
    }

    /// Says the last words of a layered connection that ends. Returns whether everything is written, or nothing more will be.
    pub(in crate::server) fn say_farewell(&mut self, slot: u32) -> bool {
        let (cut, reason) = (self.broker.is_cut(slot), self.broker.ending_reason(slot));
        let Some(socket) = self.sockets.get_mut(slot as usize).and_then(Option::as_mut) else { return true };
        let Transport::Layered(layered) = &mut socket.transport else { return true };
        if cut {
            return true;
        }
        if !std::mem::replace(&mut layered.over, true) {
            let mut last = layered.last.take();
            if last.is_none() && layered.web.is_some() && layered.stage == Stage::Open {
                let frame = last.get_or_insert_default();
                Web::farewell(reason.unwrap_or(Reason::Gone), frame);
            }
            layered.say(&[&last.unwrap_or_default()]);
            if let Some(tls) = layered.tls.as_mut().filter(|tls| !tls.is_handshaking()) {
                tls.close();
            }
        }
        layered.flush(socket.fd.as_fd()).unwrap_or(true)
    }
}
