//! Where a token comes from: standard input, or a prompt that does not show it. Never the command
//! line, which other users of the machine can read.

use std::io::{IsTerminal, Read, Write};

use protocol::{PersonalToken, SetToken};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::{ExposeSecret, SecretString};

use crate::failure::Failure;

/// Whether there is somebody to ask.
pub(crate) fn can_prompt() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Reads a resource class token from standard input, and asks for it where that is a terminal.
pub(crate) async fn read(runner: &str) -> Result<SetToken, Failure> {
    let text = if can_prompt() {
        prompt(&format!("Resource class token of {runner}"), OF_CLASS.how).await?
    } else {
        from_input(std::io::stdin(), OF_CLASS.how)?
    };
    checked(&text, OF_CLASS).map(SetToken)
}

/// The same for a personal API token.
pub(crate) async fn read_personal() -> Result<PersonalToken, Failure> {
    let text = if can_prompt() {
        prompt("Personal API token of your CircleCI account", PERSONAL.how).await?
    } else {
        from_input(std::io::stdin(), PERSONAL.how)?
    };
    checked(&text, PERSONAL).map(PersonalToken)
}

/// What is said where a token is not one.
#[derive(Clone, Copy)]
struct Words {
    none: &'static str,
    how: &'static str,
    alone: &'static str,
}

const OF_CLASS: Words = Words {
    none: "There is no token on standard input.",
    how: "Pipe it in: the same command with `< token.txt` at its end.",
    alone: "Pipe in the token alone, as CircleCI showed it when the resource class was made.",
};

const PERSONAL: Words = Words {
    none: "There is no personal API token on standard input.",
    how: "Pipe it in: the same command with `< token.txt` at its end. You make one in CircleCI's web \
          app, under User Settings, Personal API Tokens.",
    alone: "Pipe in the token alone, as CircleCI showed it under Personal API Tokens.",
};

fn from_input(mut input: impl Read, how: &str) -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = input.read_to_string(&mut text);
    let text = SecretString::from(text);
    read.map_err(|error| {
        Failure::failed(format!("The token cannot be read from standard input: {error}."), how)
    })?;
    Ok(text)
}

/// A token is one word; anything else was pasted or piped by mistake.
fn checked(text: &SecretString, words: Words) -> Result<String, Failure> {
    let token = text.expose_secret().trim();
    if token.is_empty() {
        return Err(Failure::usage(words.none, words.how));
    }
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(Failure::usage(
            "What came on standard input is not one token: there are blanks or lines within it.",
            words.alone,
        ));
    }
    Ok(token.to_owned())
}

/// Asks without echo; Ctrl-C gives the terminal back as it was.
async fn prompt(what: &str, how: &str) -> Result<SecretString, Failure> {
    let mut stderr = std::io::stderr();
    write!(stderr, "{what} (not shown): ")?;
    stderr.flush()?;
    let hidden = Hidden::begin().map_err(|error| {
        Failure::failed(
            format!("The terminal cannot be kept from showing the token: {error}."),
            how,
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
    line.map_err(|error| {
        Failure::failed(format!("The token cannot be read from the terminal: {error}."), how)
    })
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

    fn piped(text: &str) -> Result<String, Failure> {
        checked(&from_input(text.as_bytes(), OF_CLASS.how)?, OF_CLASS)
    }

    #[test]
    fn the_token_is_what_was_piped_without_its_line_end() {
        let token = piped("  abc123\r\n").expect("a token");
        assert_eq!(token, "abc123");
    }

    #[test]
    fn nothing_or_several_lines_are_no_token_and_are_not_repeated() {
        for text in ["", " \n\n", "abc def", "abc\ndef\n", "a\u{1b}b"] {
            match piped(text) {
                Err(Failure::Usage { what, hint }) => {
                    assert!(!what.contains("abc") && !hint.contains("abc"), "{what} {hint}");
                }
                other => panic!("{text:?} gave {other:?}"),
            }
        }
    }
}
