//! The program in mount and network namespaces of its own. Needs root.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::process::{Command, Output};
use testkit::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_lunix-boot");

/// Runs a script in fresh namespaces; `$B` is the program. `None` where that is not permitted.
fn within(test: &str, folder: &TempDir, script: &str) -> Option<Output> {
    let probe = Command::new("unshare").args(["--mount", "--net", "--uts", "true"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        testkit::skip::note(test, "needs root for namespaces");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--uts", "--propagation", "private", "sh", "-ec", script]);
    Some(command.current_dir(folder.path()).env("B", BINARY).env("d", folder.path()).output().unwrap())
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn fstab_is_mounted_in_order_with_its_options() {
    let folder = TempDir::new("boot").unwrap();
    let script = r#"
        mkdir -p a source && echo seen >source/file
        cat >fstab <<END
$d/source $d/a/shown none bind,ro 0 0
tmpfs $d/a tmpfs size=64k,nosuid,mode=700,x-any=1 0 0
tmpfs $d/a/never tmpfs noauto 0 0
nas:/x $d/net nfs defaults 0 0
/dev/no-such-disk $d/gone ext4 nofail 0 2
END
        $B mounts --fstab fstab
        cat a/shown/file
        ! touch a/shown/file 2>/dev/null
        grep " $d/a " /proc/mounts
        ! grep never /proc/mounts && ! test -e net
        $B mounts --fstab fstab 2>/dev/null
        test $(grep -c " $d/a " /proc/mounts) = 1
        test $(grep -c " $d/a/shown " /proc/mounts) = 1
    "#;
    let Some(output) = within("fstab_is_mounted_in_order_with_its_options", &folder, script) else { return };
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("seen\n") && text.contains("nosuid") && text.contains("size=64k"), "{text}");
    assert!(text.contains("fstab:5: ") && text.contains("the boot goes on without it"), "{text}");
}

#[test]
fn what_cannot_be_mounted_is_told_with_its_line_and_the_rest_is_mounted() {
    let folder = TempDir::new("boot").unwrap();
    let script = r#"
        mkdir a b
        cat >fstab <<END
tmpfs $d/a tmpfs defaults,nonsense=7 0 0
tmpfs $d/a/within tmpfs defaults 0 0
tmpfs $d/b tmpfs defaults 0 0
tmpfs $d/c
END
        set +e; $B mounts --fstab fstab --wait 0; echo "code $?"
        grep -c " $d/b " /proc/mounts
    "#;
    let Some(output) = within("what_cannot_be_mounted_is_told", &folder, script) else { return };
    let text = text(&output);
    assert!(text.starts_with("code 78\n1\n"), "{text}");
    for part in ["fstab:4:2: expected a type after it", "fstab:1: ", "fstab:2: ", "/a is not mounted"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

#[test]
fn an_ext4_is_found_by_its_label_checked_and_mounted() {
    let folder = TempDir::new("boot").unwrap();
    let script = r#"
        mkdir m
        truncate -s 8M image
        mkfs.ext4 -q -L lunix-boot-test -U 6c1d3f1e-4b5a-4c7d-9d5e-0123456789ab image
        loop=$(losetup --find --show image) || exit 99
        trap 'umount m 2>/dev/null; losetup -d $loop' EXIT
        echo "$loop $d/m auto defaults 0 2" >fstab
        $B mounts --fstab fstab
        grep " $d/m ext4 " /proc/mounts
        umount m
        echo "UUID=6C1D3F1E-4b5a-4c7d-9d5e-0123456789ab $d/m ext4 ro 0 2" >fstab
        $B mounts --fstab fstab
        grep " $d/m ext4 ro" /proc/mounts
        umount m
        echo "LABEL=lunix-boot-test $d/m ext4 defaults 0 0" >fstab
        $B mounts --fstab fstab
        grep " $d/m ext4 rw" /proc/mounts
    "#;
    let Some(output) = within("an_ext4_is_found_by_its_label", &folder, script) else { return };
    if output.status.code() == Some(99) {
        return testkit::skip::note("an_ext4_is_found_by_its_label", "this machine has no free loop disk");
    }
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn lo_is_enabled_and_the_machine_named() {
    let folder = TempDir::new("boot").unwrap();
    let script = r#"
        ! grep -q 127.0.0.1 /proc/net/fib_trie
        ln -s $B boot-loopback && ./boot-loopback
        grep -q 127.0.0.1 /proc/net/fib_trie
        mkdir etc && echo box-17 >etc/hostname && $B hostname --root .
        cat /proc/sys/kernel/hostname
    "#;
    let Some(output) = within("lo_is_enabled_and_the_machine_named", &folder, script) else { return };
    let text = text(&output);
    assert!(output.status.success() && text.contains("box-17\n"), "{text}");
}

#[test]
fn checking_changes_nothing_and_tells_the_plan() {
    let folder = TempDir::new("boot").unwrap();
    for (path, content) in [
        ("etc/fstab", "tmpfs /b/c tmpfs\nUUID=1 /b ext4 rw 0 2\n/swap none swap\nbad\n"),
        ("etc/hostname", "box\n"),
        ("etc/sysctl.d/a.conf", "kernel.x=1\n"),
        ("etc/modules", "loop max_loop=3\n"),
    ] {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    for (command, code, expected) in [
        ("mounts", 78, "swap to /swap\nmount UUID=1 at /b (ext4, checked)\nmount tmpfs at /b/c (tmpfs)\n"),
        ("hostname", 0, "name the machine box\n"),
        ("sysctl", 0, "kernel/x = 1\n"),
        ("modules", 0, "load loop max_loop=3\n"),
        ("loopback", 0, "enable lo\n"),
        ("seed", 0, "feed the random pool from"),
        ("hwclock", 0, "set the clock to "),
    ] {
        let output = Command::new(BINARY).args([command, "--check", "--root"]).arg(folder.path()).output().unwrap();
        let text = text(&output);
        assert!(output.status.code() == Some(code) && text.starts_with(expected), "{command}: {text}");
    }
    let output = Command::new(BINARY).args(["mounts", "--check", "--root"]).arg(folder.path()).output().unwrap();
    assert!(text(&output).contains("etc/fstab:4:1: expected a mount point after it"), "{}", text(&output));
    assert!(!folder.join("var").exists());
}
