//! The real adapters keep the contracts of the ports, against the real vault and the simulator.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failed test should say where"
)]

mod vault {
    use agent_bin::outbound::Outbound;
    use agent_bin::secrets::SecretFiles;
    use agent_bin::wiring;
    use integration_tests::{CLIENT, World};
    use passportal_client::PassportalVault;
    use passportal_client::wire::SyncMode;

    async fn fresh() -> (PassportalVault, World) {
        let world = World::builder().start().await.unwrap();
        let add = world.add("anna@contoso.com", "Contract-1st", SyncMode::Enabled);
        add.await.unwrap();
        world.enrol().await.unwrap();
        let config = world.config().unwrap();
        let secrets = SecretFiles::beside(&config.state.url);
        let enrolment = secrets.load_enrolment(CLIENT).unwrap().unwrap();
        let client = &config.clients[0];
        let vault = wiring::vault(
            &config,
            client,
            &secrets,
            &enrolment,
            uuid::Uuid::new_v4(),
            &Outbound::default(),
        )
        .unwrap();
        (vault, world)
    }

    sync_engine::credential_vault_contract!(fresh());
}

mod directory {
    use agent_bin::outbound::Outbound;
    use agent_bin::secrets::SecretFiles;
    use agent_bin::tenant;
    use entra_sim::UserSpec;
    use integration_tests::World;
    use msgraph_sync::EntraDirectory;

    async fn fresh() -> (EntraDirectory, World) {
        let anna = UserSpec::new("anna@contoso.com", "Contract-1st");
        let world = World::builder().user(anna).start().await.unwrap();
        let request = world.setup_request().unwrap();
        (
            tenant::directory(
                &request.client,
                &Outbound::default(),
                &SecretFiles::at(world.folder()),
                None,
            )
            .unwrap(),
            world,
        )
    }

    sync_engine::directory_contract!(fresh());
}
