//! Images built by hand from the on-disk formats: asserted everywhere, whatever tools are installed.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test")]

use probe::{Content, Found, Probe, Table, Type, Usage, WANT_BYTES_MAX, WANTS_MAX};

fn run(image: &[u8]) -> (Found, u32) {
    let mut probe = Probe::new(image.len() as u64);
    let mut wants = 0;
    while let Some(range) = probe.want() {
        assert!(range.length <= WANT_BYTES_MAX);
        let start = usize::try_from(range.offset).unwrap().min(image.len());
        probe.feed(&image[start..image.len().min(start + range.length)]);
        wants += 1;
    }
    (*probe.found(), wants)
}

fn content(image: &[u8]) -> Content {
    run(image).0.content.unwrap()
}

fn put(image: &mut [u8], offset: usize, bytes: &[u8]) {
    image[offset..offset + bytes.len()].copy_from_slice(bytes);
}

fn entry(name: &[u8; 11], attributes: u8, cluster: u16) -> [u8; 32] {
    let mut entry = [0; 32];
    put(&mut entry, 0, name);
    entry[11] = attributes;
    put(&mut entry, 26, &cluster.to_le_bytes());
    entry
}

/// FAT16: 512-byte sectors, 4 per cluster, 1 reserved, 2 tables of 32 sectors, 512 root entries, 32 768 sectors.
fn fat16() -> Vec<u8> {
    let mut image = vec![0; 1 << 20];
    put(&mut image, 0, b"\xeb\x3c\x90mkfs.fat\0\x02\x04\x01\0\x02\0\x02\0\x80\xf8\x20\0");
    put(&mut image, 0x27, &0xdead_beef_u32.to_le_bytes());
    put(&mut image, 0x2b, b"BOOT LABEL FAT16   ");
    put(&mut image, 510, b"\x55\xaa");
    image
}

const FAT16_ROOT: usize = (1 + 2 * 32) * 512;

#[test]
fn the_label_of_fat_is_the_root_directorys() {
    let mut image = fat16();
    assert_eq!(content(&image).label.as_str(), "", "the boot sector's copy does not count");
    assert_eq!(content(&image).uuid.as_str(), "DEAD-BEEF");
    let entries = [
        entry(b"\xe5ELETED    ", 0x08, 0),
        entry(b"Al\0o\0n\0g\0\0\0", 0x0f, 0),
        entry(b"FOLDER     ", 0x10, 3),
        entry(b"OWNS CLUST ", 0x08, 3),
        entry(b"MY STICK   ", 0x08, 0),
    ];
    for (at, entry) in entries.iter().enumerate() {
        put(&mut image, FAT16_ROOT + 32 * at, entry);
    }
    let found = content(&image);
    assert_eq!((found.kind, found.label.as_str()), (Type::Vfat, "MY STICK"));
    assert!(found.is_mountable());
    put(&mut image, FAT16_ROOT + 64, &[0; 32]);
    assert_eq!(content(&image).label.as_str(), "", "what lies behind the end of the directory does not count");
}

#[test]
fn a_label_may_begin_with_the_deletion_mark() {
    let mut image = fat16();
    put(&mut image, FAT16_ROOT, &entry(b"\x05BC        ", 0x08, 0));
    assert_eq!(content(&image).label.as_str(), "\u{fffd}BC");
}

#[test]
fn implausible_boot_sectors_are_no_fat() {
    for (offset, value) in [(11, 3), (12, 0), (13, 3), (13, 0), (14, 0), (16, 0), (21, 0x12), (22, 0)] {
        let mut image = fat16();
        image[offset] = value;
        assert_eq!(run(&image).0.content, None, "byte {offset} = {value}");
    }
    let mut image = fat16();
    put(&mut image, 0x36, b"HPFS    ");
    assert_eq!(run(&image).0.content, None);
}

