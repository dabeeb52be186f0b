//! Lines that real agents wrote (as far as the public sources show them) keep their meaning.

use std::{fmt::Write, fs, path::Path};

use runner_tray_circleci::{meanings, parse};

#[test]
fn real_lines_keep_their_meaning() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promises/lines");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 5);
    let mut told = String::new();
    for file in files {
        writeln!(told, "# {}", file.file_name().unwrap().display()).unwrap();
        for line in fs::read(&file).unwrap().split_inclusive(|byte| *byte == b'\n') {
            let line = parse(line);
            writeln!(told, "{line:#?}\n=> {:#?}\n", meanings(&line)).unwrap();
        }
    }
    insta::assert_snapshot!(told);
}
