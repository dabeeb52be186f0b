//! Work that threads share: who has too much gives away, who has nothing waits, and when all wait it
//! is over.

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// More do not help: they wait for the same disk, and each keeps handles open.
const MOST: usize = 4;

pub(crate) struct Pool<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// More threads wait than there is work lying about.
    hungry: AtomicBool,
}

struct State<T> {
    work: VecDeque<T>,
    waiting: usize,
    threads: usize,
    over: bool,
}

impl<T: Send> Pool<T> {
    /// Has threads do the work, and what they give away, to its end. `each` is called once a thread,
    /// takes until there is nothing left, and returns what it gathered.
    pub(crate) fn run<R: Send>(work: Vec<T>, each: impl Fn(&Self) -> R + Sync) -> Vec<R> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        // Twice as many: half of them wait for the disk's journal while a tree is deleted.
        let threads = (cores * 2).clamp(2, MOST);
        let state = State { work: work.into(), waiting: 0, threads, over: false };
        let pool = Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            hungry: AtomicBool::new(true),
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads)
                .filter_map(|_| {
                    let other = thread::Builder::new().stack_size(256 << 10);
                    other.spawn_scoped(scope, || pool.work(&each)).ok()
                })
                .collect();
            // Where no thread can be had this one does it all.
            pool.lock().threads = others.len() + 1;
            let mut gathered = vec![pool.work(&each)];
            for other in others {
                match other.join() {
                    Ok(result) => gathered.push(result),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            gathered
        })
    }

    fn work<R>(&self, each: &impl Fn(&Self) -> R) -> R {
        // A thread that panics must not keep the others waiting.
        let over = Over(self);
        let gathered = each(self);
        drop(over);
        gathered
    }

    /// The next work; blocks while others may still give some away. None: it is over.
    pub(crate) fn take(&self) -> Option<T> {
        let mut state = self.lock();
        loop {
            if let Some(work) = state.work.pop_front() {
                self.note(&state);
                return Some(work);
            }
            if state.over || state.waiting + 1 >= state.threads {
                state.over = true;
                self.changed.notify_all();
                return None;
            }
            state.waiting += 1;
            self.note(&state);
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
    }

    pub(crate) fn give(&self, work: T) {
        let mut state = self.lock();
        state.work.push_back(work);
        self.note(&state);
        self.changed.notify_one();
    }

    /// Whether somebody has nothing to do.
    pub(crate) fn is_hungry(&self) -> bool {
        self.hungry.load(Ordering::Relaxed)
    }

    fn note(&self, state: &State<T>) {
        self.hungry.store(state.waiting > state.work.len(), Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Over<'pool, T: Send>(&'pool Pool<T>);

impl<T: Send> Drop for Over<'_, T> {
    fn drop(&mut self) {
        if thread::panicking() {
            let mut state = self.0.lock();
            state.over = true;
            state.work.clear();
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_work_is_done_also_that_which_comes_of_work() {
        let sums = Pool::run(vec![12_u32, 3], |pool| {
            let mut sum = 0_u32;
            while let Some(work) = pool.take() {
                sum += 1;
                for _ in 0..2 {
                    if work > 0 {
                        pool.give(work - 1);
                    }
                }
            }
            sum
        });
        assert_eq!(sums.iter().sum::<u32>(), (1 << 13) - 1 + (1 << 4) - 1);
    }

    #[test]
    fn a_panic_of_one_is_not_waited_for_by_the_others() {
        let done = std::panic::catch_unwind(|| {
            Pool::run(vec![1, 2, 3], |pool| {
                while let Some(work) = pool.take() {
                    assert_ne!(work, 2, "meant to be");
                }
            })
        });
        assert!(done.is_err());
    }
}