#[test]
fn a_fat32_chain_that_bites_its_tail_ends() {
    let mut image = fat16();
    put(&mut image, 17, &[0, 0]);
    put(&mut image, 22, &[0, 0]);
    put(&mut image, 36, &32_u32.to_le_bytes());
    put(&mut image, 44, &2_u32.to_le_bytes());
    put(&mut image, 0x43, &0x0102_0304_u32.to_le_bytes());
    put(&mut image, 0x52, b"FAT32   ");
    put(&mut image, 512 + 8, &2_u32.to_le_bytes());
    for at in 0..64 {
        put(&mut image, (1 + 64) * 512 + at * 32, &entry(b"FOLDER     ", 0x10, 3));
    }
    let (found, wants) = run(&image);
    assert_eq!(found.content.unwrap().uuid.as_str(), "0102-0304");
    assert_eq!(wants, WANTS_MAX);
    put(&mut image, 512 + 8, &3_u32.to_le_bytes());
    put(&mut image, (1 + 64) * 512 + 2048, &entry(b"SECOND     ", 0x08, 0));
    assert_eq!(content(&image).label.as_str(), "SECOND");
}

fn ext(compatible: u32, incompatible: u32, read_only: u32) -> Vec<u8> {
    let mut image = vec![0; 1 << 16];
    put(&mut image, 1024 + 56, b"\x53\xef");
    put(&mut image, 1024 + 92, &compatible.to_le_bytes());
    put(&mut image, 1024 + 96, &incompatible.to_le_bytes());
    put(&mut image, 1024 + 100, &read_only.to_le_bytes());
    put(&mut image, 1024 + 104, &(1..=16).collect::<Vec<u8>>());
    put(&mut image, 1024 + 120, b"rootfs  ");
    image
}

#[test]
fn the_generation_of_ext_is_told_by_its_features() {
    let found = content(&ext(0x38, 0x2, 0x3));
    assert_eq!((found.kind, found.label.as_str()), (Type::Ext2, "rootfs"));
    assert_eq!(found.uuid.as_str(), "01020304-0506-0708-090a-0b0c0d0e0f10");
    assert_eq!(content(&ext(0x3c, 0x2, 0x3)).kind, Type::Ext3);
    assert_eq!(content(&ext(0x3c, 0x2c2, 0x46b)).kind, Type::Ext4);
    assert_eq!(content(&ext(0x38, 0x40, 0x3)).kind, Type::Ext4);
    assert_eq!(run(&ext(0, 0x8, 0)).0.content, None, "an external journal");
}

#[test]
fn exfat_finds_its_label_and_a_loop_ends() {
    let mut image = vec![0; 1 << 16];
    put(&mut image, 3, b"EXFAT   ");
    put(&mut image, 510, b"\x55\xaa");
    put(&mut image, 80, &4_u32.to_le_bytes());
    put(&mut image, 88, &8_u32.to_le_bytes());
    put(&mut image, 92, &16_u32.to_le_bytes());
    put(&mut image, 96, &4_u32.to_le_bytes());
    put(&mut image, 100, &0x1234_abcd_u32.to_le_bytes());
    image[108] = 9;
    image[109] = 1;
    let root = 8 * 512 + 2 * 1024;
    put(&mut image, root, b"\x81");
    put(&mut image, root + 32, b"\x83\x05H\0e\0l\0l\0o\0X\0");
    let found = content(&image);
    assert_eq!((found.kind, found.label.as_str(), found.uuid.as_str()), (Type::Exfat, "Hello", "1234-ABCD"));
    for at in 0..32 {
        put(&mut image, root + at * 32, b"\x85");
    }
    put(&mut image, 4 * 512 + 16, &4_u32.to_le_bytes());
    assert_eq!(run(&image).1, WANTS_MAX);
}

