//! Setting a runner up in other ways than the usual one.

use client::ClientError;
use protocol::{RunnerSpec, SetToken, SetUp, SetUpDone, TokenStore};

use crate::{Api, Circle};

impl Circle {
    /// What a runner of this server is like: its token in a file, its jobs the owner's.
    pub fn spec(&self, class: &str) -> RunnerSpec {
        RunnerSpec {
            resource_class: class.parse().expect("a resource class"),
            working_directory: None,
            api_url: Some(self.url().to_owned()),
            releases_url: Some(format!("{}/releases", self.url())),
            job_user: None,
            token_store: TokenStore::File.into(),
        }
    }
}

impl Api {
    pub fn set_up_as(
        &self,
        name: &str,
        spec: RunnerSpec,
        token: Option<&str>,
    ) -> Result<SetUpDone, ClientError> {
        let name = name.parse().expect("a runner's name");
        let wish = SetUp { spec, token: token.map(|token| SetToken(token.to_owned())) };
        self.call(async |client| client.set_up(&name, &wish).await)
    }

    pub fn set_token(&self, name: &str, token: &str) -> Result<(), ClientError> {
        let name = name.parse().expect("a runner's name");
        let token = SetToken(token.to_owned());
        self.call(async |client| client.set_token(&name, &token).await)
    }

    pub fn move_token(&self, name: &str, to: TokenStore) -> Result<(), ClientError> {
        let name = name.parse().expect("a runner's name");
        self.call(async |client| client.move_token(&name, to).await)
    }

    pub fn forget_token(&self, name: &str) -> Result<(), ClientError> {
        let name = name.parse().expect("a runner's name");
        self.call(async |client| client.forget_token(&name).await)
    }
}
