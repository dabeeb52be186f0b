//! A thread that looks again and again, until it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::nap;

const BETWEEN_LOOKS: Duration = Duration::from_millis(15);

pub(crate) struct Background {
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    pub(crate) fn again_and_again(mut look: impl FnMut() + Send + 'static) -> Self {
        let enough = Arc::<AtomicBool>::default();
        let thread = std::thread::spawn({
            let enough = Arc::clone(&enough);
            move || {
                while !enough.load(Ordering::Relaxed) {
                    look();
                    nap(BETWEEN_LOOKS);
                }
            }
        });
        Self { enough, thread: Some(thread) }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}