#[test]
fn ntfs_takes_its_label_from_the_volume_record() {
    let mut image = vec![0; 1 << 16];
    put(&mut image, 3, b"NTFS    \0\x02\x08");
    put(&mut image, 0x30, &1_u64.to_le_bytes());
    image[0x40] = 0xf6;
    put(&mut image, 0x48, &0x0123_4567_89ab_cdef_u64.to_le_bytes());
    let record = 4096 + 3 * 1024;
    put(&mut image, record, b"FILE");
    put(&mut image, record + 20, &56_u16.to_le_bytes());
    put(&mut image, record + 56, &[0x10, 0, 0, 0, 24, 0, 0, 0]);
    put(&mut image, record + 80, &[0x60, 0, 0, 0, 40, 0, 0, 0, 0]);
    put(&mut image, record + 80 + 16, &[8, 0, 0, 0, 24, 0]);
    put(&mut image, record + 80 + 24, b"D\0a\0t\0a\0");
    let found = content(&image);
    assert_eq!((found.kind, found.label.as_str(), found.uuid.as_str()), (Type::Ntfs, "Data", "0123456789ABCDEF"));
    put(&mut image, record + 60, &[0; 4]);
    assert_eq!(content(&image).label.as_str(), "", "an attribute of no length ends the walk");
}

#[test]
fn a_hybrid_image_is_a_file_system_with_a_table_in_front() {
    let mut image = vec![0; 1 << 16];
    put(&mut image, 446, &[0x80, 0, 1, 0, 0x17, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0, 0]);
    put(&mut image, 510, b"\x55\xaa");
    put(&mut image, 32768, b"\x01CD001\x01");
    put(&mut image, 32768 + 40, b"LIVE                            ");
    put(&mut image, 32768 + 813, b"2026013123595900");
    put(&mut image, 34816, b"\xffCD001\x01");
    let (found, _) = run(&image);
    let content = found.content.unwrap();
    assert_eq!((content.kind, content.label.as_str()), (Type::Iso9660, "LIVE"));
    assert_eq!((content.uuid.as_str(), found.table), ("2026-01-31-23-59-59-00", Some(Table::Mbr)));
}

#[test]
fn tables_swap_and_locked_volumes_are_told_apart_from_file_systems() {
    let mut gpt = vec![0; 1 << 16];
    put(&mut gpt, 512, b"EFI PART");
    assert_eq!(run(&gpt).0, Found { content: None, table: Some(Table::Gpt) });
    let mut boot_code = vec![0; 1 << 16];
    put(&mut boot_code, 510, b"\x55\xaa");
    assert_eq!(run(&boot_code).0, Found::default());
    let mut swap = vec![0; 1 << 16];
    put(&mut swap, 1024, &1_u32.to_le_bytes());
    put(&mut swap, 1024 + 28, b"pages");
    put(&mut swap, 16384 - 10, b"SWAPSPACE2");
    assert_eq!((content(&swap).kind.usage(), content(&swap).label.as_str()), (Usage::Swap, "pages"));
    let mut luks = vec![0; 1 << 16];
    put(&mut luks, 0, b"LUKS\xba\xbe\0\x02");
    put(&mut luks, 24, b"vault");
    put(&mut luks, 168, b"b2ff0b9e-0000-4000-8000-000000000000");
    let found = content(&luks);
    assert_eq!((found.kind.as_str(), found.label.as_str(), found.is_mountable()), ("crypto_LUKS", "vault", false));
    assert_eq!(found.uuid.as_str(), "b2ff0b9e-0000-4000-8000-000000000000");
    luks[7] = 9;
    assert_eq!(run(&luks).0.content, None);
}

#[test]
fn no_medium_and_every_short_device_is_nothing() {
    let image = fat16();
    for length in (0..2048).chain([FAT16_ROOT - 1, FAT16_ROOT, FAT16_ROOT + 31]) {
        run(&image[..length]);
    }
    let mut probe = Probe::new(1 << 30);
    while probe.want().is_some() {
        probe.feed(&[]);
    }
    assert_eq!(*probe.found(), Found::default());
    assert_eq!(run(&[]).0, Found::default());
}
