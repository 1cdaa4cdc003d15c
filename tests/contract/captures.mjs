// Answers of the token endpoint, and discovery, against answers that were captured from Entra ID.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { deviceCode, grantsOfUser, tokenError, tokenForUser } from './beyond.mjs';

/** A function that tells what is wrong with an exchange of the sign-in service. */
export function uncaptured(folder) {
    const token = read(folder, 'token-client-credentials.json').response.body;
    const names = readdirSync(folder).filter((name) => name.startsWith('token-error-'));
    const errors = names.map((name) => read(folder, name).response);
    const discovery = read(folder, 'oidc-discovery.golden.json').required_fields;
    return ({ request, answer }) => {
        if (request.path.endsWith('/.well-known/openid-configuration')) {
            return answer.status === 200 ? lacking(discovery, answer.body) : wrongError(errors, answer);
        }
        const isDeviceCode = request.path.endsWith('/oauth2/v2.0/devicecode');
        if (!isDeviceCode && !request.path.endsWith('/oauth2/v2.0/token')) return ['no answer of this kind was captured'];
        if (answer.status !== 200) return wrongError(errors, answer);
        if (isDeviceCode) return [...wrongKinds(deviceCode, answer.body), ...surplus([deviceCode], [], answer.body)];
        const forUser = grantsOfUser.includes(request.body.grant_type);
        return [...wrongKinds(token, answer.body), ...surplus([token], forUser ? tokenForUser : [], answer.body)];
    };
}

function read(folder, name) {
    return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

function wrongError(errors, { status, body }) {
    const bodies = errors.map((error) => error.body);
    const always = Object.keys(bodies[0]).filter((name) => bodies.every((one) => name in one));
    const common = Object.fromEntries(always.map((name) => [name, bodies[0][name]]));
    const faults = [...wrongKinds(common, body), ...surplus(bodies, tokenError, body), ...wrongText(body)];
    const same = errors.find((error) => error.body.error_codes[0] === body.error_codes?.[0]);
    if (!same) return faults;
    const [theirs, ours] = [`${same.status} ${same.body.error}`, `${status} ${body.error}`];
    if (theirs !== ours) faults.push(`response is ${ours}, captured ${theirs}`);
    return [...faults, ...wrongKinds(same.body, body), ...surplus([same.body], [], body)];
}

/** The text of an error repeats what its members say. */
function wrongText(body) {
    const code = body.error_codes?.[0];
    const end = ` Trace ID: ${body.trace_id} Correlation ID: ${body.correlation_id} Timestamp: ${body.timestamp}`;
    const text = String(body.error_description);
    const fits = text.startsWith(`AADSTS${code}: `) && text.endsWith(end);
    const uri = `https://login.microsoftonline.com/error?code=${code}`;
    return [
        ...(fits ? [] : [`response.error_description has another form: ${text}`]),
        ...('error_uri' in body && body.error_uri !== uri ? [`response.error_uri is not ${uri}`] : []),
    ];
}

function wrongKinds(captured, body) {
    const kind = (value) => (Array.isArray(value) ? 'list' : value === '{seconds}' ? 'number' : typeof value);
    const wrong = Object.keys(captured).filter((name) => kind(captured[name]) !== kind(body[name]));
    return wrong.map((name) => `response.${name} is ${kind(body[name])}, captured ${kind(captured[name])}`);
}

function surplus(captured, more, body) {
    const known = new Set([...captured.flatMap((one) => Object.keys(one)), ...more]);
    return Object.keys(body).filter((name) => !known.has(name)).map((name) => `response.${name} was never captured`);
}

function lacking(names, body) {
    return names.filter((name) => !(name in body)).map((name) => `response.${name} is missing`);
}
