//! One namespace that the asker may see, over the surface its server speaks: as it was seen, so a
//! resource class that is not in it is told without asking again.

use super::call::Calls;
use super::read::is_id;
use super::{
    Class, ConnectedAgent, Counts, CreatedToken, ListedToken, Surface, UserApiError, enveloped,
    flat,
};

/// See [`super::UserApi::namespace`].
pub struct Namespace<'a> {
    pub(super) calls: &'a Calls,
    pub(super) surface: Surface,
    pub(super) name: String,
    pub(super) classes: Vec<Class>,
}

impl Namespace<'_> {
    pub fn surface(&self) -> Surface {
        self.surface
    }

    /// Its resource classes when it was looked at.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }

    /// `name` is `namespace/name`.
    pub fn class(&self, name: &str) -> Result<&Class, UserApiError> {
        self.classes
            .iter()
            .find(|class| class.name == name)
            .ok_or_else(|| UserApiError::NotVisible { about: format!("the resource class {name}") })
    }

    /// `organisation` is an id; the newer surface needs one.
    pub async fn create_class(
        &self,
        name: &str,
        description: &str,
        organisation: Option<&str>,
    ) -> Result<Class, UserApiError> {
        let exists = || UserApiError::AlreadyExists { class: name.to_owned() };
        if self.class(name).is_ok() {
            return Err(exists());
        }
        let created = match (self.surface, organisation) {
            (Surface::Flat, _) => flat::create_class(self.calls, name, description).await,
            (Surface::Enveloped, Some(organisation)) => {
                enveloped::create_class(self.calls, name, description, organisation).await
            }
            (Surface::Enveloped, None) => Err(UserApiError::OrganisationNeeded {
                host: self.calls.host(),
                class: name.to_owned(),
            }),
        };
        created.map_err(|error| if conflicts(&error) { exists() } else { error })
    }

    /// `force`: its tokens too; without it a class that has some is [`UserApiError::HasTokens`].
    pub async fn delete_class(&self, name: &str, force: bool) -> Result<(), UserApiError> {
        let class = self.class(name)?;
        let deleted = match self.surface {
            Surface::Flat => flat::delete_class(self.calls, class, force).await,
            Surface::Enveloped => enveloped::delete_class(self.calls, class, force).await,
        };
        match deleted {
            Err(UserApiError::Refused { status: 409, said, .. }) => {
                Err(UserApiError::HasTokens { class: name.to_owned(), said })
            }
            deleted => deleted,
        }
    }

    pub async fn tokens(&self, class: &str) -> Result<Vec<ListedToken>, UserApiError> {
        let class = self.class(class)?;
        match self.surface {
            Surface::Flat => flat::tokens(self.calls, &class.name).await,
            Surface::Enveloped => enveloped::tokens(self.calls, &class.name).await,
        }
    }

    /// On [`UserApiError::leaves_unsure`] there may be a token that nobody knows; its nickname tells.
    pub async fn create_token(
        &self,
        class: &str,
        nickname: &str,
    ) -> Result<CreatedToken, UserApiError> {
        let class = self.class(class)?;
        match self.surface {
            Surface::Flat => flat::create_token(self.calls, &class.name, nickname).await,
            Surface::Enveloped => enveloped::create_token(self.calls, class, nickname).await,
        }
    }

    /// Agents that use it claim no more; tasks that run are not touched (CircleCI's command line).
    pub async fn delete_token(&self, class: &str, id: &str) -> Result<(), UserApiError> {
        let class = self.class(class)?;
        let no_such = || UserApiError::NoSuchToken { id: id.to_owned(), class: class.name.clone() };
        if !is_id(id) {
            return Err(no_such());
        }
        let deleted = match self.surface {
            Surface::Flat => flat::delete_token(self.calls, id).await,
            Surface::Enveloped => enveloped::delete_token(self.calls, id).await,
        };
        match deleted {
            Err(UserApiError::NotVisible { .. }) => Err(no_such()),
            deleted => deleted,
        }
    }

    pub async fn agents(&self, class: &str) -> Result<Vec<ConnectedAgent>, UserApiError> {
        let class = self.class(class)?;
        match self.surface {
            Surface::Flat => flat::agents(self.calls, &class.name).await,
            Surface::Enveloped => enveloped::agents(self.calls, &class.name).await,
        }
    }

    pub async fn counts(&self, class: &str) -> Result<Counts, UserApiError> {
        let class = self.class(class)?;
        match self.surface {
            Surface::Flat => flat::counts(self.calls, &class.name).await,
            Surface::Enveloped => enveloped::counts(self.calls, class).await,
        }
    }

    /// `acme`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn conflicts(error: &UserApiError) -> bool {
    matches!(error, UserApiError::Refused { status: 409, .. })
}
