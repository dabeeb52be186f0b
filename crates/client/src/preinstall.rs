//! Calls about what jobs need of this machine, and about their PATH.

use protocol::{
    AskExport, AskImport, AskPreinstall, JobPath, Preinstall, PreinstallChecked, PreinstallExport,
    PreinstallImport, PreinstallOutput, PreinstallPlan, RunnerName, SetJobPath, SoftwareReport,
    StartPreinstall,
};
use reqwest::Method;

use crate::{Client, ClientError};

impl Client {
    /// Items and presets, without a look at the machine's tools.
    pub async fn preinstall(&self) -> Result<Preinstall, ClientError> {
        self.get("preinstall", &[]).await
    }

    /// Looks at the tools, which takes a while.
    pub async fn check_preinstall(
        &self,
        asked: &AskPreinstall,
    ) -> Result<PreinstallChecked, ClientError> {
        self.ask("preinstall/check", asked).await
    }

    /// What would be installed; looks at the tools first.
    pub async fn plan_preinstall(
        &self,
        asked: &AskPreinstall,
    ) -> Result<PreinstallPlan, ClientError> {
        self.ask("preinstall/plan", asked).await
    }

    /// Begins to carry the newest plan out; how it goes is in the snapshot.
    pub async fn start_preinstall(&self, asked: &StartPreinstall) -> Result<(), ClientError> {
        self.wish(Method::POST, "preinstall/install", Some(asked)).await
    }

    /// Ends the installation that runs, if one does, after what it is at.
    pub async fn cancel_preinstall(&self) -> Result<(), ClientError> {
        self.wish(Method::DELETE, "preinstall/install", None::<&()>).await
    }

    /// What tools wrote in the installation that runs, or ran last; `from` is the `next` of the page
    /// before.
    pub async fn preinstall_output(&self, from: u64) -> Result<PreinstallOutput, ClientError> {
        self.get("preinstall/output", &[("from", from.to_string())]).await
    }

    /// Everything found.
    pub async fn software_report(
        &self,
        runner: Option<&RunnerName>,
    ) -> Result<SoftwareReport, ClientError> {
        let pairs: Vec<_> =
            runner.map(|runner| ("runner", runner.to_string())).into_iter().collect();
        self.get("preinstall/report", &pairs).await
    }

    pub async fn export_preinstall(
        &self,
        asked: &AskExport,
    ) -> Result<PreinstallExport, ClientError> {
        self.ask("preinstall/export", asked).await
    }

    pub async fn import_preinstall(
        &self,
        asked: &AskImport,
    ) -> Result<PreinstallImport, ClientError> {
        self.ask("preinstall/import", asked).await
    }

    /// Where this runner's jobs find programs.
    pub async fn job_path(&self, name: &RunnerName) -> Result<JobPath, ClientError> {
        self.get(&format!("runners/{name}/path"), &[]).await
    }

    /// These folders come first in it.
    pub async fn set_job_path(
        &self,
        name: &RunnerName,
        first: Vec<String>,
    ) -> Result<(), ClientError> {
        let wish = SetJobPath { first };
        self.wish(Method::PUT, &format!("runners/{name}/path"), Some(&wish)).await
    }
}
