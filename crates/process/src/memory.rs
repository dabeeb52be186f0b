//! Memory of this process: what it frees goes back to the system.
#![cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "mallopt has no safe form")
)]

/// For a process that idles most of its days: threads share one pool of memory, and what is freed is given back
/// at once. glibc else keeps a pool for each thread and, after a large piece was freed, pieces of up to 32 MB
/// (mallopt(3): `M_ARENA_MAX`, `M_MMAP_THRESHOLD`, `M_TRIM_THRESHOLD`). Call it before the first thread starts.
pub fn keep_little_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (what, value) in [
        (libc::M_ARENA_MAX, 1),
        (libc::M_MMAP_THRESHOLD, 128 * 1024),
        (libc::M_TRIM_THRESHOLD, 128 * 1024),
    ] {
        // SAFETY: it only sets a number of the allocator's. What it refuses leaves everything as it was.
        unsafe { libc::mallopt(what, value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of this process that no file backs: <https://docs.kernel.org/filesystems/proc.html>.
    fn anonymous() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap_or_default();
        let kilobytes = line.split_whitespace().nth(1).and_then(|it| it.parse::<u64>().ok());
        kilobytes.unwrap_or_default() * 1024
    }

    #[test]
    fn what_threads_freed_is_given_back() {
        if anonymous() == 0 {
            return skipped::skipped("how much memory it has is not told here");
        }
        keep_little_memory();
        let before = anonymous();
        for _ in 0..8 {
            let fill = || (0..40_000).map(|n| vec![1_u8; 100 + n % 200]).collect::<Vec<_>>().len();
            let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(fill)).collect();
            let pieces: usize = threads.into_iter().map(|it| it.join().expect("no panic")).sum();
            assert_eq!(pieces, 160_000);
        }
        let kept = anonymous().saturating_sub(before);
        assert!(kept < 4_000_000, "{kept} bytes of some 32 MB were kept");
    }
}
