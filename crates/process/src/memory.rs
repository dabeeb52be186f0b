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
