//! Lists of packages: written for others, and read of theirs.

use ::preinstall::{Format, Preset};
use protocol::{
    ApiError, AskExport, AskImport, PreinstallExport, PreinstallFormat, PreinstallImport,
};

use super::calls::not_named;
use super::shown;
use crate::api::refusal;
use crate::preinstall_settings::FROM_A_LIST;
use crate::supervisor::Supervisor;

impl Supervisor {
    pub(super) fn export_preinstall(
        &self,
        asked: &AskExport,
    ) -> Result<PreinstallExport, ApiError> {
        let (all, _) = self.catalogue()?;
        let items = all.named(&asked.items, &asked.presets).map_err(|it| not_named(&it))?;
        if items.is_empty() {
            return Err(refusal::bad_request(
                "Nothing was named.",
                "Name items or presets: `runnerctl preinstall list` has them all.",
            ));
        }
        let (text, without) = match asked.format {
            PreinstallFormat::Brewfile => ::preinstall::brewfile(&items),
            PreinstallFormat::AptList => {
                ::preinstall::apt_list(&items, &::preinstall::Machine::this("", false))
            }
            PreinstallFormat::Ansible => (::preinstall::playbook(&all, &items), Vec::new()),
        };
        let left_out = without.iter().map(|title| format!("{title} has no package there."));
        Ok(PreinstallExport { text, left_out: left_out.collect() })
    }

    /// On disk before it is answered.
    pub(super) fn import_preinstall(
        &mut self,
        asked: &AskImport,
    ) -> Result<PreinstallImport, ApiError> {
        let format = match asked.format {
            PreinstallFormat::Brewfile => Format::Brewfile,
            PreinstallFormat::AptList => Format::AptList,
            PreinstallFormat::Ansible => {
                return Err(refusal::bad_request(
                    "A playbook is no list of packages.",
                    "Give a Brewfile or a list for apt.",
                ));
            }
        };
        if ::preinstall::Catalogue::built_in().presets.iter().any(|it| it.id == asked.preset) {
            return Err(refusal::bad_request(
                format!(
                    "{} is a preset of Runner Tray's own, which would be hidden.",
                    asked.preset
                ),
                "Give the preset another name.",
            ));
        }
        let (all, _) = self.catalogue()?;
        let found = ::preinstall::import(&all, format, &asked.text);
        if found.items.is_empty() {
            return Err(refusal::bad_request(
                found.left_out.first().map_or("There is no package in it.", String::as_str),
                "A Brewfile has lines `brew \"name\"`, a list for apt a name a line.",
            ));
        }
        let preset = Preset {
            id: asked.preset.clone(),
            title: asked.preset.clone(),
            what_for: FROM_A_LIST.to_owned(),
            items: found.items,
            on_macos: Vec::new(),
        };
        let settings = self.settings.as_ref().map_err(refusal::settings)?;
        if let Some(what) = settings.preinstall.written_by_hand(&preset.id, &found.new) {
            return Err(refusal::bad_request(
                format!("The {what} of your settings would be replaced, which no import made."),
                "Give the preset another name, or take that out of the settings file first.",
            ));
        }
        let mut changed = settings.clone();
        changed.set_preinstall(&found.new, &preset).map_err(|why| refusal::failed(&why))?;
        changed.reread().map_err(|error| refusal::failed(&error.to_string()))?;
        let shown = as_followed(&changed, &preset.id)?;
        changed.save().map_err(|error| refusal::cannot_save(&error.to_string()))?;
        self.settings = Ok(changed);
        Ok(PreinstallImport {
            preset: shown,
            new: found.new.iter().map(|item| item.id.clone()).collect(),
            left_out: found.left_out,
        })
    }
}

/// The preset as it will be followed.
fn as_followed(
    settings: &crate::settings::Settings,
    id: &str,
) -> Result<protocol::PreinstallPreset, ApiError> {
    let of = &settings.preinstall;
    let (all, refused) = ::preinstall::Catalogue::with(&of.item, &of.preset);
    if let Some(preset) = all.presets.iter().find(|preset| preset.id == id) {
        return Ok(shown::preset(&all, preset));
    }
    let why = refused.first().map(|error| format!("{error}.")).unwrap_or_default();
    Err(refusal::bad_request(why, "Give the preset another name."))
}
