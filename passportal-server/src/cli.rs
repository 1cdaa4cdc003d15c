//! The command line: arguments, what they call, and how errors are told.

mod audit;
mod backup;
mod people;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use passportal_client::{SecretFileError, secret_file};
use passportal_server::{
    ApiKeyError, Forwarding, InitError, InitRequest, ServeConfig, ServeError, Server, SyslogServer,
    TlsFiles, create_api_key, init,
};
use url::Url;

/// An embedded, self-hosted password vault with an API for agents and a dashboard.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a vault: an organization, its first administrator and its company vault.
    Init(Init),
    /// Serve a vault until it is interrupted.
    Serve(Serve),
    /// Keys for programs that sign in with `client_token`.
    #[command(subcommand)]
    ApiKey(ApiKeyCommand),
    /// The audit trail: verify its chain, export its lines. The server may be running.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// People who cannot sign in any more. The server may be running.
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Write the whole vault to one file, while its server runs.
    Backup(backup::Backup),
    /// Make a vault out of a backup, in a new folder.
    Restore(backup::Restore),
}

#[derive(Debug, Args)]
struct Init {
    /// Where the vault is kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// The organization's name.
    #[arg(long)]
    organization: String,
    /// The first administrator's e-mail address.
    #[arg(long)]
    admin_email: String,
    /// A file with the first administrator's password (at least 12 characters). Only you may read it.
    #[arg(long)]
    admin_password_file: PathBuf,
    /// A file with the organization key (at least 12 characters). Only you may read it; it is not stored.
    #[arg(long)]
    organization_key_file: PathBuf,
}

#[derive(Debug, Args)]
struct Serve {
    /// Where the vault is kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// The address to listen on; port 0 takes a free one. Beyond loopback it needs TLS.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// The certificate chain, PEM.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, PEM.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Forward the audit trail to this syslog server: `udp://HOST:514`, `tcp://HOST:601` or `tls://HOST:6514`.
    #[arg(long, value_name = "URL")]
    syslog: Option<SyslogServer>,
    /// The certificate authorities that `tls://` trusts, PEM.
    #[arg(long, value_name = "FILE", requires = "syslog")]
    syslog_ca: Option<PathBuf>,
    /// The address by which people reach the dashboard, for the links in notices; the one listened on by default. With https,
    /// a proxy on this machine has the certificate.
    #[arg(long, value_name = "URL", value_parser = dashboard_url)]
    public_url: Option<Url>,
    /// A proxy, by its address or network, whose `X-Forwarded-For` tells the caller's address. May be given several times.
    #[arg(long, value_name = "ADDRESS", value_parser = network)]
    trusted_proxy: Vec<IpNet>,
    /// A folder with a release's files and their `SHA256SUMS`, for the downloads page; `downloads` in the data directory by default.
    #[arg(long, value_name = "FOLDER")]
    downloads: Option<PathBuf>,
    /// How many seconds new facts are gathered before notice channels are told of them together.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    notice_interval: u64,
}

#[derive(Debug, Subcommand)]
enum ApiKeyCommand {
    /// Make a key and write it with its secret to a new file that only you can read.
    Create {
        /// Where the vault is kept.
        #[arg(long)]
        data_dir: PathBuf,
        /// The new file.
        #[arg(long)]
        out: PathBuf,
    },
}

/// Does what the arguments say.
pub(crate) async fn run(arguments: Arguments) -> anyhow::Result<()> {
    match arguments.command {
        Command::Init(arguments) => make(arguments).await,
        Command::Serve(arguments) => serve(arguments).await,
        Command::ApiKey(ApiKeyCommand::Create { data_dir, out }) => {
            create_api_key(&data_dir, &out).await?;
            say(&format!("wrote the API key to {}", out.display()));
            Ok(())
        }
        Command::Audit(command) => audit::run(command).await,
        Command::People(command) => people::run(command).await,
        Command::Backup(arguments) => backup::make(arguments).await,
        Command::Restore(arguments) => backup::put_back(arguments).await,
    }
}

async fn make(arguments: Init) -> anyhow::Result<()> {
    let made = init(InitRequest {
        admin_password: secret_file::read(&arguments.admin_password_file)?,
        organization_key: secret_file::read(&arguments.organization_key_file)?,
        data_dir: arguments.data_dir,
        organization: arguments.organization,
        admin_email: arguments.admin_email,
    })
    .await?;
    say(&format!("made the organization {}", made.organization_id));
    Ok(())
}

async fn serve(arguments: Serve) -> anyhow::Result<()> {
    let shutdown = shutdown_signal()?;
    let tls = arguments.tls_cert.zip(arguments.tls_key);
    let server = Server::bind(ServeConfig {
        data_dir: arguments.data_dir,
        listen: arguments.listen,
        tls: tls.map(|(cert, key)| TlsFiles { cert, key }),
    })
    .await?
    .forwarding_audit(arguments.syslog.map(|to| Forwarding {
        to,
        ca: arguments.syslog_ca,
    }))
    .known_as(arguments.public_url)
    .behind(arguments.trusted_proxy)
    .offering(arguments.downloads)
    .telling_every(Duration::from_secs(arguments.notice_interval));
    say(&format!("listening on {}", server.url()));
    server.run(shutdown).await?;
    Ok(())
}

