//! `/varz`.

use super::super::Broker;
use super::{Facts, uptime};
use crate::broker::client::Traffic;
use crate::broker::json::Json;
use crate::broker::settings::{Credentials, Web};
use crate::broker::{Peer, REFERENCE_VERSION};
use std::time::Duration;

impl Broker {
    pub(super) fn server_report(&self, facts: &Facts<'_>) -> Vec<u8> {
        let mut json = Json::object();
        let settings = &self.settings;
        json.text("server_id", &settings.server_id);
        json.text("server_name", &settings.server_name);
        json.text("version", REFERENCE_VERSION);
        json.number("proto", 1);
        json.text("go", concat!("lunix-bus ", env!("CARGO_PKG_VERSION")));
        json.text("host", &settings.host);
        json.number("port", u64::from(settings.port));
        if settings.credentials != Credentials::Open {
            json.truth("auth_required", true);
        }
        if let Some(security) = &settings.security {
            for (name, value) in [("tls_required", security.required), ("tls_verify", security.verify)] {
                if value {
                    json.truth(name, true);
                }
            }
        }
        json.text("http_host", facts.http_host);
        json.number("http_port", u64::from(facts.http_port));
        self.write_limits(&mut json);
        json.text("start", &facts.time(facts.started));
        json.text("now", &facts.time(facts.now));
        json.text("uptime", &uptime(facts.now - facts.started));
        json.number("mem", facts.memory);
        json.number("cores", std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64));
        json.number("gomaxprocs", 1);
        let (used, alive) = (milliseconds(facts.processor), milliseconds(facts.now - facts.started).max(1));
        json.thousandths("cpu", used.saturating_mul(100_000) / alive);
        self.write_counters(&mut json);
        json.begin("http_req_stats", b'{');
        for (path, count) in facts.requests {
            json.number(path, *count);
        }
        json.end(b'}');
        json.text("config_load_time", &facts.time(facts.loaded));
        json.begin("slow_consumer_stats", b'{');
        json.number("clients", self.slow_consumers);
        for kind in ["routes", "gateways", "leafs"] {
            json.number(kind, 0);
        }
        json.end(b'}');
        json.finish()
    }

    /// How the server fares, in short.
    pub(crate) fn write_stats(&self, json: &mut Json, facts: &Facts<'_>) {
        let mut traffic = self.traffic;
        self.clients.iter().flatten().for_each(|client| traffic.add(client.traffic));
        let (used, alive) = (milliseconds(facts.processor), milliseconds(facts.now - facts.started).max(1));
        json.begin("statsz", b'{');
        json.text("start", &facts.time(facts.started));
        json.number("mem", facts.memory);
        json.number("cores", std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64));
        json.thousandths("cpu", used.saturating_mul(100_000) / alive);
        json.number("connections", self.count as u64);
        json.number("total_connections", self.next_id - 1);
        json.number("active_accounts", self.accounts.iter().filter(|(_, account)| account.clients > 0).count() as u64);
        json.number("subscriptions", self.subscriptions() as u64);
        for (name, messages, bytes) in
            [("sent", traffic.out_msgs, traffic.out_bytes), ("received", traffic.in_msgs, traffic.in_bytes)]
        {
            json.begin(name, b'{');
            json.number("msgs", messages);
            json.number("bytes", bytes);
            json.end(b'}');
        }
        json.number("slow_consumers", self.slow_consumers);
        json.number("active_servers", 1);
        json.number("gomaxprocs", 1);
        json.end(b'}');
    }

    fn write_limits(&self, json: &mut Json) {
        let settings = &self.settings;
        json.number("max_connections", settings.max_connections as u64);
        if settings.max_subscriptions > 0 {
            json.number("max_subscriptions", settings.max_subscriptions as u64);
        }
        json.number("max_payload", settings.max_payload as u64);
        json.number("max_control_line", settings.max_control_line as u64);
        json.number("max_pending", settings.max_pending as u64);
        json.number("max_memory", settings.max_memory as u64);
        json.number("max_memory_per_user", settings.max_memory_per_user as u64);
        json.number("ping_interval", nanoseconds(settings.ping_interval));
        json.number("ping_max", u64::from(settings.ping_max));
        json.number("write_deadline", nanoseconds(settings.write_deadline));
        json.thousandths("auth_timeout", milliseconds(settings.auth_timeout));
        if let Some(security) = &settings.security {
            json.thousandths("tls_timeout", milliseconds(security.timeout));
            json.text_if_any("tls_cert_not_after", &security.not_after);
        }
        for absent in ["cluster", "gateway", "mqtt", "jetstream"] {
            json.begin(absent, b'{');
            json.end(b'}');
        }
        self.write_remotes(json);
        json.begin("websocket", b'{');
        if let Some(web) = &settings.web {
            self.write_web(json, web);
        }
        json.end(b'}');
    }

    fn write_web(&self, json: &mut Json, web: &Web) {
        json.text("host", &web.host);
        json.number("port", u64::from(web.port));
        json.text_if_any("no_auth_user", web.no_auth_user.as_deref().unwrap_or_default());
        json.text_if_any("advertise", web.advertise.as_deref().unwrap_or_default());
        if let Some(timeout) = web.timeout {
            json.number("handshake_timeout", nanoseconds(timeout));
        }
        for (name, value) in
            [("no_tls", web.no_tls), ("same_origin", web.same_origin), ("compression", web.compression)]
        {
            if value {
                json.truth(name, true);
            }
        }
        if !web.allowed_origins.is_empty() {
            json.begin("allowed_origins", b'[');
            web.allowed_origins.iter().for_each(|origin| json.item(origin));
            json.end(b']');
        }
        if let Some(security) = &web.security {
            json.text_if_any("tls_cert_not_after", &security.not_after);
        }
    }

    fn write_counters(&self, json: &mut Json) {
        let open = self.clients.iter().filter_map(|client| client.as_deref());
        let mut traffic = self.traffic;
        open.clone().for_each(|client| traffic.add(client.traffic));
        json.number("connections", self.clients() as u64);
        json.number("unix_connections", open.filter(|client| matches!(client.peer, Peer::Unix { .. })).count() as u64);
        json.number("total_connections", self.next_id - 1 - self.links_made());
        json.number("routes", 0);
        json.number("remotes", 0);
        json.number("leafnodes", self.joined() as u64);
        write_traffic(json, traffic);
        json.number("slow_consumers", self.slow_consumers);
        json.number("stale_connections", self.stale);
        json.number("subscriptions", self.subscriptions() as u64);
        json.number("users", self.outbox.ledger.users() as u64);
        json.number("held_bytes", self.held() as u64);
    }
}

/// Messages and bytes of everybody.
pub(super) fn write_traffic(json: &mut Json, traffic: Traffic) {
    json.number("in_msgs", traffic.in_msgs);
    json.number("out_msgs", traffic.out_msgs);
    json.number("in_bytes", traffic.in_bytes);
    json.number("out_bytes", traffic.out_bytes);
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
