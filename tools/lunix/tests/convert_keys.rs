//! `lunix service convert`, key by key: what a line of a unit becomes, or what is said of it.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Ended, lunix};
use testkit::TempDir;

/// Converts one unit whose section Service has these lines beside `ExecStart=/bin/x`.
fn service(lines: &str) -> Ended {
    unit("x.service", &format!("[Service]\nExecStart=/bin/x\n{lines}\n[Install]\nWantedBy=a.target\n"))
}

fn unit(name: &str, text: &str) -> Ended {
    let folder = TempDir::new("keys").unwrap();
    std::fs::write(folder.join(name), text).unwrap();
    let path = folder.join(name).display().to_string();
    Ended::from(lunix(&["service", "convert", &path]).output().unwrap())
}

/// The content of a file that is printed.
fn file<'a>(ended: &'a Ended, path: &str) -> Option<&'a str> {
    let parts = ended.out.split("== ").skip(1).filter_map(|part| part.split_once('\n'));
    parts
        .map(|(name, content)| (name.trim_end_matches(" (executable)"), content))
        .find(|(name, _)| *name == path)
        .map(|(_, content)| content)
}

#[test]
fn lines_become_files() {
    let table: &[(&str, &str, Option<&str>)] = &[
        ("Restart=always", "permanent-exits", None),
        ("Restart=on-failure\nSuccessExitStatus=75 TEMPFAIL SIGKILL", "permanent-exits", Some("0 75\n")),
        (
            "Restart=on-failure\nRestartForceExitStatus=0 1\nRestartPreventExitStatus=1 2",
            "permanent-exits",
            Some("2\n"),
        ),
        ("RestartPreventExitStatus=255", "permanent-exits", Some("255\n")),
        ("TimeoutStopSec=infinity", "timeout-kill", None),
        ("TimeoutSec=1500ms", "timeout-kill", Some("1500\n")),
        ("SendSIGKILL=no", "timeout-kill", None),
        ("KillSignal=QUIT", "down-signal", Some("QUIT\n")),
        ("KillSignal=SIGTERM", "down-signal", None),
        ("ExecStop=/bin/kill -s WINCH $MAINPID", "down-signal", Some("WINCH\n")),
        ("ExecReload=/bin/kill -HUP $MAINPID", "reload-signal", None),
        ("ExecReload=/bin/x reload", "reload", Some("#!/bin/sh\nset -ef\ncd /\n/bin/x reload\n")),
        ("Type=notify-reload\nReloadSignal=SIGUSR2", "reload-signal", Some("USR2\n")),
        ("KillMode=process", "flag-keep-children", Some("")),
        ("User=root\nGroup=adm", "user", Some("root:adm\n")),
        ("User=www-data\nSupplementaryGroups=adm audio", "group", Some("www-data\nadm\naudio\n")),
        ("User=+", "user", Some("+\n")),
        ("User=nobody\nNoNewPrivileges=yes", "capabilities", Some("")),
        ("User=nobody\nCapabilityBoundingSet=CAP_KILL", "capabilities", None),
        (
            "User=nobody\nAmbientCapabilities=CAP_KILL cap_chown\nCapabilityBoundingSet=CAP_KILL",
            "capabilities",
            Some("KILL\n"),
        ),
        ("CapabilityBoundingSet=CAP_KILL CAP_CHOWN\nCapabilityBoundingSet=~CAP_KILL", "capabilities", Some("CHOWN\n")),
        ("CapabilityBoundingSet=CAP_KILL\nCapabilityBoundingSet=", "capabilities", Some("")),
        ("LimitNICE=-5\nLimitCPU=2min", "limits", Some("cpu 120\nnice 25\n")),
        ("LimitNOFILE=infinity", "limits", Some("nofile unlimited\n")),
        ("MemoryMax=infinity", "cgroup/memory.max", Some("max\n")),
        ("CPUWeight=idle", "cgroup/cpu.idle", Some("1\n")),
        ("AllowedCPUs=0-1 3,5", "cgroup/cpuset.cpus", Some("0-1,3,5\n")),
        ("OOMPolicy=kill", "cgroup/memory.oom.group", Some("1\n")),
        ("OOMScoreAdjust=-500\nUser=nobody", "oom-score-adj", Some("-500\n")),
        ("Environment=A= 'B=b  ' C=\"d\\ne\"", "env/A", Some("\n")),
        ("UnsetEnvironment=LANG", "env/LANG", Some("")),
        ("X-RestartIfChanged=false", "on-change", Some("keep\n")),
        ("X-ReloadIfChanged=true", "on-change", Some("reload\n")),
    ];
    for (lines, path, expected) in table {
        let ended = service(lines);
        assert_eq!(file(&ended, &format!("x/{path}")), *expected, "{lines}\n{ended:?}");
    }
}

