// The judge on trial: what it must find in exchanges that were right until they were spoiled here.

/** Copies of recorded exchanges, each wrong in one way. */
export function spoiled(exchanges) {
    const write = find(exchanges, 'PATCH', /^\/v1\.0\/users\/[^/]+$/, 204);
    const refusal = find(exchanges, 'PATCH', /^\/v1\.0\/users\/[^/]+$/, 403);
    const accounts = find(exchanges, 'GET', /^\/v1\.0\/users\/delta\(\)$/, 200);
    const batch = find(exchanges, 'POST', /\$batch$/, 200);
    const token = find(exchanges, 'POST', /\/oauth2\/v2\.0\/token$/, 200);
    const denied = find(exchanges, 'POST', /\/oauth2\/v2\.0\/token$/, 400);
    return [
        change(write, ({ request }) => (request.path += '/nowhere')),
        change(write, ({ request }) => (request.method = 'PUT')),
        change(write, ({ request }) => (request.body.passwordProfil = {})),
        change(write, ({ request }) => (request.body.passwordProfile.forceChangePasswordNextSignIn = 'no')),
        change(write, ({ answer }) => (answer.status = 202)),
        change(refusal, ({ answer }) => delete answer.body.error.code),
        change(accounts, ({ request }) => (request.query += '&$selekt=id')),
        change(accounts, ({ answer }) => (answer.body.value[0].accountEnabld = true)),
        change(accounts, ({ answer }) => (answer.body.value[0].userPrincipalName = 7)),
        change(accounts, ({ answer }) => (answer.body.value[0].lastPasswordChangeDateTime = 'yesterday')),
        change(batch, ({ request }) => delete request.body.requests[0].url),
        change(batch, ({ answer }) => (answer.body.responses[0].status = '204')),
        change(token, ({ answer }) => (answer.body.expires_in = '3599')),
        change(token, ({ answer }) => (answer.body.refresh_token = '')),
        change(denied, ({ answer }) => (answer.body.error_description = 'no')),
    ];
}

function find(exchanges, method, path, status) {
    const found = exchanges.find(({ request, answer }) => {
        const fits = request.method === method && path.test(request.path) && answer.status === status;
        return fits && answer.body?.value?.length !== 0;
    });
    if (!found) throw new Error(`the recording has no ${method} ${path} with ${status}`);
    return found;
}

function change(exchange, spoil) {
    const copy = structuredClone(exchange);
    spoil(copy);
    return { ...copy, spoilt: String(spoil) };
}
