//! Metrics of the process from the kernel, under the names that all exporters use.

use std::fs;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};
#[cfg(target_os = "linux")]
use rustix::time::{ClockId, clock_gettime};

/// The data of `/proc` about this process. All fields are `None` on systems other than Linux.
#[derive(Debug, Default)]
pub(crate) struct Process {
    pub(super) cpu_seconds: Option<f64>,
    pub(super) start_time_seconds: Option<f64>,
    pub(super) resident_memory_bytes: Option<f64>,
    pub(super) virtual_memory_bytes: Option<f64>,
    pub(super) threads: Option<f64>,
    pub(super) open_fds: Option<f64>,
    pub(super) max_fds: Option<f64>,
}

impl Process {
    /// Reads the data. With many descriptors and a kernel before 6.2 this takes tens of
    /// milliseconds, so it must not run on an event loop.
    pub(crate) fn read() -> Self {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Self {
            start_time_seconds: start_time_seconds(&stat),
            open_fds: open_fds(),
            max_fds: getrlimit(Resource::Nofile).current.map(|max| max as f64),
            ..Self::from_stat(&stat)
        }
    }

    /// Parses proc_pid_stat(5).
    fn from_stat(stat: &str) -> Self {
        let ticks = |place| Some(field(stat, place)? / clock_ticks_per_second() as f64);
        Self {
            cpu_seconds: ticks(14).zip(ticks(15)).map(|(user, system)| user + system),
            threads: field(stat, 20),
            virtual_memory_bytes: field(stat, 23),
            resident_memory_bytes: field(stat, 24).map(|pages| pages * page_size() as f64),
            ..Self::default()
        }
    }
}

/// Returns the field with this number, counted from 1 as in the manual. The second is the name of
/// the program in parentheses, which may contain spaces and parentheses.
fn field(stat: &str, place: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_ascii_whitespace().nth(place - 3)?.parse().ok()
}

/// Computed once: it must be the same in each scrape, because a change means a restart.
fn start_time_seconds(stat: &str) -> Option<f64> {
    static START: OnceLock<Option<f64>> = OnceLock::new();
    *START.get_or_init(|| {
        let began = field(stat, 22)? / clock_ticks_per_second() as f64;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs_f64();
        Some(now - (seconds_since_boot()? - began))
    })
}

/// Read from the clock, because a sandbox hides `/proc/stat` and `/proc/uptime` (`ProcSubset=pid`).
#[cfg(target_os = "linux")]
fn seconds_since_boot() -> Option<f64> {
    let time = clock_gettime(ClockId::Boottime);
    Some(time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9)
}

#[cfg(not(target_os = "linux"))]
fn seconds_since_boot() -> Option<f64> {
    None
}

/// Returns the number of open descriptors.
fn open_fds() -> Option<f64> {
    // Since Linux 6.2 the size of this folder is the number of its entries; before it is 0.
    match fs::metadata("/proc/self/fd").ok()?.len() {
        // Without the descriptor that reads the folder.
        0 => Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64),
        open => Some(open as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_shifts_no_field() {
        let stat = "7 (a) b (c) R 1 2 3 4 5 6 7 8 9 10 250 50 13 14 15 16 9 18 700 4096 3 x";
        let process = Process::from_stat(stat);
        assert_eq!(process.cpu_seconds, Some(300.0 / clock_ticks_per_second() as f64));
        assert_eq!(process.threads, Some(9.0));
        assert_eq!(process.virtual_memory_bytes, Some(4096.0));
        assert_eq!(process.resident_memory_bytes, Some(3.0 * page_size() as f64));
        assert_eq!(field(stat, 22), Some(700.0));
    }

    #[test]
    fn a_system_without_proc_is_no_error() {
        let process = Process::from_stat("");
        assert!(process.cpu_seconds.is_none() && process.resident_memory_bytes.is_none());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_read() {
        let before = Process::read();
        let files: Vec<_> = (0..10).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = Process::read();
        assert!(after.open_fds.unwrap() >= 10.0 && files.len() == 10);
        assert!(after.open_fds < after.max_fds);
        assert!(after.resident_memory_bytes.unwrap() > 100_000.0);
        assert!(after.virtual_memory_bytes > after.resident_memory_bytes);
        assert!(after.cpu_seconds >= before.cpu_seconds);
        assert_eq!(after.start_time_seconds, before.start_time_seconds);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
        let age = now - after.start_time_seconds.unwrap();
        assert!((-2.0..3600.0).contains(&age), "{age} s");
    }
}
