//! What a person can do about a failure, and whether it says that the app was not let in.

use super::GraphError;
use crate::ProxyTrouble;

impl GraphError {
    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } | Self::NoAnswer { .. } => {
                "check the network, the proxy, the firewall and tls.extra_ca; then try again"
            }
            Self::Proxy { trouble, .. } => match trouble {
                ProxyTrouble::NotReached => {
                    "check proxy.url or HTTPS_PROXY, and that the proxy runs; a host that needs none belongs into NO_PROXY"
                }
                ProxyTrouble::SignIn => {
                    "set proxy.username and proxy.password_file to an account that the proxy accepts"
                }
                ProxyTrouble::Refused => {
                    "let the proxy allow Microsoft's sign-in and Graph hosts on port 443; its log says more"
                }
            },
            Self::UnknownTenant { .. } => {
                "give a verified domain of the tenant or its GUID, and the right cloud"
            }
            Self::UnknownApp { .. } => {
                "check client_id, and that the app registration is in this tenant"
            }
            Self::AppDisabled { .. } => "enable the enterprise application for sign-in",
            Self::WrongSecret { .. } => {
                "store the secret's value, not its id, and check that it belongs to this app"
            }
            Self::SecretExpired { .. } => {
                "make a new client secret for the app, store it, and restart the agent"
            }
            Self::SignInRefused(_) => {
                "look the code up at https://login.microsoftonline.com/error, and check the app's credential and client_id"
            }
            Self::CertificateRefused { .. } => {
                "upload the certificate to the app registration (Certificates & secrets), and check client_id"
            }
            Self::CertificateExpired { .. } => {
                "make a new certificate, upload it to the app registration, replace the file, and restart the agent"
            }
            Self::CertificateNotYetValid { .. } => {
                "check this machine's clock, or use the certificate that is valid now"
            }
            Self::FederatedTokenFile { .. } | Self::FederatedTokenEmpty { .. } => {
                "check federated_token_file, and that the platform writes a token into it"
            }
            Self::FederationRefused { .. } => {
                "compare issuer, subject and audience of the app's federated credential with the token's"
            }
            Self::NotAPublicClient { .. } => {
                "switch on \"Allow public client flows\" in the app registration (Authentication)"
            }
            Self::SignInEnded { end, .. } => end.remedy(),
            Self::PasswordNotSent(why) => why.remedy,
            Self::PasswordRefused { fault, .. } => fault.remedy(),
            Self::ClockOff { .. } => "set this machine's clock; best by NTP",
            Self::Forbidden { .. } => "grant the permission to the app with admin consent",
            Self::NoConsent => {
                "grant the app's permissions with an administrator's consent: API permissions, Grant admin consent"
            }
            Self::Service(_) => "try again in a while",
            Self::Unexpected(fault) if fault.code.is_none() => {
                "Graph states a code and this answer has none: look for a proxy or firewall that answers in its place, and at `graph` if it is set"
            }
            Self::ForeignLink { .. } => "check that `graph` is the address that Graph itself uses",
            _ => return None,
        })
    }

    /// Whether the app was known and not let in: by its secret, or for want of a permission.
    pub fn is_not_authorised(&self) -> bool {
        matches!(
            self,
            Self::AppDisabled { .. }
                | Self::WrongSecret { .. }
                | Self::SecretExpired { .. }
                | Self::CertificateRefused { .. }
                | Self::CertificateExpired { .. }
                | Self::CertificateNotYetValid { .. }
                | Self::FederationRefused { .. }
                | Self::NotAPublicClient { .. }
                | Self::SignInEnded { .. }
                | Self::PasswordRefused { .. }
                | Self::SignInRefused(_)
                | Self::TokenRefused(_)
                | Self::Forbidden { .. }
                | Self::NoConsent
        )
    }
}
