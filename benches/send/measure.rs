//! What a process used, and the middle of several measurements.

use std::path::PathBuf;

/// CPU time is counted in hundredths of a second (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What the kernel knows of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// User and system time of the process so far.
    pub(crate) cpu_seconds: f64,
    /// The same of those of its children that have ended and were waited for.
    pub(crate) children_seconds: f64,
    pub(crate) resident_kib: u64,
    pub(crate) peak_kib: u64,
}

/// Of this process.
pub(crate) fn own_usage() -> Usage {
    usage(std::process::id())
}

/// Of a process that runs. Zero where the kernel does not say.
pub(crate) fn usage(process: u32) -> Usage {
    let folder = PathBuf::from(format!("/proc/{process}"));
    let stat = std::fs::read_to_string(folder.join("stat")).unwrap_or_default();
    // The name in front of the fields may hold anything, also blanks.
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    let status = std::fs::read_to_string(folder.join("status")).unwrap_or_default();
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_whitespace().nth(1));
        value.and_then(|text| text.parse().ok()).unwrap_or(0)
    };
    Usage {
        cpu_seconds: (ticks(11) + ticks(12)) / TICKS_PER_SECOND,
        children_seconds: (ticks(13) + ticks(14)) / TICKS_PER_SECOND,
        resident_kib: kib("VmRSS:"),
        peak_kib: kib("VmHWM:"),
    }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The machine, in one line.
pub(crate) fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find(|line| line.starts_with("model name"));
    let model = model.and_then(|line| line.split(": ").nth(1)).unwrap_or("an unknown processor");
    let memory = read("/proc/meminfo");
    let kib: u64 = memory
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let kernel = read("/proc/sys/kernel/osrelease");
    format!("{} x {model}, {} GB, Linux {}", cores(), kib.div_ceil(1 << 20), kernel.trim())
}

pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
