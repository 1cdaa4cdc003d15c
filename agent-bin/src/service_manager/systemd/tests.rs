//! The service under a systemd that is a script: what is written, asked for and undone.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

/// Notes what it is asked, knows the unit once a file of it is there, and refuses the word in `refuses`.
const SYSTEMCTL: &str = r#"#!/bin/sh
root=${0%/systemctl}
echo "$*" >>"$root/asked"
case "$*" in
*show*)
    load=not-found
    for file in "$root"/etc/systemd/system/*.service "$root"/usr/lib/systemd/system/*.service; do
        [ -e "$file" ] && load=loaded
    done
    echo "LoadState=$load"
    cat "$root/state" 2>/dev/null || echo ActiveState=inactive ;;
*"$(cat "$root/refuses" 2>/dev/null || echo nothing)"*)
    echo "Failed: no." >&2
    exit 1 ;;
esac
"#;

struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        for folder in ["run/systemd/system", "etc"] {
            fs::create_dir_all(stage.path(folder)).unwrap();
        }
        stage.write("systemctl", SYSTEMCTL);
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(stage.path("systemctl"), executable).unwrap();
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn packaged(self) -> Self {
        self.write(
            "usr/lib/systemd/system/passportal-agent.service",
            "[Service]\n",
        );
        self
    }

    fn machine(&self) -> Machine {
        Machine {
            root: self.folder.path().to_owned(),
            systemctl: Systemctl::at(self.path("systemctl")),
            is_root: true,
        }
    }

    /// What systemctl was asked for, but for questions.
    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.path("asked")).unwrap_or_default();
        let asked = asked.lines().filter(|line| !line.contains(" show "));
        let word = |line: &str| line.replace("--no-ask-password ", "");
        asked.map(word).collect()
    }
}

fn options(config: &str) -> InstallOptions {
    InstallOptions {
        config: PathBuf::from(config),
        account: None,
    }
}

fn usual() -> InstallOptions {
    options(crate::config::DEFAULT_PATH)
}

#[test]
fn without_a_package_the_unit_is_written_read_and_enabled() {
    let stage = Stage::new();
    let machine = stage.machine();
    machine.install(&usual()).unwrap();
    assert!(unit::is_ours(&machine.unit()));
    assert!(!machine.drop_in().exists());
    let secrets = stage.path("etc/passportal-agent/secrets");
    assert_eq!(
        secrets.metadata().unwrap().permissions().mode() & 0o777,
        0o700
    );
    assert_eq!(
        stage.asked(),
        ["daemon-reload", "enable passportal-agent.service"]
    );
}

#[test]
fn beside_a_package_only_what_differs_is_written_and_taken_away_again() {
    let stage = Stage::new().packaged();
    let machine = stage.machine();
    machine.install(&options("/srv/agent.toml")).unwrap();
    assert!(!machine.unit().exists());
    assert!(unit::is_ours(&machine.drop_in()));
    machine.install(&usual()).unwrap();
    assert!(!machine.drop_in().exists());
}

#[test]
fn uninstall_stops_it_and_leaves_configuration_and_an_administrators_files() {
    let stage = Stage::new();
    let machine = stage.machine();
    machine.install(&options("/srv/agent.toml")).unwrap();
    let own = machine.drop_in().with_file_name("credentials.conf");
    fs::write(&own, "[Service]\n").unwrap();
    machine.uninstall().unwrap();
    assert!(!machine.unit().exists() && !machine.drop_in().exists());
    assert!(own.exists() && stage.path("etc/passportal-agent").exists());
    let asked = stage.asked();
    assert_eq!(
        asked[2..],
        ["disable --now passportal-agent.service", "daemon-reload"]
    );
}

#[test]
fn what_is_not_installed_is_neither_started_nor_removed() {
    let machine = Stage::new();
    let machine = machine.machine();
    assert_eq!(machine.status().unwrap(), ServiceStatus::NotInstalled);
    for refused in [machine.start(), machine.stop(), machine.uninstall()] {
        assert!(matches!(refused, Err(ServiceManagerError::NotInstalled)));
    }
}

#[test]
fn a_refusal_of_systemd_leaves_everything_as_it_was() {
    let stage = Stage::new();
    stage.write("refuses", "enable");
    let machine = stage.machine();
    let error = machine.install(&options("/srv/agent.toml")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("did not enable the service: Failed: no."),
        "{error}"
    );
    assert!(!machine.unit().exists() && !machine.drop_in().exists());
}

#[test]
fn a_unit_that_an_administrator_wrote_or_masked_is_not_written_over() {
    for options in [usual(), options("/srv/agent.toml")] {
        let stage = Stage::new();
        let machine = stage.machine();
        stage.write("etc/systemd/system/passportal-agent.service", "[Service]\n");
        let error = machine.install(&options).unwrap_err();
        assert!(
            matches!(error, ServiceManagerError::Foreign { .. }),
            "{error}"
        );
        assert_eq!(fs::read_to_string(machine.unit()).unwrap(), "[Service]\n");
        assert!(!machine.drop_in().exists() && stage.asked().is_empty());

        fs::remove_file(machine.unit()).unwrap();
        std::os::unix::fs::symlink("/dev/null", machine.unit()).unwrap();
        assert!(machine.install(&options).is_err());
        assert!(machine.unit().is_symlink());
    }
}

#[test]
fn a_start_that_starts_nothing_is_told() {
    let stage = Stage::new().packaged();
    let machine = stage.machine();
    let error = machine.start().unwrap_err();
    assert!(error.to_string().contains("it is stopped"), "{error}");
    stage.write("state", "ActiveState=active\nMainPID=42\n");
    machine.start().unwrap();
}

#[test]
fn an_ordinary_user_and_a_machine_without_systemd_are_refused_before_anything_is_written() {
    let stage = Stage::new();
    let mut machine = stage.machine();
    machine.is_root = false;
    let refused = machine.install(&usual());
    assert!(matches!(refused, Err(ServiceManagerError::NotPrivileged)));
    fs::remove_dir(stage.path("run/systemd/system")).unwrap();
    machine.is_root = true;
    let refused = machine.install(&usual());
    assert!(matches!(
        refused,
        Err(ServiceManagerError::NoServiceManager)
    ));
    assert!(!machine.unit().exists() && stage.asked().is_empty());
}
