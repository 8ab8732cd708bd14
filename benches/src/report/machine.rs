//! The machine, as far as it says.

use std::fs;

use serde::Serialize;

/// What figures depend on most.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Processors that this program may use.
    pub processors: usize,
    /// Their name.
    pub model: String,
    /// Memory, in MiB.
    pub memory_mib: Option<u64>,
    /// The system.
    pub kernel: Option<String>,
}

impl Machine {
    /// This one.
    pub fn here() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = value(&cpus, "model name").unwrap_or("an unknown model").to_owned();
        let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let memory_kib =
            value(&memory, "MemTotal").and_then(|total| total.split(' ').next()?.parse::<u64>().ok());
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        Self {
            processors: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            model,
            memory_mib: memory_kib.map(|kib| kib / 1_024),
            kernel: kernel.map(|kernel| format!("Linux {}", kernel.trim())),
        }
    }
}

/// Of `name : value` lines, the first of that name.
fn value<'a>(lines: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = lines.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    #[test]
    fn values_are_found_by_their_name() {
        let lines = "processor\t: 0\nmodel name\t: A: fast one\nmodel name\t: other\n";
        assert_eq!(super::value(lines, "model name"), Some("A: fast one"));
        assert_eq!(super::value(lines, "bogomips"), None);
    }
}
