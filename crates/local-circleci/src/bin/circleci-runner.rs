//! The stand-in for CircleCI's machine runner.

fn main() -> std::process::ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    local_circleci::runner::main(&words)
}
