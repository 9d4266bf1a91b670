//! Processor time and memory of a process, from `/proc` (Linux).

use std::fs;
use std::io;
use std::time::Duration;

/// The unit of times in `stat`: 1/100 s (`USER_HZ`) on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// Processor time and memory of one process, all threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) rss_bytes: u64,
}

impl Usage {
    /// Reads both.
    ///
    /// # Errors
    /// When there is no such process, or no `/proc`.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        Ok(Self { cpu: cpu(pid)?, rss_bytes: rss_bytes(pid)? })
    }
}

/// Reads the processor time of all threads that the process has or had.
///
/// `stat` counts all threads, in ticks; `schedstat` is in nanoseconds but
/// lacks threads that have ended. Servers rarely end threads, so `schedstat` is used unless it
/// falls short.
pub(crate) fn cpu(pid: u32) -> io::Result<Duration> {
    let stat = cpu_of_stat(&fs::read_to_string(format!("/proc/{pid}/stat"))?)?;
    let exact = cpu_of_threads(pid).unwrap_or_default();
    // utime and stime are rounded down, each.
    Ok(if exact + TICK >= stat { exact } else { stat })
}

fn cpu_of_threads(pid: u32) -> io::Result<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end in between.
        let text = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanos += text.split(' ').next().and_then(|run| run.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanos))
}

/// utime and stime are fields 14 and 15 (proc_pid_stat(5)); the name before them may hold anything.
fn cpu_of_stat(stat: &str) -> io::Result<Duration> {
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let mut ticks = after_name.split_ascii_whitespace().skip(11).map(str::parse::<u32>);
    match (ticks.next(), ticks.next()) {
        (Some(Ok(user)), Some(Ok(system))) => Ok(TICK * user + TICK * system),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn rss_bytes(pid: u32) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    // A process that has ended has no memory, and stays in the list until its parent has seen it.
    kibibytes.map(|kibibytes| kibibytes * 1024).ok_or_else(|| io::Error::other("it has ended"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0 9 0 0";
        assert_eq!(cpu_of_stat(stat).unwrap(), Duration::from_secs(2));
        assert!(cpu_of_stat("7 (a) S 1").is_err());
    }

    #[test]
    fn this_process_uses_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.cpu > Duration::ZERO);
        assert!(usage.rss_bytes > 100_000);
    }

    #[test]
    fn a_process_that_is_not_there_is_an_error() {
        assert!(Usage::of(u32::MAX).is_err());
    }
}
