//! How the app registration is made that the agent signs in as: steps for a person, and a script that does the same.

use std::path::Path;

use crate::config::SignIn;

/// The steps in the Entra admin center, for one way to sign in.
pub(super) fn steps(sign_in: SignIn, public: Option<&Path>) -> String {
    let mut steps = vec![
        "Open https://entra.microsoft.com > App registrations > New registration; name it \"Passportal agent\", accounts in \
         this directory only, no redirect URI."
            .to_owned(),
    ];
    let kind = if sign_in.is_of_a_person() {
        "Delegated"
    } else {
        "Application"
    };
    match (sign_in, public) {
        (SignIn::Certificate, Some(path)) => steps.push(format!(
            "Certificates & secrets > Certificates > Upload certificate: {}",
            path.display()
        )),
        (SignIn::Certificate, None) => {
            steps.push("Certificates & secrets > Certificates > Upload certificate.".to_owned());
        }
        (SignIn::ClientSecret, _) => steps.push(
            "Certificates & secrets > New client secret; copy its value (not its id) at once."
                .to_owned(),
        ),
        (SignIn::Federated, _) => steps.push(
            "Certificates & secrets > Federated credentials > Add: the platform's issuer, the subject, \
             audience api://AzureADTokenExchange."
                .to_owned(),
        ),
        (SignIn::DeviceCode | SignIn::VaultAdmin, _) => {}
    }
    steps.push(
        "Authentication > Settings: \"Allow public client flows\" on (the sign-in test needs it)."
            .to_owned(),
    );
    steps.push(format!(
        "API permissions > Microsoft Graph > {kind}: {}; then \"Grant admin consent\".",
        PERMISSIONS.join(", ")
    ));
    steps.push(if sign_in.is_of_a_person() {
        "Roles: the administrator's account needs User Administrator, or Privileged Authentication Administrator where \
         administrators' passwords are synced."
            .to_owned()
    } else {
        "Roles & admins > User Administrator (Privileged Authentication Administrator where administrators' passwords are \
         synced) > Add assignment: the app."
            .to_owned()
    });
    let numbered = steps.iter().zip(1..);
    let numbered = numbered.map(|(step, number)| format!("  {number}. {step}"));
    numbered.collect::<Vec<_>>().join("\n")
}

/// What the agent asks of Graph. Source: docs/graph-calls.md.
const PERMISSIONS: [&str; 5] = [
    "User.Read.All",
    "Domain.Read.All",
    "User-PasswordProfile.ReadWrite.All",
    "RoleManagement.Read.Directory",
    "GroupMember.Read.All",
];

/// The same as a script for PowerShell with the modules of Microsoft Graph, run by a Global Administrator.
pub(super) fn script(tenant: &str, sign_in: SignIn, public: Option<&Path>) -> String {
    let scope = if sign_in.is_of_a_person() {
        "Scope"
    } else {
        "Role"
    };
    let certificate = public.map_or_else(String::new, |path| {
        format!(
            "$pem = (Get-Content '{}' | Where-Object {{ $_ -notmatch '-----' }}) -join ''\n\
             Update-MgApplication -ApplicationId $app.Id -KeyCredentials @(@{{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; \
             Key = [Convert]::FromBase64String($pem); DisplayName = 'passportal-agent' }})\n",
            path.display().to_string().replace('\'', "''")
        )
    });
    let secret = if sign_in == SignIn::ClientSecret {
        "$secret = Add-MgApplicationPassword -ApplicationId $app.Id -PasswordCredential @{ DisplayName = 'passportal-agent' }\n\
         Write-Host \"client secret: $($secret.SecretText)\"\n"
    } else {
        ""
    };
    let names = PERMISSIONS.map(|name| format!("'{name}'")).join(", ");
    let grant = if sign_in.is_of_a_person() {
        "New-MgOauth2PermissionGrant -ClientId $own.Id -ConsentType AllPrincipals -ResourceId $graph.Id -Scope ($names -join ' ') | Out-Null\n"
    } else {
        "foreach ($right in $rights) {\n    \
         New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $own.Id -PrincipalId $own.Id -ResourceId $graph.Id -AppRoleId $right.Id | Out-Null\n}\n\
         $role = Get-MgRoleManagementDirectoryRoleDefinition -Filter \"displayName eq 'User Administrator'\"\n\
         New-MgRoleManagementDirectoryRoleAssignment -PrincipalId $own.Id -RoleDefinitionId $role.Id -DirectoryScopeId '/' | Out-Null\n"
    };
    let list = if sign_in.is_of_a_person() {
        "$graph.Oauth2PermissionScopes"
    } else {
        "$graph.AppRoles"
    };
    format!(
        "# Registers the Passportal agent's app in {tenant}. Needs PowerShell 7 and: Install-Module Microsoft.Graph\n\
         $ErrorActionPreference = 'Stop'\n\
         Connect-MgGraph -TenantId '{tenant}' -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All', \
         'DelegatedPermissionGrant.ReadWrite.All', 'RoleManagement.ReadWrite.Directory'\n\
         $graph = Get-MgServicePrincipal -Filter \"appId eq '00000003-0000-0000-c000-000000000000'\"\n\
         $names = @({names})\n\
         $rights = {list} | Where-Object {{ $names -contains $_.Value }}\n\
         $access = @{{ ResourceAppId = $graph.AppId; ResourceAccess = @($rights | ForEach-Object {{ @{{ Id = $_.Id; Type = '{scope}' }} }}) }}\n\
         $app = New-MgApplication -DisplayName 'Passportal agent' -SignInAudience AzureADMyOrg -IsFallbackPublicClient:$true -RequiredResourceAccess @($access)\n\
         $own = New-MgServicePrincipal -AppId $app.AppId\n\
         {certificate}{secret}{grant}\
         Write-Host \"client id: $($app.AppId)\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_gets_application_permissions_and_a_role_and_a_person_delegated_ones() {
        let public = Path::new("/etc/agent/o'neil.public.pem");
        let app = script("contoso.com", SignIn::Certificate, Some(public));
        assert!(app.contains("Type = 'Role'") && app.contains("$graph.AppRoles"));
        assert!(app.contains("o''neil.public.pem"), "quoted");
        assert!(app.contains("'User Administrator'") && !app.contains("client secret:"));
        let person = script("contoso.com", SignIn::DeviceCode, None);
        assert!(person.contains("Type = 'Scope'") && person.contains("AllPrincipals"));
        assert!(!person.contains("New-MgRoleManagementDirectoryRoleAssignment"));
        assert!(script("contoso.com", SignIn::ClientSecret, None).contains("SecretText"));
    }

    #[test]
    fn the_steps_name_what_each_way_needs() {
        let public = Path::new("/etc/agent/contoso.public.pem");
        let certificate = steps(SignIn::Certificate, Some(public));
        assert!(certificate.contains("contoso.public.pem") && certificate.contains("Application:"));
        assert!(steps(SignIn::DeviceCode, None).contains("Delegated:"));
        assert!(steps(SignIn::ClientSecret, None).contains("New client secret"));
        assert!(steps(SignIn::Federated, None).contains("AzureADTokenExchange"));
    }
}