#[test]
fn lines_become_lines_of_run() {
    let table = [
        ("", "exec /bin/x"),
        ("Nice=5", "exec nice -n 5 /bin/x"),
        ("StandardOutput=null", "exec /bin/x >/dev/null 2>&1"),
        ("StandardOutput=append:/var/log/x y", "exec /bin/x >>'/var/log/x y' 2>&1"),
        ("StandardError=file:/x", "exec /bin/x 2>>/x"),
        ("IgnoreSIGPIPE=yes", "trap '' PIPE"),
        ("WorkingDirectory=-/srv", "cd /srv || cd /"),
        ("WorkingDirectory=~\nUser=games", "cd ~games"),
        ("EnvironmentFile=/etc/x", "set -a; . /etc/x; set +a"),
        ("Environment='A=b  '", "export A='b  '"),
        ("ExecStartPre=-/bin/a ; /bin/b", "/bin/a || :"),
        ("ExecStartPost=/bin/a", "/bin/a &"),
        ("ExecCondition=/bin/a", "/bin/a || exit 78"),
        ("RuntimeDirectory=a b\nRuntimeDirectoryMode=0750", "mkdir -p /run/b && chmod 0750 /run/b"),
        ("Type=forking\nExecStart=\nExecStart=/usr/sbin/dnsmasq -x", "exec /usr/sbin/dnsmasq -x -k"),
        ("Type=forking\nExecStart=\nExecStart=/usr/sbin/nginx", "exec /usr/sbin/nginx -g 'daemon off;'"),
    ];
    for (lines, expected) in table {
        let ended = service(lines);
        let run = file(&ended, "x/run").unwrap();
        assert!(run.lines().any(|line| line == expected), "{lines}\n{run}");
    }
}

#[test]
fn lines_that_do_not_come_along_say_why() {
    let table = [
        ("Type=dbus", "warn: Type: its name on D-Bus is not waited for"),
        ("BusName=a.b", "warn: BusName: its name on D-Bus is not waited for"),
        ("Type=strange", "warn: Type: expected simple"),
        ("WatchdogSec=5", "warn: WatchdogSec: a watchdog goes with Type=notify"),
        ("ExecStart=/bin/y", "warn: ExecStart: only a oneshot has several programs"),
        ("ExecStartPre=/bin/a 'b", "warn: ExecStartPre: a quote is not closed"),
        ("ExecStartPre=/bin/a %d", "warn: ExecStartPre: %d has no counterpart"),
        ("ExecStop=/bin/x stop", "warn: ExecStop: a service is told to end by its signal"),
        ("Type=notify\nExecStartPost=/bin/a", "warn: ExecStartPost: nothing is executed when a service is ready"),
        ("KillSignal=SIGWINGS", "warn: KillSignal: SIGWINGS is no signal"),
        ("KillMode=none", "warn: KillMode: "),
        ("TimeoutStopSec=soon", "warn: TimeoutStopSec: expected a time"),
        ("DynamicUser=yes", "warn: DynamicUser: no users are made: make one named x"),
        ("AmbientCapabilities=CAP_FLY", "warn: AmbientCapabilities: CAP_FLY is no capability"),
        ("LimitNOFILE=some", "warn: LimitNOFILE: expected a number"),
        ("MemoryMax=50%", "warn: MemoryMax: write a number into `cgroup/memory.max`"),
        ("RestartPreventExitStatus=SIGKILL", "warn: RestartPreventExitStatus: a death by SIGKILL"),
        ("Environment=nonsense", "warn: Environment: expected NAME=VALUE"),
        ("EnvironmentFile=/etc/x*", "warn: EnvironmentFile: patterns of files"),
        ("StandardOutput=tty", "warn: StandardOutput: lunix-init opens no terminals"),
        ("NoNewPrivileges=yes", "warn: NoNewPrivileges: "),
        ("SystemCallFilter=@system-service", "warn: SystemCallFilter: lunix-init has no sandbox"),
    ];
    for (lines, expected) in table {
        let ended = service(lines);
        assert!(ended.code == Some(0) && ended.err.contains(expected), "{lines}: {expected}\n{ended:?}");
    }
    let long = unit(&format!("{}.service", "x".repeat(65)), "[Service]\nExecStart=/bin/x\n");
    long.refuses(65, "none of these units can be converted");
    assert!(long.err.contains("a name has at most 64 bytes"), "{long:?}");
    assert!(!service("PrivateTmp=no\nSystemCallFilter=").err.contains("warn"), "what is switched off is not missed");
}

#[test]
fn oneshots_have_up_and_down() {
    let both = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/a\nExecStart=-/bin/b\nExecStop=/bin/c\nTimeoutStartSec=3\n\
                [Install]\nWantedBy=a.target\n";
    let ended = unit("x.service", both);
    assert_eq!(file(&ended, "x/type"), Some("oneshot\n"));
    assert_eq!(file(&ended, "x/up"), Some("#!/bin/sh\nset -ef\ncd /\n/bin/a\n/bin/b || :\n"));
    assert_eq!(file(&ended, "x/down"), Some("#!/bin/sh\nset -ef\ncd /\n/bin/c\n"));
    assert_eq!(file(&ended, "x/timeout-up"), Some("3000\n"));
    let once = unit("x.service", &both.replace("RemainAfterExit=yes\n", ""));
    assert!(
        file(&once, "x/up").unwrap().ends_with("/bin/b || :\n/bin/c\n") && file(&once, "x/down").is_none(),
        "{once:?}"
    );
    let condition = unit("x.service", &format!("[Unit]\nConditionPathExists=/x\n{both}"));
    let test = "if ! [ -e /x ]; then echo 'ConditionPathExists=/x does not hold' >&2; exit 0; fi";
    assert!(file(&condition, "x/up").unwrap().contains(test), "{condition:?}");
}

#[test]
fn templates_take_their_instance_when_they_start() {
    let text =
        "[Service]\nUser=nobody\nExecStart=/bin/x /etc/%i.conf %p\nRuntimeDirectory=%p\n[Install]\nDefaultInstance=a\n";
    let ended = unit("x@.service", text);
    assert!(file(&ended, "x@/run").unwrap().ends_with("exec /bin/x /etc/\"$INSTANCE\".conf x\n"), "{ended:?}");
    assert_eq!(file(&ended, "x@/instances/a"), Some(""));
    assert!(ended.err.contains("warn: directories and commands of root are not converted for a template"), "{ended:?}");
}
