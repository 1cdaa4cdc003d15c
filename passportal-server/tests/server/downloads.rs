//! The downloads page: files of a release, templates, and the command that enrols.

use crate::support::{ORGANIZATION_KEY, PASSWORD, TestVault};

const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[tokio::test]
async fn files_of_a_release_are_offered_to_those_who_are_signed_in_and_damaged_ones_to_nobody() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    let nobody = browser.get("/downloads/files/agent_linux.tar.gz").await;
    assert_eq!(nobody.location.as_deref(), Some("/login"));
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let none = browser.get("/downloads").await;
    assert!(
        none.html.contains("Nothing is offered yet"),
        "{}",
        none.html
    );

    let folder = vault.dir.path().join("downloads");
    std::fs::create_dir(&folder).unwrap();
    let sums = format!("{EMPTY}  agent_linux.tar.gz\n{EMPTY}  damaged.deb\n");
    std::fs::write(folder.join("SHA256SUMS"), sums).unwrap();
    std::fs::write(folder.join("agent_linux.tar.gz"), "").unwrap();
    std::fs::write(folder.join("damaged.deb"), "damaged").unwrap();
    let page = browser.get("/downloads").await;
    assert!(page.html.contains(EMPTY) && page.html.contains("it is not given away"));
    assert!(page.html.contains(&format!("--base-url {} ", vault.url)));
    let file = browser.get("/downloads/files/agent_linux.tar.gz").await;
    assert_eq!((file.status, file.html.as_str()), (200, ""));
    for refused in [
        "damaged.deb",
        "SHA256SUMS",
        "..%2Fserver.key",
        "../server.key",
    ] {
        let answer = browser.get(&format!("/downloads/files/{refused}")).await;
        assert_eq!(answer.status, 404, "{refused}");
    }
}

#[tokio::test]
async fn the_templates_are_those_that_the_import_reads() {
    let vault = TestVault::start().await;
    let mut browser = vault.browser();
    browser.log_in(PASSWORD, ORGANIZATION_KEY).await;
    let passwords = browser.get("/downloads/templates/passwords.csv").await;
    assert_eq!(
        passwords.html.trim_start_matches('\u{feff}'),
        "Passportal ID (BLANK),Client Name,Credential,Username,Password,Description,Expires (Yes/No),Notes,URL,\
         Folder(Optional),TOTP Secret\r\n"
    );
    let vault = browser.get("/downloads/templates/vault.csv").await;
    assert!(!vault.html.contains("Client Name"));
    assert_eq!(
        browser.get("/downloads/templates/other.csv").await.status,
        404
    );
}
