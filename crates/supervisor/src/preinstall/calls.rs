//! What clients ask about what jobs need, answered by the loop; what takes long is done off it.

use ::preinstall::{Catalogue, Done, NotNamed, Output, Progress};
use protocol::{
    ApiError, AskExport, AskImport, AskPreinstall, JobPath, Preinstall, PreinstallChecked,
    PreinstallExport, PreinstallImport, PreinstallPlan, RunnerName, SoftwareReport,
    StartPreinstall,
};

use super::run::StoredPlan;
use super::whose::job_path;
use crate::api::refusal;
use crate::input::Reply;
use crate::supervisor::Supervisor;

pub(crate) enum PreinstallCall {
    List(Reply<Preinstall>),
    Check(AskPreinstall, Reply<PreinstallChecked>),
    Plan(AskPreinstall, Reply<PreinstallPlan>),
    /// A plan that was made, and who waits for it.
    Planned(Box<Result<StoredPlan, ApiError>>, Reply<PreinstallPlan>),
    Start(StartPreinstall, Reply<()>),
    /// The same, once it is known whether the rights can be had.
    Allowed(StartPreinstall, Result<(), ApiError>, Reply<()>),
    /// So many tools of so many were looked at; none of them: the look is over.
    Looked(Option<(usize, usize)>),
    Advanced(Progress),
    Ended(Box<Result<Done, String>>),
    Cancel(Reply<()>),
    Output(Reply<Output>),
    Report(Option<RunnerName>, Reply<SoftwareReport>),
    Export(AskExport, Reply<PreinstallExport>),
    Import(AskImport, Reply<PreinstallImport>),
    Path(RunnerName, Reply<JobPath>),
    SetPath(RunnerName, Vec<String>, Reply<()>),
}

impl Supervisor {
    pub(crate) fn preinstall_call(&mut self, call: PreinstallCall) {
        match call {
            PreinstallCall::List(reply) => {
                let _ = reply.send(self.preinstall_list());
            }
            PreinstallCall::Check(asked, reply) => self.look_at_tools(&asked, reply),
            PreinstallCall::Plan(asked, reply) => self.plan_preinstall(&asked, reply),
            PreinstallCall::Planned(plan, reply) => self.preinstall_planned(*plan, reply),
            PreinstallCall::Start(asked, reply) => self.start_preinstall(asked, reply),
            PreinstallCall::Allowed(asked, allowed, reply) => {
                let _ = reply.send(allowed.and_then(|()| self.begin_preinstall(&asked)));
            }
            PreinstallCall::Looked(how_far) => self.looked_at_tools(how_far),
            PreinstallCall::Advanced(progress) => self.preinstall_advanced(progress),
            PreinstallCall::Ended(done) => self.preinstall_ended(*done),
            PreinstallCall::Cancel(reply) => {
                let _ = reply.send(self.cancel_preinstall());
            }
            PreinstallCall::Output(reply) => {
                let _ = reply.send(Ok(self.preinstalling.output.clone()));
            }
            PreinstallCall::Report(runner, reply) => self.software_report(runner.as_ref(), reply),
            PreinstallCall::Export(asked, reply) => {
                let _ = reply.send(self.export_preinstall(&asked));
            }
            PreinstallCall::Import(asked, reply) => {
                let _ = reply.send(self.import_preinstall(&asked));
            }
            PreinstallCall::Path(name, reply) => self.show_path(name, reply),
            PreinstallCall::SetPath(name, first, reply) => {
                let _ = reply.send(self.set_path(&name, &first));
            }
        }
    }

    /// With the owner's own; sentences of what cannot be followed.
    pub(super) fn catalogue(&self) -> Result<(Catalogue, Vec<String>), ApiError> {
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let of = &settings.preinstall;
        let (all, refused) = Catalogue::with(&of.item, &of.preset);
        Ok((all, refused.iter().map(|error| format!("{error}.")).collect()))
    }

    fn show_path(&self, name: RunnerName, reply: Reply<JobPath>) {
        match self.whose(Some(&name)) {
            Err(error) => drop(reply.send(Err(error))),
            Ok(whose) => {
                let folders = self.folders.clone();
                tokio::spawn(async move {
                    let _ = reply.send(Ok(job_path(name, whose, &folders).await));
                });
            }
        }
    }

    fn set_path(&mut self, name: &RunnerName, first: &[String]) -> Result<(), ApiError> {
        if let Some((folder, why)) = crate::preinstall_settings::refused(first) {
            return Err(refusal::bad_request(
                format!("{folder:?} {why}."),
                "Give whole paths of folders.",
            ));
        }
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        let known = settings.runners.get(name).ok_or_else(|| refusal::no_such_runner(name))?;
        if known.path == first {
            return Ok(());
        }
        let mut changed = settings.clone();
        changed.set_path(name, first);
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        self.settings_changed();
        self.settle();
        Ok(())
    }
}

pub(super) fn not_named(error: &NotNamed) -> ApiError {
    let way_out = match error {
        NotNamed::Unknown(_) => "`runnerctl preinstall list` has them all.",
        NotNamed::Elsewhere(_) => {
            "`runnerctl preinstall list` has what this system can have; `runnerctl preinstall export` writes lists for others."
        }
    };
    refusal::error(404, "no-such-item", error.to_string(), way_out)
}
