//! For each route a request that is right but for who sends it.

use reqwest::Method;

/// How a request is made. In the path and the body stand `{names}` for what depends on the ids.
#[derive(Clone)]
pub(super) struct Recipe {
    /// Method and path, as the router has it.
    pub(super) name: String,
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) body: Body,
}

#[derive(Clone)]
pub(super) enum Body {
    Empty,
    Json(&'static str),
    /// The fields of a form of the dashboard, as a query has them; the session's own text is added.
    Form(&'static str),
    /// A CSV file, sent by a form of the dashboard.
    File(&'static str),
}

impl Recipe {
    /// Whether its path names a client and something that has to be that client's.
    pub(super) fn nests(&self) -> bool {
        let below = ["{credential}", "{plan"];
        let path = self.path.split('?').next().unwrap();
        path.contains("{client}") && below.iter().any(|name| path.contains(name))
    }

    /// Whether it names something of a client's.
    pub(super) fn has_ids(&self) -> bool {
        let body = match self.body {
            Body::Empty => "",
            Body::Json(text) | Body::Form(text) | Body::File(text) => text,
        };
        let names = [
            "{client}",
            "{credential}",
            "{plan",
            "{agent",
            "{sealed}",
            "{person}",
            "{invitation",
        ];
        names
            .iter()
            .any(|name| self.path.contains(name) || body.contains(name))
    }
}

/// The request for a route.
pub(super) fn recipe(method: &Method, path: &str) -> Recipe {
    let name = format!("{method} {path}");
    let (path, body) = if path.starts_with("/api/") {
        (api_path(path), api_body(&name))
    } else {
        (page_path(path), page_body(&name))
    };
    Recipe {
        method: method.clone(),
        path: path + query(&name),
        body,
        name,
    }
}

/// The API says `{id}` of everything.
fn api_path(path: &str) -> String {
    let of = |part: &str, name: &str| path.contains(part).then(|| name.to_owned());
    let id = of("/clients/{id}", "{client}")
        .or_else(|| of("/credentials/{id}", "{credential}"))
        .or_else(|| of("/plans/{id}/approval", "{plan_0}"))
        .or_else(|| of("/plans/{id}/rejection", "{plan_1}"))
        .or_else(|| of("/plans/{id}", "{plan_0}"))
        .or_else(|| of("/people/{id}", "{person}"))
        .or_else(|| of("/notice-channels/{id}", "{new}"))
        .or_else(|| of("/sessions/{id}", "{new}"))
        .unwrap_or_else(|| "{id}".to_owned());
    path.replace("{id}", &id)
        .replace("{agent}", "{agent_0}")
        .replace("{invitation}", "{invitation_0}")
        .replace("{kind}", "held")
        .replace("{report}", "mismatches")
}

fn page_path(path: &str) -> String {
    let plan = match path {
        path if path.ends_with("/approve") => "{plan_2}",
        path if path.ends_with("/reject") => "{plan_3}",
        _ => "{plan_0}",
    };
    path.replace("{plan}", plan)
        .replace("{agent}", "{agent_1}")
        .replace("{invitation}", "{invitation_1}")
        .replace("{channel}", "{new}")
        .replace("{session}", "{new}")
        .replace("{name}", "vault.csv")
        .replace("{token}", "made-up")
        .replace("{kind}", "held")
        .replace("{report}", "mismatches")
}

fn query(name: &str) -> &'static str {
    match name {
        "GET /api/v2/agent/changes" => "?wait=0",
        "GET /api/v2/agent/credentials/{id}/secret" => "?version=1",
        "GET /api/v2/documents/clients" => "?resultsPerPage=10&pageNum=1",
        "GET /api/v2/vault/flags"
        | "GET /api/v2/plans"
        | "GET /api/v2/reports/{report}"
        | "GET /reports/{report}" => "?client={client}",
        "GET /api/v2/vault/search" | "GET /search" => "?q=anna",
        "GET /flags/snooze" => "?credential={credential}&kind=held",
        _ => "",
    }
}

fn api_body(name: &str) -> Body {
    let (method, _) = name.split_once(' ').unwrap();
    let without = [
        "/revoke",
        "/enrolments/{agent}",
        "/approval",
        "/rejection",
        "/secrets",
        "/agent/token",
        "/test",
    ];
    if method == "GET" || method == "DELETE" || without.iter().any(|it| name.ends_with(it)) {
        return Body::Empty;
    }
    Body::Json(match name {
        "PUT /api/v2/account/password" => {
            r#"{"password":"an admin's password","new_password":"short"}"#
        }
        "POST /api/v2/account/second-factor"
        | "POST /api/v2/account/second-factor/removal"
        | "POST /api/v2/account/recovery-codes" => r#"{"password":"an admin's password"}"#,
        "POST /api/v2/account/second-factor/confirmation" => r#"{"one_time_code":"000000"}"#,
        "POST /api/v2/auth/session" => r#"{"email":"nobody@msp.example","password":"wrong"}"#,
        "POST /api/v2/auth/client_token" => r#"{"scope":"docs_api","content":"x"}"#,
        "POST /api/v2/vault/clients" => {
            r#"{"id":"{new}","name":"{new}","sync":"none","default_mode":"enabled","key":{wrapped}}"#
        }
        "PATCH /api/v2/vault/clients/{id}" => r#"{"mute":"unmuted"}"#,
        "POST /api/v2/vault/clients/{id}/credentials" => {
            r#"{"id":"{new}","credential_type":"User","user_name":"x","sealed":"{sealed}"}"#
        }
        "PATCH /api/v2/vault/credentials/{id}" => r#"{"notes":"x"}"#,
        "PUT /api/v2/vault/credentials/{id}/password" => r#"{"version":1,"sealed":"{sealed}"}"#,
        "PUT /api/v2/vault/credentials/{id}/flags/{kind}/snooze" => {
            r#"{"reason":"x","until":"{tomorrow}"}"#
        }
        "POST /api/v2/vault/imports" => {
            r#"{"new":[{"client":"{client}","credential":{"id":"{new}","credential_type":"User","user_name":"x","sealed":"{sealed}"}}],"updates":[{"id":"{credential}","patch":{"notes":"x"}}]}"#
        }
        "PATCH /api/v2/vault/people/{id}" => r#"{"set_up_sync":false}"#,
        "POST /api/v2/vault/people/invitations" => {
            r#"{"email":"{new}@msp.example","role":"technician"}"#
        }
        "POST /api/v2/vault/notice-channels" => {
            r#"{"name":"{new}","target":{"kind":"webhook","url":"https://hooks.example"},"settings":{"topics":["held"]}}"#
        }
        "PUT /api/v2/vault/notice-channels/{id}" => r#"{"topics":["held"]}"#,
        "POST /api/v2/agent/enrolments" => r#"{"client":"{client}","host":"h","version":"1"}"#,
        "POST /api/v2/agent/heartbeat" => {
            r#"{"version":"1","host":"h","state":"running","write_timeout_seconds":0}"#
        }
        "POST /api/v2/agent/attempts" => r#"{"notices":[]}"#,
        "POST /api/v2/agent/reports" => r#"{"id":"{new}","entries":[]}"#,
        "PUT /api/v2/agent/plans" => r#"{"plans":[]}"#,
        _ => panic!("{name} has no request in the access matrix"),
    })
}

fn page_body(name: &str) -> Body {
    const CREDENTIAL: &str = "POST /clients/{client}/credentials/{credential}/";
    if name.starts_with("GET ") {
        return Body::Empty;
    }
    if let Some(action) = name.strip_prefix(CREDENTIAL) {
        return Body::Form(match action {
            "edit" => "user_name=anna@contoso.com&credential_type=User",
            "mode" => "mode=enabled",
            "password" => "version=1&password=Another-9",
            "confirm" => "version=1",
            "standing" => "standing=active",
            "code" | "reveal" | "flags/{kind}/clear" => "",
            _ => panic!("{name} has no request in the access matrix"),
        });
    }
    Body::Form(match name {
        "POST /login" => "email=nobody@msp.example&password=wrong&organization_key=wrong",
        "POST /logout"
        | "POST /account/sessions/end"
        | "POST /account/sessions/{session}/end"
        | "POST /export"
        | "POST /clients/{client}/export"
        | "POST /agents/{agent}/revoke"
        | "POST /people/invitations/{invitation}/withdraw"
        | "POST /notices/{channel}/test"
        | "POST /notices/{channel}/remove"
        | "POST /clients/{client}/plans/{plan}/approve"
        | "POST /clients/{client}/plans/{plan}/reject" => "",
        "POST /account/password" => {
            "password=an+admin%27s+password&new_password=short&repeated=short"
        }
        "POST /account/second-factor"
        | "POST /account/second-factor/off"
        | "POST /account/recovery-codes" => "password=an+admin%27s+password",
        "POST /account/second-factor/confirm" | "POST /login/code" => "code=000000",
        "POST /organization-key" => "password=x&organization_key=x&new_key=short&repeated=short",
        "POST /people/invitations" => "email={new}@msp.example&role=technician&access=all",
        "POST /people/{person}" => "role=technician&access=all",
        "POST /people/{person}/standing" => "standing=active",
        "POST /invitation/{token}" => "password=x&again=x&organization_key=x",
        "POST /flags/selected" => "flag.{credential}.held=on&do=clear",
        "POST /flags/snooze" => "flag.{credential}.held=on&reason=x&until={day}",
        "POST /flags/unsnooze" => "flag.{credential}.held=on",
        "POST /notices" => "name={new}&kind=webhook&url=https://hooks.example&held=on",
        "POST /notices/{channel}/settings" => "held=on",
        "POST /clients" => "name={new}",
        "POST /clients/{client}/settings" => "sync=entra_id&default_mode=off&mute=unmuted",
        "POST /clients/{client}/credentials" => "user_name=x&credential_type=User&generate=yes",
        "POST /clients/{client}/credentials/selected" => {
            "credential.{credential}=on&do=mode&mode=enabled"
        }
        "POST /clients/{client}/import" => {
            return Body::File("Username,Password,Credential\nx,y,User\n");
        }
        "POST /clients/{client}/import/store" => "import={new}&existing=skip",
        _ => panic!("{name} has no request in the access matrix"),
    })
}
