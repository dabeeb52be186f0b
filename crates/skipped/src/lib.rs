//! The one way for a test to leave something out because of the machine it runs on: it says why, and
//! where all can be done it fails. For tests alone; no test returns early in silence.

/// Set to `1` where a machine can do all that the tests ask for (`.ci/run` does): nothing is skipped
/// there, it fails.
pub const MUST_NOT: &str = "RUNNER_TRAY_MUST_NOT_SKIP";

/// Says that the test, or a part of it, is left out, and `why`: a sentence without its period. Panics
/// where nothing may be left out.
#[track_caller]
pub fn skipped(why: &str) {
    say(why, std::env::var_os(MUST_NOT).is_some_and(|set| set == "1"));
}

#[track_caller]
fn say(why: &str, must_not: bool) {
    println!("skipped: {why}");
    assert!(!must_not, "nothing may be skipped here ({MUST_NOT}=1), but {why}");
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_goes_on_where_a_machine_cannot_do_all() {
        super::say("nobody can fly here", false);
    }

    #[test]
    #[should_panic(expected = "but nobody can fly here")]
    fn it_fails_where_nothing_may_be_skipped() {
        super::say("nobody can fly here", true);
    }
}
