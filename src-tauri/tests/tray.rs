//! The app on a real desktop session: a display, a session bus and a panel of each test's own.
//! What happens in each is in `tray/scenarios.py`, where a supervisor is played, and in
//! `tray/end_to_end.py`, `tray/cleaning.py`, `tray/preinstalling.py`, `tray/notifying.py` and
//! `tray/wizard.py`, where all is real and `local-circleci` plays CircleCI. A tool that is missing is a failure that names it: `./dev test` installs them.

use std::io::{Read, Seek};
use std::path::Path;
use std::process::{Command, Stdio};

const PYTHON: &str = "/usr/bin/python3";

fn keeps(script: &str, promise: &str) {
    if std::env::consts::OS != "linux" {
        println!("skipped: such a session is Linux's");
        return;
    }
    if let Some(missing) = missing() {
        panic!("{missing} is missing; ./dev test installs what these tests need");
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tray").join(script);
    // A file, not a pipe: desktop services end a moment after their session and hold it until then.
    let mut said = tempfile::tempfile().expect("a temporary file");
    // Two sessions of one home would share their accessibility bus.
    let home = tempfile::tempdir().expect("a temporary folder");
    let handle = || said.try_clone().expect("a second handle");
    let status = Command::new("dbus-run-session")
        .args(["--", PYTHON])
        .arg(script)
        .arg(promise)
        .env("RUNNER_TRAY_APP", env!("CARGO_BIN_EXE_runner-tray"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .env("XDG_RUNTIME_DIR", home.path())
        .stdin(Stdio::null())
        .stdout(handle())
        .stderr(handle())
        .status()
        .expect("start dbus-run-session");
    let mut text = Vec::new();
    said.rewind().and_then(|()| said.read_to_end(&mut text)).expect("what it said");
    assert!(status.success(), "{promise}: {status}\n{}", String::from_utf8_lossy(&text));
}

/// What of the desktop's tools is not installed here.
fn missing() -> Option<&'static str> {
    let succeeds = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        output.is_ok_and(|output| output.status.success())
    };
    let atspi =
        "import gi, dbus; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi";
    [
        ("Xvfb", "sh", ["-c", "command -v Xvfb"]),
        ("dbus-run-session", "sh", ["-c", "command -v dbus-run-session"]),
        ("WebKitWebDriver", "sh", ["-c", "command -v WebKitWebDriver"]),
        ("gnome-keyring-daemon", "sh", ["-c", "command -v gnome-keyring-daemon"]),
        ("dunst", "sh", ["-c", "command -v dunst"]),
        ("python3 with dbus, gi and Atspi", PYTHON, ["-c", atspi]),
    ]
    .into_iter()
    .find(|(_, program, arguments)| !succeeds(program, arguments))
    .map(|(name, _, _)| name)
}

macro_rules! promises {
    ($script:literal: $($promise:ident)*) => {
        $(#[test]
        fn $promise() {
            super::keeps($script, stringify!($promise));
        })*
    };
}

mod played {
    promises! { "scenarios.py":
        a_pause_and_a_resume_from_the_menu_reach_the_supervisor
        until_i_resume_has_no_end
        every_scene_has_its_line_and_its_icon
        texts_of_a_job_stay_one_line_of_the_menu
        a_second_start_opens_the_first_one_s_window
        a_closed_window_is_destroyed_and_the_tray_goes_on
        killed_and_started_again_it_shows_what_is
        a_supervisor_that_goes_is_missed_and_found_again
        start_it_starts_a_supervisor_that_outlives_the_app
        the_app_starts_a_supervisor_where_none_is
        a_supervisor_that_cannot_be_started_is_said_in_the_window
        the_window_s_buttons_reach_the_supervisor
        a_screen_reader_reads_the_whole_window_and_every_control_has_a_name
        a_task_s_page_is_opened_in_the_browser
        a_directory_of_the_menu_is_opened_in_the_file_manager_and_nothing_that_is_none
        clean_up_now_opens_its_page_with_the_plan
        a_window_opens_where_and_as_large_as_it_was_closed
        a_desktop_without_a_tray_gets_the_window_and_the_reason
        a_login_on_a_desktop_without_a_tray_opens_no_window_and_tells_it_by_a_notification
        a_panel_that_draws_no_icons_is_told_and_so_is_one_that_goes_later
        quit_ends_the_app_and_nothing_else
    }
}

mod heavy_end_to_end {
    promises! { "end_to_end.py":
        a_pause_from_the_menu_drains_the_real_agent_and_its_task_ends_well
        an_app_that_is_killed_in_a_task_harms_nothing
        a_second_start_opens_the_window_of_the_first_in_the_middle_of_a_task
        a_supervisor_that_is_stopped_in_a_task_is_missed_and_started_from_the_menu
        finish_this_task_then_stop_ends_supervisor_and_app_after_the_task_and_not_before
        a_task_is_ended_by_the_button_that_names_it_alone_and_the_runner_goes_on
    }
}

mod heavy_cleaning {
    promises! { "cleaning.py":
        what_tasks_left_is_measured_deleted_and_put_back
        nothing_goes_before_it_was_in_the_plan_and_its_receipt_says_what_went
    }
}

mod heavy_preinstalling {
    promises! { "preinstalling.py":
        what_is_missing_is_planned_installed_and_told_and_outlives_the_window
    }
}

mod heavy_notifying {
    promises! { "notifying.py":
        resume_on_a_notification_resumes_the_runner_while_the_app_runs
        with_the_app_closed_a_notification_resumes_the_runner_and_a_click_on_it_opens_the_app
        a_supervisor_that_began_before_the_desktop_opens_the_window_on_its_display
        a_start_that_fails_is_told_on_the_desktop
    }
}

mod heavy_wizard {
    promises! { "wizard.py":
        from_an_empty_home_to_the_first_finished_task
        with_a_personal_token_a_class_and_its_token_are_made_and_the_first_task_is_claimed
        a_set_up_that_was_left_is_taken_up_where_it_was_and_nothing_was_changed
        a_token_that_circleci_refuses_is_told_and_the_way_out_asks_for_another
        a_keychain_that_is_locked_is_told_and_a_file_is_a_way_out
        a_release_server_that_goes_away_in_the_download_is_told_and_waited_for
        the_window_goes_on_over_a_restart_of_the_supervisor
    }
}

#[test]
fn without_a_display_it_says_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_runner-tray"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("start the app");
    let said = String::from_utf8_lossy(&output.stderr);
    if std::env::consts::OS == "linux" {
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("DISPLAY") && said.contains("runnerctl"), "{said}");
    }
}

#[test]
fn an_argument_that_it_does_not_know_is_a_usage_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_runner-tray"))
        .arg("--windows")
        .output()
        .expect("start the app");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage: runner-tray"));
}
