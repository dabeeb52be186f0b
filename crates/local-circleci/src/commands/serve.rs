//! `local-circleci serve`.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;
use local_circleci::{Server, ServerOptions, TokenSource, UserApi, replace_private_file};

#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen; loopback only, port 0 takes any free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    addr: SocketAddr,
    /// Keeps tasks, output and tokens in DIR, readable after a restart [default: not kept]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Writes the URL to FILE as soon as the server listens
    #[arg(long, value_name = "FILE")]
    url_file: Option<PathBuf>,
    /// A resource class and its token. Without a token, the one in --token-file or in the state
    /// folder is used; where there is none, a random one is made and written there (0600)
    #[arg(long = "resource-class", value_name = "NS/NAME[=TOKEN|=@FILE]", value_parser = class)]
    resource_classes: Vec<(String, TokenSource)>,
    /// The token file of the one resource class that names no token
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// A namespace that may be seen though it has no resource class yet; repeatable
    #[arg(long = "namespace", value_name = "NAME")]
    namespaces: Vec<String>,
    /// Which form of the user API is spoken: both, flat or enveloped
    #[arg(long, value_name = "FORM", default_value = "both")]
    user_api: UserApi,
    /// The token of the user API; made and written to FILE (0600) where there is none
    #[arg(long, value_name = "FILE")]
    personal_token_file: Option<PathBuf>,
    /// A version of circleci-runner to offer; repeatable, the last one is `current`
    #[arg(long = "release", value_name = "VERSION", default_value = "3.1.11")]
    releases: Vec<String>,
    /// What build links start with; `self` for pages on this server
    #[arg(long, value_name = "URL", default_value = "https://circleci.com")]
    web_url: String,
    /// What runner and task agent do where CircleCI documents nothing; see the README
    #[arg(long, value_name = "KEY=VALUE,...", default_value = "")]
    variant: String,
    /// Where circleci-runner and circleci-agent lie [default: beside this executable]
    #[arg(long, value_name = "DIR")]
    binaries: Option<PathBuf>,
    /// Ends when standard input does, so with the process at the other end of the pipe
    #[arg(long)]
    stop_at_eof: bool,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let (url_file, stop_at_eof) = (self.url_file.clone(), self.stop_at_eof);
        let server = Server::start(&self.options()?)?;
        println!(
            "local-circleci, a stand-in for CircleCI (offline, this machine only), listens on {}",
            server.url()
        );
        std::io::stdout().flush()?;
        if let Some(file) = url_file {
            replace_private_file(&file, format!("{}\n", server.url()).as_bytes())
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        if stop_at_eof {
            std::io::stdin().read_to_end(&mut Vec::new())?;
        } else {
            server.join();
        }
        Ok(ExitCode::SUCCESS)
    }

    fn options(self) -> anyhow::Result<ServerOptions> {
        let mut resource_classes = self.resource_classes;
        if let Some(file) = self.token_file {
            let mut without: Vec<_> =
                resource_classes.iter_mut().filter(|(_, it)| *it == TokenSource::Kept).collect();
            ensure!(without.len() == 1, "--token-file needs one --resource-class without a token");
            for (_, source) in &mut without {
                *source = TokenSource::InFile(file.clone());
            }
        }
        local_circleci::Variant::of_server(&self.variant)?;
        Ok(ServerOptions {
            addr: self.addr,
            state: self.state,
            resource_classes,
            namespaces: self.namespaces,
            user_api: self.user_api,
            personal_token: self.personal_token_file.map_or(TokenSource::Kept, TokenSource::InFile),
            releases: self.releases,
            web_url: (self.web_url != "self").then_some(self.web_url),
            variant: self.variant,
            binaries: self.binaries,
        })
    }
}

fn class(text: &str) -> Result<(String, TokenSource), String> {
    let (name, token) = text.split_once('=').map_or((text, None), |(name, it)| (name, Some(it)));
    if name.split('/').count() != 2 || name.split('/').any(str::is_empty) {
        return Err(format!("{name:?} is not NAMESPACE/NAME"));
    }
    let source = match token {
        None => TokenSource::Kept,
        Some(token) => match token.strip_prefix('@') {
            Some(file) => TokenSource::InFile(file.into()),
            None => TokenSource::Given(token.to_owned()),
        },
    };
    Ok((name.to_owned(), source))
}
