//! `lunix service convert`: what becomes of units, and whether lunix-init runs it.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Ended, lunix, soon};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::TempDir;
use testkit::process::{Process, binary};

/// Writes units into a folder of their own.
fn units(all: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new("units").unwrap();
    for (name, text) in all {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn convert(folder: &TempDir, words: &[&str]) -> Ended {
    let mut command = lunix(&["service", "convert"]);
    Ended::from(command.args(words).current_dir(folder.path()).output().unwrap())
}

/// What is printed, by the names of the files.
fn files(out: &str) -> BTreeMap<String, String> {
    let parts = out.split("== ").skip(1).filter_map(|part| part.split_once('\n'));
    parts.map(|(name, content)| (name.to_owned(), content.to_owned())).collect()
}

#[test]
fn a_unit_becomes_a_directory_of_small_files() {
    let folder = units(&[
        (
            "web.service",
            "[Unit]\nDescription=A web server\nAfter=db.service network.target\nRequires=db.service\n\
             ConditionPathExists=!/etc/web.off\n\
             [Service]\nType=notify\nUser=www-data\nGroup=adm\nEnvironment=\"A=one two\" B=%n\nEnvironmentFile=-/etc/default/web\n\
             ExecStartPre=/bin/test -e /srv\nExecStartPre=-+/bin/chown www-data /srv/web\n\
             ExecStart=/usr/bin/web --port 80 \\\n  # a comment\n  $WEB_OPTS ${ROOT}/x 'it is'\n\
             ExecReload=/bin/kill -USR1 $MAINPID\nExecStopPost=/bin/rm -f /srv/lock\n\
             Restart=on-failure\nRestartPreventExitStatus=3 CONFIG\nSuccessExitStatus=4\n\
             TimeoutStopSec=1min 5s\nKillSignal=SIGINT\nKillMode=process\nOOMPolicy=kill\nWatchdogSec=10\nLimitNOFILE=1K:2K\nLimitCORE=infinity\n\
             AmbientCapabilities=CAP_NET_BIND_SERVICE\nMemoryMax=64M\nCPUQuota=50%\nTasksMax=infinity\nIOWeight=50\nCPUWeight=200\n\
             StateDirectory=web\nStateDirectoryMode=0700\nUMask=0027\nOOMScoreAdjust=100\nWorkingDirectory=/srv\n\
             PrivateTmp=yes\nPrivateDevices=no\n[Install]\nWantedBy=multi-user.target\n",
        ),
        ("web.service.d/10-more.conf", "[Service]\nEnvironment=\nEnvironment=\"A=one two\" C=%N\nLimitNOFILE=1K:4K\n"),
        ("db.service", "[Service]\nExecStart=/usr/bin/db\nRestart=always\n[Install]\nWantedBy=multi-user.target\n"),
    ]);
    let ended = convert(&folder, &["./web.service", "./db.service"]);
    let files = files(&ended.out);
    let expected = [
        ("db/run (executable)", "#!/bin/sh\nset -ef\ncd /\nexec /usr/bin/db\n"),
        ("db/timeout-kill", "90000\n"),
        ("web-setup/env/A", "one two\n"),
        ("web-setup/env/C", "web\n"),
        ("web-setup/env/STATE_DIRECTORY", "/var/lib/web\n"),
        ("web-setup/type", "oneshot\n"),
        (
            "web-setup/up (executable)",
            "#!/bin/sh\n# What root does before web starts.\nset -ef\n\
             mkdir -p /var/lib/web && chown www-data:adm /var/lib/web && chmod 0700 /var/lib/web\n\
             /bin/chown www-data /srv/web || :\n",
        ),
        ("web/capabilities", "NET_BIND_SERVICE\n"),
        ("web/cgroup/cpu.max", "50000 100000\n"),
        ("web/cgroup/cpu.weight", "200\n"),
        ("web/cgroup/io.weight", "50\n"),
        ("web/cgroup/memory.max", "67108864\n"),
        ("web/cgroup/memory.oom.group", "1\n"),
        ("web/cgroup/pids.max", "max\n"),
        ("web/dependencies.d/db", ""),
        ("web/dependencies.d/web-setup", ""),
        ("web/down-signal", "INT\n"),
        ("web/env/A", "one two\n"),
        ("web/env/C", "web\n"),
        ("web/env/STATE_DIRECTORY", "/var/lib/web\n"),
        (
            "web/finish (executable)",
            "#!/bin/sh\n# $1: exit code, or 256 when the signal $2 ended it\nset -ef\ncd /srv\n\
             HOME=~www-data USER=www-data LOGNAME=www-data; export HOME USER LOGNAME\n\
             if [ -r /etc/default/web ]; then set -a; . /etc/default/web; set +a; fi\n\
             if [ \"$1\" = 256 ]; then EXIT_CODE=killed EXIT_STATUS=$2; else EXIT_CODE=exited EXIT_STATUS=$1; fi\n\
             export EXIT_CODE EXIT_STATUS\n/bin/rm -f /srv/lock || :\n",
        ),
        ("web/flag-keep-children", ""),
        ("web/limits", "core unlimited\nnofile 1024 4096\n"),
        ("web/notify-socket", ""),
        ("web/oom-score-adj", "100\n"),
        ("web/permanent-exits", "0 3 4 78\n"),
        ("web/reload-signal", "USR1\n"),
        (
            "web/run (executable)",
            "#!/bin/sh\n# A web server\nset -ef\ncd /srv\n\
             HOME=~www-data USER=www-data LOGNAME=www-data; export HOME USER LOGNAME\n\
             if [ -r /etc/default/web ]; then set -a; . /etc/default/web; set +a; fi\n\
             umask 0027\n\
             if [ -e /etc/web.off ]; then echo 'ConditionPathExists=!/etc/web.off does not hold' >&2; exit 78; fi\n\
             /bin/test -e /srv\n\
             exec /usr/bin/web --port 80 $WEB_OPTS \"${ROOT-}\"/x 'it is'\n",
        ),
        ("web/timeout-finish", "65000\n"),
        ("web/timeout-kill", "65000\n"),
        ("web/user", "www-data:adm\n"),
        ("web/watchdog", "10000\n"),
    ];
    let expected: BTreeMap<String, String> =
        expected.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    assert_eq!(files, expected, "{}", ended.err);
    let told: Vec<&str> = ended.err.lines().collect();
    let sentences = [
        "./web.service:3: note: After: nothing waits for what is not here: network.target",
        "./web.service:11: note: EnvironmentFile: ",
        "./web.service:13: note: ExecStartPre: as root only once, by the service web-setup",
        "./web.service:40: warn: PrivateTmp: lunix-init has no sandbox",
    ];
    for (line, sentence) in told.iter().zip(sentences) {
        assert!(line.starts_with(sentence), "{line}\n{sentence}");
    }
    assert_eq!(told.len(), sentences.len(), "{told:#?}");
}

#[test]
fn what_does_not_come_along_is_told_and_counted() {
    let folder = units(&[
        (
            "a.service",
            "[Service]\nType=forking\nExecStart=/usr/bin/unheard-of\nWings=2\nRestart=no\nProtectHome=true\nnonsense\n\
             [Install]\nWantedBy=x.target\n",
        ),
        ("b.timer", "[Timer]\nOnCalendar=daily\n"),
        ("c.service", "[Service]\nExecStart=/bin/c\nRestart=always\n[Install]\nWantedBy=x.target\n"),
    ]);
    let ended = convert(&folder, &["./a.service", "./b.timer", "--strict"]);
    let told = [
        "./a.service:3: warn: ExecStart: Type=forking: ",
        "./a.service:4: warn: Wings: lunix does not know this key",
        "./a.service:5: note: Restart: ",
        "./a.service:6: warn: ProtectHome: lunix-init has no sandbox",
        "./a.service:7: warn: expected KEY=VALUE",
        "./b.timer:1: warn: there are no timers",
        "lunix: error: not converted (lines=5)",
    ];
    assert!(ended.code == Some(1) && ended.out.contains("== a/down\n"), "{ended:?}");
    let lines: Vec<&str> = ended.err.lines().collect();
    assert_eq!(lines.len(), told.len(), "{lines:#?}");
    for (line, begin) in lines.iter().zip(told) {
        assert!(line.starts_with(begin), "{line}");
    }
    assert_eq!(convert(&folder, &["./c.service", "--strict"]).code, Some(0));
    convert(&folder, &["./d.service"]).refuses(65, "there is no such unit");
    convert(&folder, &["./b.timer"]).refuses(65, "none of these units can be converted");
}

#[test]
fn nothing_that_is_there_is_touched() {
    let folder = units(&[("c.service", "[Service]\nExecStart=/bin/c\n[Install]\nWantedBy=x.target\n")]);
    let ended = convert(&folder, &["./c.service", "--output", "out"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "out/c\n"), "{ended:?}");
    let entries: Vec<_> = fs::read_dir(folder.join("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(entries, ["c"], "no draft is left");
    convert(&folder, &["./c.service", "--output", "out"]).refuses(73, "out/c exists already");
}

/// lunix-init with a folder of services; nothing of the machine's /run and network where it is `apart`.
struct Init {
    folder: TempDir,
    process: Process,
}

impl Drop for Init {
    fn drop(&mut self) {
        // Whatever goes wrong here, the process is killed next.
        let _ = self.process.end(soon());
    }
}

impl Init {
    fn start(test: &str, folder: TempDir, apart: bool) -> Option<Self> {
        let program = match binary("lunix-init") {
            Ok(program) => program,
            Err(error) => {
                testkit::skip::note(test, &error.to_string());
                return None;
            }
        };
        let mut command = Command::new(if apart { Path::new("unshare") } else { program.as_path() });
        if apart {
            let script = "mount -t tmpfs tmpfs /run && ip link set lo up && exec \"$@\"";
            command.args(["--net", "--mount", "sh", "-c", script, "sh"]).arg(program);
        }
        command.arg("--services").arg(folder.join("services")).arg("--control").arg(folder.join("sock"));
        let process = Process::spawn("lunix-init", &mut command).unwrap();
        Some(Self { folder, process })
    }

    fn list(&self) -> String {
        let control = self.folder.join("sock").display().to_string();
        Ended::from(lunix(&["service", "list", "--control", &control]).output().unwrap()).out
    }

    /// Waits until the service is in this state.
    fn reaches(&self, service: &str, state: &str) {
        let deadline = soon();
        loop {
            let list = self.list();
            let row = list.lines().map(|row| row.split_whitespace().collect::<Vec<_>>());
            if row.into_iter().any(|row| row.starts_with(&[service, state])) {
                return;
            }
            assert!(deadline.left().is_some(), "{service} {state}:\n{list}\n{}", self.process.printed());
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Runs a command where the services are.
    fn within(&self, command: &[&str]) -> Ended {
        let pid = self.process.pid().to_string();
        let mut nsenter = Command::new("nsenter");
        Ended::from(nsenter.args(["-t", &pid, "--net", "--mount"]).args(command).output().unwrap())
    }
}

/// Waits until a line has been printed, now or before.
fn prints(init: &Init, line: &str) {
    let deadline = soon();
    while !init.process.printed().lines().any(|printed| printed == line) {
        assert!(deadline.left().is_some(), "{line} in {}", init.process.printed());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn converted_units_run_with_their_sockets_variables_and_order() {
    let test = "converted_units_run_with_their_sockets_variables_and_order";
    let folder = units(&[
        (
            "talk.service",
            "[Unit]\nAfter=first.service\n[Service]\nEnvironment=\"WORD=two words\" OPTS='-a -b'\nEnvironmentFile=HERE/file\n\
             ExecStart=/bin/sh -c 'cat HERE/first; for i; do echo \"<$$i>\"; done; echo $$LISTEN_FDS $$LISTEN_FDNAMES; \
             exec sleep 1000' sh $OPTS ${WORD} $FROM_FILE 'a * b' %n\n[Install]\nWantedBy=x.target\n",
        ),
        ("talk.socket", "[Socket]\nListenStream=HERE/deep/talk.sock\nSocketMode=0600\nFileDescriptorName=talk\n"),
        (
            "first.service",
            "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c 'echo first >HERE/first'\n\
             [Install]\nWantedBy=x.target\n",
        ),
        (
            "echo@.service",
            "[Service]\nExecStart=/bin/sh -c 'echo I am $$1; exec sleep 1000' sh %i\n[Install]\nDefaultInstance=one\n",
        ),
        (
            "echo-two@.service",
            "[Service]\nExecStart=/bin/sh -c 'echo You are $$0; exec sleep 1000' %I\n[Install]\nWantedBy=x.target\n",
        ),
        ("file", "FROM_FILE='c d'\n"),
    ]);
    for name in ["talk.service", "talk.socket", "first.service"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        fs::write(folder.join(name), text.replace("HERE", &folder.path().display().to_string())).unwrap();
    }
    let words = ["./talk.service", "./talk.socket", "./first.service", "./echo@.service", "./echo-two@a-b.service"];
    let ended = convert(&folder, &[&words[..], &["--output", "services", "--strict"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let Some(init) = Init::start(test, folder, false) else { return };
    for line in ["first", "<-a>", "<-b>", "<two words>", "<c>", "<d>", "<a * b>", "<talk.service>", "1 talk"] {
        prints(&init, &format!("talk: {line}"));
    }
    prints(&init, "echo@one: I am one");
    prints(&init, "echo-two@a-b: You are a/b");
    for service in ["talk", "echo@one", "echo-two@a-b"] {
        init.reaches(service, "ready");
    }
    assert!(std::os::unix::net::UnixStream::connect(init.folder.join("deep/talk.sock")).is_ok());
}

/// Where Debian's packages put their units.
const SYSTEM: &str = "/lib/systemd/system";

/// Every unit of this machine is converted, one by one and all together, and lunix-init takes what comes out.
#[test]
fn every_unit_of_this_machine_makes_a_directory_that_is_taken() {
    let test = "every_unit_of_this_machine_makes_a_directory_that_is_taken";
    let (Ok(init), Ok(entries)) = (binary("lunix-init"), fs::read_dir(SYSTEM)) else {
        return testkit::skip::note(test, "no lunix-init, or no units of systemd on this machine");
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let wanted = |path: &PathBuf| path.extension().is_some_and(|kind| kind == "service" || kind == "socket");
    let masked = |path: &PathBuf| fs::canonicalize(path).is_ok_and(|target| target.starts_with("/dev"));
    let mut units: Vec<String> =
        paths.filter(wanted).filter(|path| !masked(path)).map(|path| path.display().to_string()).collect();
    units.sort();
    if units.is_empty() {
        return testkit::skip::note(test, "no units of systemd on this machine");
    }
    let folder = TempDir::new("machine").unwrap();
    let words: Vec<&str> = units.iter().map(String::as_str).chain(["--output", "all"]).collect();
    let ended = convert(&folder, &words);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let scripts =
        ended.out.lines().flat_map(|line| ["run", "up", "finish", "reload"].map(|file| folder.join(line).join(file)));
    for script in scripts.filter(|script| script.exists()) {
        let checked = Command::new("sh").arg("-n").arg(&script).output().unwrap();
        assert!(checked.status.success(), "{}: {}", script.display(), String::from_utf8_lossy(&checked.stderr));
    }
    let checked = Command::new(init).args(["--check-config", "--services"]).arg(folder.join("all")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// Debian's own packages under lunix-init, in a network and a /run of their own.
#[test]
fn daemons_of_debian_run_from_their_converted_units() {
    let test = "daemons_of_debian_run_from_their_converted_units";
    if !rustix::process::geteuid().is_root() {
        return testkit::skip::note(test, "only root can start the daemons of the machine");
    }
    let daemons = ["mosquitto", "redis-server", "nginx", "cron"];
    let missing: Vec<&str> =
        daemons.into_iter().filter(|name| !Path::new(SYSTEM).join(format!("{name}.service")).exists()).collect();
    if !missing.is_empty() {
        return testkit::skip::note(test, &format!("Debian packages are not here: {}", missing.join(" ")));
    }
    let folder = TempDir::new("debian").unwrap();
    let ended = convert(&folder, &[&daemons[..], &["--output", "services"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (path, expected) in
        [("mosquitto/notify-socket", true), ("redis-server/notify-socket", true), ("cron/notify-socket", false)]
    {
        assert_eq!(folder.join("services").join(path).exists(), expected, "{path}");
    }
    let limits = folder.join("services/redis-server/limits");
    assert_eq!(fs::read_to_string(&limits).unwrap(), "nofile 65535\n");
    // Some containers do not let even root raise it.
    let most = String::from_utf8(Command::new("sh").args(["-c", "ulimit -Hn"]).output().unwrap().stdout).unwrap();
    if most.trim().parse::<u32>().is_ok_and(|most| most < 65535) {
        fs::write(&limits, format!("nofile {most}")).unwrap();
    }
    let Some(init) = Init::start(test, folder, true) else { return };
    for daemon in daemons {
        init.reaches(daemon, "ready");
    }
    let pong = init.within(&["redis-cli", "ping"]);
    assert_eq!(pong.out, "PONG\n", "{pong:?}");
    let page = "exec 3<>/dev/tcp/127.0.0.1/PORT; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -1 <&3";
    let answers = |port: &str| init.within(&["bash", "-c", &page.replace("PORT", port)]);
    let deadline = soon();
    while !answers("80").out.starts_with("HTTP/1.1 ") {
        assert!(deadline.left().is_some(), "{:?} {}", answers("80"), init.process.printed());
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let connects = init.within(&["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/1883"]);
    assert_eq!(connects.code, Some(0), "{connects:?}");
    let owner = init.within(&["stat", "-c", "%U:%G %a", "/run/redis"]);
    assert_eq!(owner.out, "redis:redis 2755\n", "{owner:?}");
    let control = init.folder.join("sock").display().to_string();
    for daemon in daemons {
        let ended = Ended::from(lunix(&["service", "restart", daemon, "--control", &control]).output().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    for daemon in daemons {
        init.reaches(daemon, "ready");
    }
}
