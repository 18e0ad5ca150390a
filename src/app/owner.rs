//! Who this process is in leases, and whose leases are provably nobody's when it starts.

use std::path::Path;

use crate::domain::random_token;

/// A process start. `place` is where it listens: two processes of one place cannot live at the same time, because only one
/// can hold the port. So what an earlier process of this place still leases was left by a crash.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    place: String,
    name: String,
}

impl Owner {
    /// The port must be held already.
    pub(super) fn at_port(port: u16) -> Self {
        // A host's name alone may be shared by containers; a network namespace of one boot is one machine's own.
        let boot = read("/proc/sys/kernel/random/boot_id");
        let network = std::fs::read_link("/proc/self/ns/net");
        let network = network.map(|link| link.display().to_string()).unwrap_or_default();
        let host = read("/proc/sys/kernel/hostname");
        let place = if boot.is_empty() || network.is_empty() {
            // Nothing proves that nobody else is called so: leases of the past run out by themselves.
            format!("{host}:{port}/{}", random_token())
        } else {
            format!("{host}:{port}/{boot}/{network}")
        };
        let name = format!("{place}/{}", random_token());
        Self { place, name }
    }

    /// Unique to this process.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What the names of all processes of this place begin with.
    pub(super) fn predecessors(&self) -> String {
        format!("{}/", self.place)
    }
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(path)).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_its_name_and_knows_the_earlier_ones_of_its_port_only() {
        let (first, second) = (Owner::at_port(8080), Owner::at_port(8080));
        assert_ne!(first.name(), second.name());
        assert!(first.name().starts_with(&second.predecessors()));
        assert!(!first.name().starts_with(&Owner::at_port(808).predecessors()));
    }
}
