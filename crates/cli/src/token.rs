//! Where a token comes from: standard input, or a prompt that does not show it. Never the command
//! line, which other users of the machine can read.

use std::io::{IsTerminal, Read, Write};

use protocol::SetToken;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;

/// Whether there is somebody to ask.
pub(crate) fn can_prompt() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Reads the token from standard input, and asks for it where that is a terminal.
pub(crate) async fn read(runner: &str) -> Result<SetToken, Failure> {
    if can_prompt() { prompt(runner).await } else { from_input(std::io::stdin()) }
}

fn from_input(mut input: impl Read) -> Result<SetToken, Failure> {
    let mut text = String::new();
    let read = input.read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map_err(|error| {
        Failure::failed(format!("The token cannot be read from standard input: {error}."), HOW)
    })?;
    checked(&text)
}

const HOW: &str = "Pipe it in, for example: runnerctl token set < token.txt";

/// A token is one word; anything else was pasted or piped by mistake.
fn checked(text: &SecretString) -> Result<SetToken, Failure> {
    let token = text.expose_secret().trim();
    if token.is_empty() {
        return Err(Failure::usage("There is no token on standard input.", HOW));
    }
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Failure::usage(
            "What came on standard input is not one token: there are blanks or lines within it.",
            "Pipe in the token alone, as CircleCI showed it when the resource class was made.",
        ));
    }
    Ok(SetToken(token.to_owned()))
}

/// Asks without echo; Ctrl-C gives the terminal back as it was.
async fn prompt(runner: &str) -> Result<SetToken, Failure> {
    let mut stderr = std::io::stderr();
    write!(stderr, "Resource class token of {runner} (not shown): ")?;
    stderr.flush()?;
    let hidden = Hidden::begin().map_err(|error| {
        Failure::failed(
            format!("The terminal cannot be kept from showing the token: {error}."),
            HOW,
        )
    })?;
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| SecretString::from(line))
    });
    let line = tokio::select! {
        line = line => line.map_err(std::io::Error::other).flatten(),
        _ = tokio::signal::ctrl_c() => {
            drop(hidden);
            eprintln!();
            // The thread that waits for a line cannot be ended in any other way.
            std::process::exit(130);
        }
    };
    drop(hidden);
    eprintln!();
    let line = line.map_err(|error| {
        Failure::failed(format!("The token cannot be read from the terminal: {error}."), HOW)
    })?;
    checked(&line)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden {
    before: Termios,
}

impl Hidden {
    fn begin() -> std::io::Result<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing more can be done where the terminal is gone.
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_what_was_piped_without_its_line_end() {
        let token = from_input("  abc123\r\n".as_bytes()).expect("a token");
        assert_eq!(token.0, "abc123");
    }

    #[test]
    fn nothing_or_several_lines_are_no_token_and_are_not_repeated() {
        for text in ["", " \n\n", "abc def", "abc\ndef\n", "a\u{1b}b"] {
            match from_input(text.as_bytes()) {
                Err(Failure::Usage { what, hint }) => {
                    assert!(!what.contains("abc") && !hint.contains("abc"), "{what} {hint}");
                }
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }
}
