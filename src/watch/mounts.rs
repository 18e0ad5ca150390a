//! Where a folder really lies. On a network drive file events tell only what this machine itself has changed.

use std::fs;
use std::path::Path;

/// File systems whose files are changed from elsewhere as well, by the names that Linux gives them. A layer of a container
/// (`overlay`) is not among them: a bind mount in it shows as the file system it comes from.
const REMOTE: [&str; 27] = [
    "9p",
    "acfs",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "davfs",
    "drvfs",
    "fakeowner",
    "fhgfs",
    "fuse",
    "glusterfs",
    "gpfs",
    "ipfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "orangefs",
    "prl_fs",
    "pvfs2",
    "smb2",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
];

/// The name of the file system, if `folder` lies on one that sends no events for what others change.
pub(super) fn remote(folder: &Path) -> Option<String> {
    let real = fs::canonicalize(folder).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    file_system(&mounts, &real).filter(|name| is_remote(name)).map(str::to_owned)
}

fn is_remote(name: &str) -> bool {
    // `fuseblk` is a local disk.
    REMOTE.contains(&name) || name.starts_with("fuse.")
}

/// The file system that `path` is on, by the text of `/proc/self/mountinfo`.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mut best = None;
    for line in mounts.lines() {
        let Some((place, kind)) = line.split_once(" - ") else { continue };
        let Some(point) = place.split(' ').nth(4).map(unescaped) else { continue };
        // Of several mounts at one place the last is on top.
        if path.starts_with(&point) && best.is_none_or(|(length, _)| point.len() >= length) {
            best = Some((point.len(), kind));
        }
    }
    best.and_then(|(_, kind)| kind.split(' ').next())
}

/// Blanks and their kin are written as `\040`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, more)) = rest.split_first() {
        let code = more.get(..3).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 8).ok()) {
            Some(byte) if first == b'\\' => {
                bytes.push(byte);
                rest = &more[3..];
            }
            _ => {
                bytes.push(first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:1 / / rw,relatime - ext4 /dev/vda1 rw
30 22 0:40 / /srv/posts rw,relatime shared:7 - nfs4 files:/posts rw,vers=4.2
31 22 0:41 / /srv/posts/local rw - btrfs /dev/vdb rw
32 22 0:42 / /mnt/my\\040disk rw - fuse.sshfs ann@host:/ rw
33 22 0:43 / /mnt/stick rw - fuseblk /dev/sdb1 rw
34 22 0:44 / /twice rw - ext4 /dev/vdc rw
35 22 0:45 / /twice rw - cifs //nas/twice rw
broken
";

    fn kind(path: &str) -> Option<&'static str> {
        file_system(MOUNTS, Path::new(path))
    }

    #[test]
    fn the_innermost_and_last_mount_says_what_a_folder_lies_on() {
        assert_eq!(kind("/home/ann/posts"), Some("ext4"));
        assert_eq!(kind("/srv/posts/2024"), Some("nfs4"));
        assert_eq!(kind("/srv/posts-of-mine"), Some("ext4"));
        assert_eq!(kind("/srv/posts/local/a"), Some("btrfs"));
        assert_eq!(kind("/mnt/my disk/a"), Some("fuse.sshfs"));
        assert_eq!(kind("/twice"), Some("cifs"));
    }

    #[test]
    fn network_drives_are_remote_and_disks_are_not() {
        for name in ["nfs", "nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs", "fuse"] {
            assert!(is_remote(name), "{name}");
        }
        for name in ["ext4", "btrfs", "xfs", "zfs", "tmpfs", "overlay", "fuseblk", "apfs"] {
            assert!(!is_remote(name), "{name}");
        }
    }

    #[test]
    fn odd_lines_mean_nothing() {
        assert_eq!(file_system("\n - \na b - c\n\\04", Path::new("/")), None);
        assert_eq!(unescaped("a\\04"), "a\\04");
        assert_eq!(unescaped("ä\\134b\\999"), "ä\\b\\999");
    }
}
