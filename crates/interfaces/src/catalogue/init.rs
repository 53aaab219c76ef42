//! Services.

use super::{Domain, Kind, message, stamp, with};
use crate::{Event, List, init};
use serde_json::json;

/// The domain.
#[allow(clippy::too_many_lines, reason = "a table")]
pub(super) fn domain() -> Domain {
    let sshd = json!({"name": "sshd", "pid": 412});
    let status = json!({"name": "sshd", "state": "ready", "type": "longrun", "wanted": true, "pid": 412, "since_ms": 93_000,
        "process_ms": 93_120, "restarts": 1, "exit_code": 255, "after": ["network"]});
    let usage = json!({"name": "sshd", "cpu_us": 1_250_000, "memory_bytes": 4_194_304, "memory_peak_bytes": 5_242_880, "pids": 3,
        "memory_pressure_per_10000": 0});
    let tail = json!({"dropped": 0, "lines": [{"service": "sshd", "line": "Server listening on 0.0.0.0 port 22."}]});
    Domain {
        name: "init",
        daemon: "natsinit",
        summary: "Services: what lunix-init does.",
        messages: vec![
            message::<List<'_, init::Service<'_>>>(
                "init.list",
                Kind::Request,
                "ServiceList",
                "Answers every service, under the last thing that happened to it.",
                json!({"epoch": "5f1d7a84c09be6f2", "seq": 9, "items":
                    [with(json!({"subject": "init.service.sshd.ready"}), sshd.clone())]}),
            ),
            message::<init::ServiceStatus<'_>>(
                "init.status.<name>",
                Kind::Request,
                "ServiceStatus",
                "Answers everything that is known of a service.",
                status.clone(),
            ),
            message::<init::UsageList<'_>>(
                "init.usage",
                Kind::Request,
                "UsageList",
                "Answers what each service that has processes uses of the machine.",
                json!({"items": [usage.clone()]}),
            ),
            message::<init::Usage<'_>>(
                "init.usage.<name>",
                Kind::Request,
                "Usage",
                "Answers what a service uses of the machine.",
                usage,
            ),
            message::<init::OutputTail<'_>>(
                "init.log",
                Kind::Request,
                "OutputTail",
                "Answers the newest lines that services wrote; the argument `lines` says how many, 100 when it is absent, 1000 at most.",
                tail.clone(),
            ),
            message::<init::OutputTail<'_>>(
                "init.log.<name>",
                Kind::Request,
                "OutputTail",
                "The same of one service.",
                tail,
            ),
            message::<init::ServiceStatus<'_>>(
                "init.control.<verb>.<name>",
                Kind::Request,
                "ServiceStatus",
                "Tells a service to start, stop, restart, reload or run once, or sends it the signal of the argument `signal`; answers its state when lunix-init has taken note.",
                status,
            ),
            message::<init::Taken<'_>>(
                "init.control.<verb>",
                Kind::Request,
                "Taken",
                "Tells lunix-init to rescan the service directory, or to poweroff, reboot or halt the machine.",
                json!({"taken": "rescan"}),
            ),
            message::<Event<'_, init::Service<'_>>>(
                "init.service.<name>.<what>",
                Kind::Event,
                "ServiceEvent",
                "Something happened to a service.",
                with(stamp(9), sshd),
            ),
            message::<Event<'_, init::Generation<'_>>>(
                "init.generation.<what>",
                Kind::Event,
                "GenerationEvent",
                "The service directory is another one: what differs.",
                with(
                    stamp(9),
                    json!({"generation": 3, "added": ["web"], "changed": ["sshd"], "removed": ["ftpd"], "kept": 17, "took_ms": 12}),
                ),
            ),
            message::<Event<'_, init::Machine<'_>>>(
                "init.machine.<what>",
                Kind::Event,
                "MachineEvent",
                "The whole machine is about to stop.",
                with(stamp(10), json!({"reason": "asked for by root"})),
            ),
        ],
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn read(of: &dyn Fn(&str) -> String) {
        serde_json::from_str::<List<'_, init::Service<'_>>>(&of("ServiceList")).unwrap();
        serde_json::from_str::<Event<'_, init::Service<'_>>>(&of("ServiceEvent")).unwrap();
        serde_json::from_str::<Event<'_, init::Generation<'_>>>(&of("GenerationEvent")).unwrap();
        serde_json::from_str::<Event<'_, init::Machine<'_>>>(&of("MachineEvent")).unwrap();
        serde_json::from_str::<init::ServiceStatus<'_>>(&of("ServiceStatus")).unwrap();
        serde_json::from_str::<init::UsageList<'_>>(&of("UsageList")).unwrap();
        serde_json::from_str::<init::Usage<'_>>(&of("Usage")).unwrap();
        serde_json::from_str::<init::OutputTail<'_>>(&of("OutputTail")).unwrap();
        serde_json::from_str::<init::Taken<'_>>(&of("Taken")).unwrap();
    }
}
