//! The snapshot's types as TypeScript, so that the window and the supervisor cannot drift apart.

use ts_rs::{Config, TS};

/// One module with every type a client of the snapshot needs.
pub fn typescript() -> String {
    let config = Config::default();
    let declarations = [
        crate::RunnerState::decl(&config),
        crate::PauseBy::decl(&config),
        crate::PauseReason::decl(&config),
        crate::ProblemCode::decl(&config),
        crate::Problem::decl(&config),
        crate::Boundary::decl(&config),
        crate::Install::decl(&config),
        crate::InstallWaits::decl(&config),
        crate::Usage::decl(&config),
        crate::Task::decl(&config),
        crate::TaskResult::decl(&config),
        crate::FinishedTask::decl(&config),
        crate::SupervisorInfo::decl(&config),
        crate::Runner::decl(&config),
        crate::TokenSeen::decl(&config),
        crate::TokenStore::decl(&config),
        crate::Preferences::decl(&config),
        crate::KeepAwakePreference::decl(&config),
        crate::NotificationPreference::decl(&config),
        crate::PreferencesChange::decl(&config),
        crate::KeepAwakeChange::decl(&config),
        crate::NotificationChange::decl(&config),
        crate::KeepAwake::decl(&config),
        crate::AfterTaskAct::decl(&config),
        crate::WantAfterTask::decl(&config),
        crate::AfterTask::decl(&config),
        crate::NoticeAbout::decl(&config),
        crate::NoticeOffer::decl(&config),
        crate::Notice::decl(&config),
        crate::NoticesSeen::decl(&config),
        crate::Notices::decl(&config),
        crate::SeenNotices::decl(&config),
        crate::HistorySpan::decl(&config),
        crate::HistorySpans::decl(&config),
        crate::CheckJobUser::decl(&config),
        crate::AdminStep::decl(&config),
        crate::JobUserCheck::decl(&config),
        crate::Snapshot::decl(&config),
        crate::LogPage::decl(&config),
        crate::FoundLine::decl(&config),
        crate::LogSearch::decl(&config),
        crate::ApiError::decl(&config),
        crate::Level::decl(&config),
        crate::Check::decl(&config),
        crate::Finding::decl(&config),
        crate::Findings::decl(&config),
        crate::Bytes::decl(&config),
        crate::RunnerName::decl(&config),
        crate::ResourceClass::decl(&config),
        crate::RunId::decl(&config),
        crate::TaskId::decl(&config),
    ];
    let mut module =
        String::from("// Generated from crates/protocol by `./dev check --write`.\n\n");
    for declaration in declarations {
        module.push_str("export ");
        module.push_str(&declaration);
        module.push_str("\n\n");
    }
    module
}
