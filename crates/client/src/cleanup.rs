//! Calls about what tasks leave on the disk: working directories, presets, plans, receipts.

use protocol::{
    AskPlan, CarryOut, CleanupPlan, CleanupReceipt, CleanupReceipts, MarkWorkDir, Preset,
    PresetChange, Presets, RunnerName, UndoCleanup, Undone, WorkDirId, WorkDirs,
};
use reqwest::Method;

use crate::{Client, ClientError};

impl Client {
    /// Working directories; `measure`: also those whose size is not known yet, which takes a while.
    pub async fn work_dirs(
        &self,
        runner: Option<&RunnerName>,
        measure: bool,
    ) -> Result<WorkDirs, ClientError> {
        let mut pairs = vec![("measure", u8::from(measure).to_string())];
        pairs.extend(runner.map(|runner| ("runner", runner.to_string())));
        self.get("workdirs", &pairs).await
    }

    /// Marks a working directory as one that is never deleted, or takes the mark away.
    pub async fn never_delete(&self, id: WorkDirId, never_delete: bool) -> Result<(), ClientError> {
        let mark = MarkWorkDir { id, never_delete };
        self.wish(Method::PUT, "workdirs/never-delete", Some(&mark)).await
    }

    pub async fn presets(&self) -> Result<Presets, ClientError> {
        self.get("presets", &[]).await
    }

    /// Changes what `change` names, and gives the preset as it is then.
    pub async fn change_preset(
        &self,
        id: &str,
        change: &PresetChange,
    ) -> Result<Preset, ClientError> {
        self.ask_by(Method::PUT, &format!("presets/{id}"), change).await
    }

    /// What would go; measures, which takes a while.
    pub async fn plan_cleanup(&self, asked: &AskPlan) -> Result<CleanupPlan, ClientError> {
        self.ask("cleanup/plan", asked).await
    }

    /// Carries the newest plan out; answered when that is done.
    pub async fn clean_up(&self, asked: &CarryOut) -> Result<CleanupReceipt, ClientError> {
        self.ask("cleanup", asked).await
    }

    /// Ends the clean-up that runs, if one does.
    pub async fn stop_cleanup(&self) -> Result<(), ClientError> {
        self.wish(Method::DELETE, "cleanup", None::<&()>).await
    }

    /// Puts back what a clean-up removed, for as long as its receipt says.
    pub async fn undo_cleanup(&self, receipt: u64) -> Result<Undone, ClientError> {
        self.ask("cleanup/undo", &UndoCleanup { receipt }).await
    }

    /// The newest first.
    pub async fn cleanup_receipts(
        &self,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<CleanupReceipts, ClientError> {
        let mut pairs = Vec::new();
        pairs.extend(before.map(|before| ("before", before.to_string())));
        pairs.extend(limit.map(|limit| ("limit", limit.to_string())));
        self.get("cleanup/receipts", &pairs).await
    }
}
