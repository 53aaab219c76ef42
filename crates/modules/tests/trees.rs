//! Small trees written by the test: everything that does not need a distribution's kernel.
#![expect(clippy::unwrap_used, reason = "a test")]

use modules::{Error, Index, Policy, Tree, matches};
use std::path::{Path, PathBuf};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path = std::env::temp_dir().join(format!("modules-{name}-{}", std::process::id()));
        for (file, text) in files {
            let file = path.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const ALIAS: &str = "# made by hand\n\
    alias usb:v*p*d*dc*dsc*dp*ic08isc06ip50in* usb_storage\n\
    alias usb:v*p*d*dc*dsc*dp*ic08isc06ip62in* uas\n\
    alias pci:v00001AF4d0000104[2-4]sv* virtio-pci\n\
    alias fs-vfat vfat\n\
    alias char-major-10-200 tun\n";
const DEP: &str = "kernel/usb-storage.ko: kernel/scsi_mod.ko kernel/scsi_common.ko kernel/usbcore.ko\n\
    kernel/uas.ko: kernel/usb-storage.ko kernel/scsi_mod.ko kernel/scsi_common.ko kernel/usbcore.ko\n\
    kernel/scsi_mod.ko: kernel/scsi_common.ko\nkernel/scsi_common.ko:\nkernel/usbcore.ko:\n\
    kernel/virtio-pci.ko.xz:\nkernel/vfat.ko: kernel/fat.ko\nkernel/fat.ko:\nkernel/nls_utf8.ko:\nkernel/tun.ko:\n";
const STICK: &str = "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00";

fn names(tree: &mut Tree, alias: &str, policy: &Policy) -> Vec<String> {
    tree.plan(alias, policy).unwrap().into_iter().map(|step| step.name).collect()
}

fn policy(text: &str) -> Policy {
    let mut policy = Policy::default();
    policy.add_file(text, "test.conf");
    policy
}

#[test]
fn needs_come_first_and_soft_dependencies_around() {
    let soft = "softdep vfat pre: nls-utf8 missing post: tun\n";
    let folder = Folder::new("order", &[("modules.alias", ALIAS), ("modules.dep", DEP), ("modules.softdep", soft)]);
    let mut tree = Tree::open(&folder.0).unwrap();
    let none = Policy::default();
    assert_eq!(names(&mut tree, STICK, &none), ["usbcore", "scsi_common", "scsi_mod", "usb_storage"]);
    assert_eq!(names(&mut tree, "fs-vfat", &none), ["fat", "nls_utf8", "vfat", "tun"]);
    assert_eq!(names(&mut tree, "usb-storage", &none), ["usbcore", "scsi_common", "scsi_mod", "usb_storage"]);
    assert_eq!(names(&mut tree, "char-major-10-200", &none), ["tun"]);
    assert_eq!(names(&mut tree, "pci:v00001AF4d00001043sv00", &none), ["virtio_pci"]);
    assert!(names(&mut tree, "pci:v00001AF4d00001045sv00", &none).is_empty());
    assert!(names(&mut tree, "usb:v1p1", &none).is_empty());
}

#[test]
fn the_administrator_decides() {
    let builtin = "kernel/crc32.ko\n";
    let dep = format!("{DEP}kernel/needs.ko: kernel/nowhere.ko\n");
    let folder =
        Folder::new("policy", &[("modules.alias", ALIAS), ("modules.dep", &dep), ("modules.builtin", builtin)]);
    let mut tree = Tree::open(&folder.0).unwrap();
    let p = policy(
        "blacklist usb-storage # a comment\noptions vfat a=1 \\\n b=\"x y\"\noptions vfat c\nalias fs-fat* fat\n",
    );
    assert!(names(&mut tree, STICK, &p).is_empty(), "an alias does not reach a blacklisted module");
    assert_eq!(names(&mut tree, "usb-storage", &p).last().unwrap(), "usb_storage", "its name does");
    assert_eq!(names(&mut tree, "fs-fat32", &p), ["fat"]);
    let plan = tree.plan("fs-vfat", &p).unwrap();
    assert_eq!(plan.last().unwrap().options, "a=1 b=\"x y\" c");
    assert_eq!(plan.last().unwrap().path, folder.0.join("kernel/vfat.ko"));
    assert!(
        matches!(tree.plan("fs-vfat", &policy("install vfat /bin/true\n")), Err(Error::Install(name)) if name == "vfat")
    );
    assert!(tree.is_builtin("crc32").unwrap() && !tree.is_builtin("vfat").unwrap());
    assert_eq!(policy("frobnicate it\n").unknown(), ["test.conf: unknown command frobnicate"]);
}

#[test]
fn the_kernel_command_line_counts() {
    let mut p = Policy::default();
    p.add_command_line(
        "quiet module_blacklist=a,b-c modprobe.blacklist=d usb-storage.quirks=1:2:u vfat.x=\"1 2\" .x -- e.y=1",
    );
    assert!(p.is_forbidden("a") && p.is_forbidden("b_c") && !p.is_forbidden("d") && p.is_blacklisted("d"));
    assert_eq!((p.options("usb_storage"), p.options("vfat"), p.options("e")), ("quirks=1:2:u", "x=1 2", ""));
    let folder = Folder::new("cmdline", &[("modules.alias", ALIAS), ("modules.dep", DEP)]);
    let mut tree = Tree::open(&folder.0).unwrap();
    p.add_command_line("module_blacklist=tun");
    assert!(names(&mut tree, "tun", &p).is_empty());
}

#[test]
fn a_file_hides_those_of_the_same_name_in_weaker_folders() {
    let folder = Folder::new(
        "folders",
        &[
            ("etc/modprobe.d/a.conf", "blacklist one\n"),
            ("lib/modprobe.d/a.conf", "blacklist two\n"),
            ("lib/modprobe.d/b.conf", "blacklist three\n"),
            ("lib/modprobe.d/c.txt", "blacklist four\n"),
        ],
    );
    let p = Policy::read(&folder.0, "").unwrap();
    let listed: Vec<_> = ["one", "two", "three", "four"].map(|name| p.is_blacklisted(name)).into();
    assert_eq!(listed, [true, false, true, false]);
}

#[test]
fn damaged_and_missing_files_are_said() {
    assert!(
        Tree::open(Path::new("/no/such/folder")).unwrap_err().to_string().starts_with("cannot read /no/such/folder: ")
    );
    let folder = Folder::new("damaged", &[("modules.dep.bin", "no index at all")]);
    assert!(Tree::open(&folder.0).unwrap_err().to_string().ends_with("modules.dep.bin: not an index of version 2.1"));
    let dep = "kernel/needs.ko: kernel/nowhere.ko\n";
    let folder = Folder::new("contradiction", &[("modules.dep", dep), ("modules.alias", "alias x:* nowhere\n")]);
    let mut tree = Tree::open(&folder.0).unwrap();
    let error = tree.plan("x:1", &Policy::default()).unwrap_err();
    assert_eq!(error.to_string(), "module nowhere is not in modules.dep");
    let plan = tree.plan("needs", &Policy::default()).unwrap();
    assert!(plan.first().unwrap().load().unwrap_err().to_string().starts_with("cannot read "));
}

/// The trie of `a` → "exact", `a*` → "star", `ab[0-9]` → "digit", as depmod would write it.
fn index_bytes() -> Vec<u8> {
    let word = |word: u32| word.to_be_bytes();
    let mut bytes: Vec<u8> = [word(0xb007_f457), word(0x0002_0001), word(0)].concat();
    let leaf = |bytes: &mut Vec<u8>, prefix: &[u8], value: &[u8], priority: u32| {
        let mut flags = 0x4000_0000;
        let start = u32::try_from(bytes.len()).unwrap();
        if !prefix.is_empty() {
            flags |= 0x8000_0000;
            bytes.extend([prefix, b"\0"].concat());
        }
        bytes.extend([&word(1)[..], &word(priority), value, b"\0"].concat());
        start | flags
    };
    let star = leaf(&mut bytes, b"", b"star", 1);
    let digit = leaf(&mut bytes, b"[0-9]", b"digit", 0);
    let root = u32::try_from(bytes.len()).unwrap() | 0xe000_0000;
    bytes.extend(b"a\0*b");
    for letter in b'*'..=b'b' {
        bytes.extend(word(match letter {
            b'*' => star,
            b'b' => digit,
            _ => 0,
        }));
    }
    bytes.extend([&word(1)[..], &word(2), b"exact\0"].concat());
    bytes.get_mut(8..12).unwrap().copy_from_slice(&word(root));
    bytes
}

#[test]
fn a_trie_is_searched_by_key_and_by_pattern() {
    let folder = Folder::new("index", &[("x", "")]);
    let path = folder.0.join("index.bin");
    std::fs::write(&path, index_bytes()).unwrap();
    let mut index = Index::open(&path).unwrap().unwrap();
    assert_eq!(index.get("a").unwrap(), ["exact"]);
    assert_eq!(index.get("ab").unwrap(), Vec::<String>::new());
    assert_eq!(index.search("a").unwrap(), ["star", "exact"]);
    assert_eq!(index.search("ab7").unwrap(), ["digit", "star"]);
    assert_eq!(index.search("ax").unwrap(), ["star"]);
    assert!(index.search("b").unwrap().is_empty() && index.search("").unwrap().is_empty());
    assert!(Index::open(&folder.0.join("missing")).unwrap().is_none());
}

#[test]
fn a_damaged_trie_is_an_error_or_an_answer_but_never_endless() {
    let folder = Folder::new("mutations", &[("x", "")]);
    let path = folder.0.join("index.bin");
    let good = index_bytes();
    for at in 0..good.len() {
        for value in [0, 0x20, 0xff] {
            let mut bad = good.clone();
            *bad.get_mut(at).unwrap() = value;
            std::fs::write(&path, bad).unwrap();
            if let Ok(Some(mut index)) = Index::open(&path) {
                drop((index.get("ab7"), index.search("ab7")));
            }
        }
    }
    std::fs::write(&path, good.get(..good.len() - 3).unwrap()).unwrap();
    let error = Index::open(&path).unwrap().unwrap().search("a").unwrap_err();
    assert!(error.to_string().ends_with("index.bin: cut short"));
}

#[test]
fn the_matcher_agrees_with_a_regular_expression() {
    let letters = ["a", "b", "*", "?", "[ab]", "[!a]", "[a-c]", "\\*"];
    let texts: Vec<String> =
        (0..4_u32).flat_map(|length| (0..3_usize.pow(length)).map(move |number| text(number, length))).collect();
    let mut compared = 0;
    for number in 0..letters.len().pow(4) {
        let elements: Vec<&str> = (0..4_u32)
            .filter_map(|place| letters.get(number / letters.len().pow(place) % letters.len()))
            .copied()
            .collect();
        let pattern = elements.concat();
        let expression: String = elements.iter().map(|element| expression_of(element)).collect();
        let oracle = regex::Regex::new(&format!("(?s)^{expression}$")).unwrap();
        for text in texts.iter().step_by(3) {
            assert_eq!(matches(&pattern, text), oracle.is_match(text), "{pattern} {text}");
            compared += 1;
        }
    }
    assert!(compared > 50_000);
}

fn text(mut number: usize, length: u32) -> String {
    let mut letter = |_| {
        let letter = "ab*".chars().nth(number % 3).unwrap();
        number /= 3;
        letter
    };
    (0..length).map(&mut letter).collect()
}

fn expression_of(element: &str) -> &str {
    match element {
        "*" => ".*",
        "?" => ".",
        "[!a]" => "[^a]",
        other => other,
    }
}

#[test]
fn odd_patterns_have_one_meaning() {
    for (pattern, text, expected) in [
        ("[", "[", true),
        ("[a", "[a", true),
        ("[]a]", "]", true),
        ("[a-]", "-", true),
        ("[\\]]", "]", true),
        ("a\\", "a\\", true),
        ("", "", true),
        ("*", "", true),
        ("?", "", false),
        ("a*b*c", "axxbxxbc", true),
        ("a*b*c", "axxbxxb", false),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}
