//! Every key there is, and what becomes of it.

/// What becomes of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The converter reads it, and says itself what it cannot do.
    Read,
    /// It says nothing that lunix-init would do otherwise.
    Nothing,
    /// Things are different here, but there is nothing to do.
    Note(&'static str),
    /// It is not converted.
    Lost(&'static str),
}

use Fate::{Lost, Note, Nothing, Read};

const NO_SANDBOX: Fate = Lost("lunix-init has no sandbox");
const NO_TTY: Fate = Lost("lunix-init opens no terminals: let the program open its own, or redirect in `run`");
const NO_LINK: Fate = Lost("services are not tied together while they run");
const NO_JOB: Fate = Lost("there are no jobs");
const NO_SCHEDULING: Fate = Lost("write it into `run`: chrt, ionice or taskset before the program");
const NO_ACTION: Fate = Lost("nothing happens to the machine when a service ends");
const NO_CREDENTIALS: Fate = Lost("there are no credentials: read the file in the program");
const NO_SOCKET_OPTION: Fate = Lost("lunix-init sets no options of sockets");

type Row = (&'static str, &'static [&'static str], Fate);

/// Section, keys, fate. A key that ends in `*` stands for all that begin so; the first row that fits counts.
const ROWS: &[Row] = &[
    ("Unit", &["Description", "Requires", "Wants", "BindsTo", "Requisite", "After", "Before", "PartOf"], Read),
    ("Unit", &["ConditionPathExists", "ConditionPathIsDirectory", "ConditionPathIsSymbolicLink"], Read),
    ("Unit", &["ConditionPathIsReadWrite", "ConditionFileNotEmpty", "ConditionFileIsExecutable"], Read),
    ("Unit", &["ConditionDirectoryNotEmpty", "AssertPathExists", "AssertPathIsDirectory"], Read),
    ("Unit", &["AssertFileIsExecutable", "AssertFileNotEmpty", "ConditionPathIsMountPoint"], Read),
    ("Unit", &["RefuseManualStop"], Read),
    ("Unit", &["Documentation", "SourcePath", "DefaultDependencies", "IgnoreOnIsolate", "AllowIsolate"], Nothing),
    ("Unit", &["CollectMode", "ConditionNeedsUpdate"], Nothing),
    ("Unit", &["RequiresMountsFor", "WantsMountsFor"], Note("file systems are mounted before any service starts")),
    ("Unit", &["StartLimit*"], Note("a service is started again without limit, after 0.1 to 30 s")),
    (
        "Unit",
        &["Condition*", "Assert*"],
        Lost("write the test into `run`, with `exit 78` where it fails and 78 in `permanent-exits`"),
    ),
    ("Unit", &["Conflicts"], Lost("services do not stop each other")),
    (
        "Unit",
        &["OnFailure", "OnSuccess", "OnFailureJobMode", "OnSuccessJobMode"],
        Lost("nothing is started when a service ends; `finish` can do something"),
    ),
    (
        "Unit",
        &[
            "PropagatesReloadTo",
            "ReloadPropagatedFrom",
            "PropagatesStopTo",
            "StopPropagatedFrom",
            "Upholds",
            "JoinsNamespaceOf",
            "StopWhenUnneeded",
        ],
        NO_LINK,
    ),
    ("Unit", &["JobTimeout*", "JobRunningTimeoutSec"], NO_JOB),
    ("Unit", &["FailureAction*", "SuccessAction*", "RebootArgument"], NO_ACTION),
    ("Unit", &["RefuseManualStart"], Lost("the operator may start every service")),
    ("Unit", &["SurviveFinalKillSignal"], Lost("everything ends with the machine")),
    ("Install", &["WantedBy", "RequiredBy", "UpheldBy", "DefaultInstance", "Also"], Read),
    ("Install", &["Alias"], Note("a service has one name; a link beside it would be a second service")),
    (
        "Service",
        &[
            "Type",
            "ExecStart",
            "ExecStartPre",
            "ExecStartPost",
            "ExecCondition",
            "ExecReload",
            "ExecStop",
            "ExecStopPost",
        ],
        Read,
    ),
    ("Service", &["User", "Group", "SupplementaryGroups", "DynamicUser", "PermissionsStartOnly"], Read),
    (
        "Service",
        &["Environment", "EnvironmentFile", "UnsetEnvironment", "WorkingDirectory", "UMask", "Nice", "OOMScoreAdjust"],
        Read,
    ),
    (
        "Service",
        &["Restart", "RestartPreventExitStatus", "RestartForceExitStatus", "SuccessExitStatus", "RemainAfterExit"],
        Read,
    ),
    ("Service", &["PIDFile", "BusName", "Sockets", "NotifyAccess", "WatchdogSec", "IgnoreSIGPIPE"], Read),
    (
        "Service",
        &["TimeoutStartSec", "TimeoutStopSec", "TimeoutSec", "KillSignal", "KillMode", "SendSIGKILL", "ReloadSignal"],
        Read,
    ),
    ("Service", &["CapabilityBoundingSet", "AmbientCapabilities", "NoNewPrivileges", "Limit*"], Read),
    (
        "Service",
        &[
            "MemoryMax",
            "MemoryHigh",
            "MemoryLow",
            "MemoryMin",
            "MemorySwapMax",
            "MemoryZSwapMax",
            "MemoryLimit",
            "TasksMax",
        ],
        Read,
    ),
    ("Service", &["CPUWeight", "CPUQuota", "IOWeight", "AllowedCPUs", "AllowedMemoryNodes"], Read),
    (
        "Service",
        &["RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory", "ConfigurationDirectory"],
        Read,
    ),
    (
        "Service",
        &[
            "RuntimeDirectoryMode",
            "StateDirectoryMode",
            "CacheDirectoryMode",
            "LogsDirectoryMode",
            "ConfigurationDirectoryMode",
        ],
        Read,
    ),
    ("Service", &["StandardInput", "StandardOutput", "StandardError"], Read),
    ("Service", &["RuntimeDirectoryPreserve"], Note("its directories stay until the machine ends")),
    (
        "Service",
        &["RestartSec", "RestartSteps", "RestartMaxDelaySec", "StartLimit*"],
        Note("it is started again at once, then after 0.1 to 30 s, without limit"),
    ),
    (
        "Service",
        &["SendSIGHUP", "GuessMainPID", "FileDescriptorStoreMax", "FileDescriptorStorePreserve", "*Accounting"],
        Nothing,
    ),
    (
        "Service",
        &[
            "SyslogIdentifier",
            "SyslogFacility",
            "SyslogLevel*",
            "LogLevelMax",
            "LogRateLimit*",
            "LogNamespace",
            "LogExtraFields",
        ],
        Note("lines carry the service's name; the log service sorts them"),
    ),
    ("Service", &["PassEnvironment"], Note("services have lunix-init's environment")),
    (
        "Service",
        &["Slice", "Delegate*", "DisableControllers"],
        Note("every service has a control group of its own below that of lunix-init"),
    ),
    ("Service", &["UtmpIdentifier", "UtmpMode"], Note("getty and login write utmp")),
    ("Service", &["RemainAfterElapse", "KeyringMode", "SetLoginEnvironment"], Nothing),
    ("Service", &["TTY*"], NO_TTY),
    ("Service", &["PAMName"], Lost("no PAM session is opened; login, su and greeters open their own")),
    (
        "Service",
        &[
            "StartupCPUWeight",
            "StartupIOWeight",
            "StartupMemory*",
            "StartupAllowed*",
            "CPUShares",
            "StartupCPUShares",
            "BlockIO*",
            "StartupBlockIOWeight",
        ],
        Lost("an older or boot-time form: use CPUWeight=, IOWeight=, MemoryMax="),
    ),
    (
        "Service",
        &[
            "MemoryZSwap*",
            "DefaultMemory*",
            "CPUQuotaPeriodSec",
            "IODevice*",
            "IORead*",
            "IOWrite*",
            "ManagedOOM*",
            "MemoryPressure*",
            "DefaultStartup*",
        ],
        Lost("write the file of cgroup v2 into `cgroup/` yourself"),
    ),
    (
        "Service",
        &["IP*", "SocketBind*", "BPFProgram", "DeviceAllow", "DevicePolicy", "NFTSet", "RestrictNetworkInterfaces"],
        Lost("lunix-init loads no BPF programs: use the firewall, and permissions of nodes"),
    ),
    ("Service", &["CPUScheduling*", "IOScheduling*", "CPUAffinity", "NUMA*", "TimerSlackNSec"], NO_SCHEDULING),
    ("Service", &["LoadCredential*", "SetCredential*", "ImportCredential"], NO_CREDENTIALS),
    (
        "Service",
        &[
            "FailureAction",
            "SuccessAction",
            "RebootArgument",
            "TimeoutStartFailureMode",
            "TimeoutStopFailureMode",
            "OOMPolicy",
            "CoredumpFilter",
        ],
        NO_ACTION,
    ),
    (
        "Service",
        &[
            "TimeoutAbortSec",
            "FinalKillSignal",
            "RestartKillSignal",
            "WatchdogSignal",
            "RuntimeMaxSec",
            "RuntimeRandomizedExtraSec",
        ],
        Lost("there is one signal to end (`down-signal`), one limit (`timeout-kill`), then SIGKILL"),
    ),
    (
        "Service",
        &[
            "ExitType",
            "RootDirectoryStartOnly",
            "NonBlocking",
            "USBFunction*",
            "OpenFile",
            "StandardInputText",
            "StandardInputData",
            "SyslogLevelPrefix",
        ],
        Lost("it has no counterpart"),
    ),
    (
        "Service",
        &[
            "Protect*",
            "Private*",
            "Restrict*",
            "SystemCall*",
            "Read*",
            "Inaccessible*",
            "Exec*",
            "NoExecPaths",
            "Bind*",
            "TemporaryFileSystem",
            "Root*",
            "Mount*",
            "MemoryDenyWriteExecute",
            "LockPersonality",
            "RemoveIPC",
            "ProcSubset",
            "SELinuxContext",
            "AppArmorProfile",
            "SmackProcessLabel",
            "SecureBits",
            "NetworkNamespacePath",
            "IPCNamespacePath",
            "ExtensionImages",
            "ExtensionDirectories",
            "Personality",
        ],
        NO_SANDBOX,
    ),
    (
        "Socket",
        &[
            "Listen*",
            "SocketMode",
            "FileDescriptorName",
            "Service",
            "Accept",
            "SocketUser",
            "SocketGroup",
            "BindIPv6Only",
            "Symlinks",
            "DirectoryMode",
        ],
        Read,
    ),
    (
        "Socket",
        &["RemoveOnStop", "FlushPending", "PassFileDescriptorsToExec"],
        Note("sockets are held from the first start until the directory is removed"),
    ),
    (
        "Socket",
        &["TriggerLimit*", "PollLimit*", "MaxConnections*"],
        Note("the service starts with its sockets, not on the first connection"),
    ),
    ("Socket", &["Exec*"], Lost("only services execute programs: move it to the service's ExecStartPre=")),
    (
        "Socket",
        &[
            "Backlog",
            "ReusePort",
            "FreeBind",
            "Transparent",
            "Broadcast",
            "PassCredentials",
            "PassSecurity",
            "PassPacketInfo",
            "Timestamping",
            "KeepAlive*",
            "NoDelay",
            "Priority",
            "ReceiveBuffer",
            "SendBuffer",
            "IPTOS",
            "IPTTL",
            "Mark",
            "SmackLabel*",
            "SELinuxContextFromNet",
            "PipeSize",
            "MessageQueue*",
            "DeferAcceptSec",
            "TCPCongestion",
            "BindToDevice",
            "SocketProtocol",
            "Writable",
        ],
        NO_SOCKET_OPTION,
    ),
];

/// What becomes of `key` in `section`.
pub(crate) fn fate(section: &str, key: &str) -> Fate {
    if section.starts_with("X-") || key.starts_with("X-") {
        return match key {
            "X-RestartIfChanged" | "X-ReloadIfChanged" => Read,
            _ => Nothing,
        };
    }
    let fits = |pattern: &str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => key.ends_with(end),
        (None, Some(begin)) => key.starts_with(begin),
        (None, None) => pattern == key,
    };
    let row = ROWS.iter().find(|(of, keys, _)| *of == section && keys.iter().any(|pattern| fits(pattern)));
    row.map_or(Lost("lunix does not know this key"), |(_, _, fate)| *fate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_that_fits_counts() {
        assert_eq!(fate("Service", "ExecStart"), Read);
        assert_eq!(fate("Service", "ExecPaths"), NO_SANDBOX);
        assert_eq!(fate("Service", "ProtectHome"), NO_SANDBOX);
        assert_eq!(fate("Service", "CPUAccounting"), Nothing);
        assert_eq!(fate("Service", "LimitNOFILE"), Read);
        assert_eq!(fate("Unit", "X-Foo"), Nothing);
        assert_eq!(fate("X-Foo", "Bar"), Nothing);
        assert_eq!(fate("Service", "RestartSec"), fate("Service", "StartLimitBurst"));
        assert!(matches!(fate("Unit", "ExecStart"), Lost("lunix does not know this key")));
    }
}
