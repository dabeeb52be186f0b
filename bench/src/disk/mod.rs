//! `bench cleanup`: measuring and removing what lies on a disk, beside du, rm and their like. It writes
//! and removes below `target/bench-disk` alone.

mod measure;
mod memory;
mod pre_job;
mod remove;
mod tools;
mod trees;

use crate::About;

pub(crate) const ABOUT: About = About {
    name: "cleanup",
    title: "Benchmarks of clean-up",
    file: "docs/benchmarks-cleanup.md",
    note: "Each is a program that is\n\
           timed from its start to its end; of Runner Tray the bench's own, which calls the engine and nothing else.",
    programs: &["bench-cleanup", "runner-tray-keeper"],
    rows: &[
        ("measure", measure::row),
        ("remove-small", remove::small),
        ("remove-real", remove::real),
        ("remove-large", remove::large),
        ("memory", memory::row),
        ("pre-job", pre_job::row),
    ],
};