fn dashboard_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    let is_whole = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && is_whole {
        Ok(url)
    } else {
        Err("give an address without a path, like https://vault.example".to_owned())
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    let network = text.parse::<IpNet>().or_else(|_| address());
    network.map_err(|_| "give an address or a network, like 10.0.0.7 or 10.0.0.0/8".to_owned())
}

/// Ends on Ctrl-C, and on SIGTERM where there is one. Listens from the call on, not from the first poll.
#[cfg(unix)]
fn shutdown_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let listening = "could not listen for signals";
    let mut interrupt = signal(SignalKind::interrupt()).context(listening)?;
    let mut terminate = signal(SignalKind::terminate()).context(listening)?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(windows)]
fn shutdown_signal() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = tokio::signal::windows::ctrl_c().context("could not listen for signals")?;
    Ok(async move {
        interrupt.recv().await;
    })
}

#[expect(clippy::print_stdout, reason = "what the command has to say")]
fn say(line: &str) {
    println!("{line}");
}

/// One line that says what went wrong and why, and one that says what to do.
#[expect(clippy::print_stderr, reason = "what the command has to say")]
pub(crate) fn print_error(error: &anyhow::Error) {
    eprintln!("error: {}", in_one_line(error));
    eprintln!("hint: {}", hint(error));
}

/// The error and its causes. Some causes are told by the error above them already.
fn in_one_line(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |told, cause| {
        let cause = cause.to_string().replace('\n', " ");
        match told.as_str() {
            "" => cause,
            before if before.ends_with(&cause) => told,
            before => format!("{before}: {cause}"),
        }
    })
}

fn hint(error: &anyhow::Error) -> Cow<'static, str> {
    if let Some(error) = error.downcast_ref::<SecretFileError>() {
        return error.hint().to_owned().into();
    }
    if let Some(error) = error.downcast_ref::<InitError>() {
        return init_hint(error).into();
    }
    if let Some(error) = error.downcast_ref::<ServeError>() {
        return serve_hint(error).into();
    }
    if let Some(error) = error.downcast_ref() {
        return audit::hint(error).into();
    }
    if let Some(error) = error.downcast_ref() {
        return people::hint(error).into();
    }
    if let Some(error) = error.downcast_ref() {
        return backup::backup_hint(error).into();
    }
    if let Some(error) = error.downcast_ref() {
        return backup::restore_hint(error).into();
    }
    if let Some(error) = error.downcast_ref::<ApiKeyError>() {
        return api_key_hint(error).into();
    }
    "try again; the cause above says what the operating system refused".into()
}

const NO_VAULT: &str = "make one with `passportal-server init`, or check --data-dir";

fn api_key_hint(error: &ApiKeyError) -> &'static str {
    match error {
        ApiKeyError::NoVault { .. } => NO_VAULT,
        ApiKeyError::Write { .. } => "name a file that does not exist, in a folder that does",
        ApiKeyError::Make(_) => {
            "check that the files in --data-dir are whole and that you may read and write them"
        }
    }
}

fn init_hint(error: &InitError) -> &'static str {
    match error {
        InitError::NoName => "give --organization the organization's name",
        InitError::BadEmail { .. } => "give --admin-email an address like ada@msp.example",
        InitError::WeakOrganizationKey => "choose a longer one; a few random words are good",
        InitError::WeakAdminPassword { .. } => "choose another one; a few random words are good",
        InitError::Exists { .. } => "serve it, or choose another --data-dir",
        InitError::Write { .. } => "check the permissions and the free space of --data-dir",
        InitError::Make(_) => "nothing was left behind; try again",
    }
}

fn serve_hint(error: &ServeError) -> &'static str {
    match error {
        ServeError::NoVault { .. } => NO_VAULT,
        ServeError::Newer { .. } => {
            "run the newer version; to go back, put back the whole folder as it was before the upgrade"
        }
        ServeError::InUse { .. } => "stop the other server; one server per data directory",
        ServeError::NeedsTls { .. } => "give --tls-cert and --tls-key, or listen on 127.0.0.1",
        ServeError::PortInUse { .. } => "stop the other program, or choose another --listen",
        ServeError::Listen { .. } => "choose an address of this machine and a port above 1023",
        ServeError::Tls { .. } => "check that both files exist, are PEM and belong together",
        ServeError::NotWritable { .. } => {
            "let the server's user write --data-dir and every file in it, and see that the disk is not full"
        }
        ServeError::Open { .. } => "check that the file exists and that you may read it",
        ServeError::Vault(_) => {
            "check that the files in --data-dir are whole, and that this program is as new as they are"
        }
        ServeError::Run(_) => "try again; the cause above says what the operating system refused",
    }
}
