//! The stand-in for CircleCI's task agent.

fn main() -> std::process::ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    local_circleci::agent::main(&words)
}
