// Calls by name: as reports count them, and those that the contract does not describe.

import { calls } from './beyond.mjs';

const GUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const beyond = calls.map((call) => {
    const [method, path] = call.split(' ');
    return { call, method, fits: pattern(`/v1.0${path}`) };
});

/** Which paths a path with names in braces stands for. */
export function pattern(path) {
    const parts = path.split(/\{[^}]*\}/).map((part) => part.replace(/[.$()]/g, '\\$&'));
    return new RegExp(`^${parts.join('[^/]+')}$`);
}

/** The call of beyond.mjs that this is, if any. */
export function outside({ method, path }) {
    return beyond.find((one) => one.method === method && one.fits.test(path))?.call;
}

/** Whether Graph is asked, not the sign-in service. */
export function isGraph({ path }) {
    return path.startsWith('/v1.0/');
}

/** A call without what differs from one to the next. */
export function named(request) {
    const path = isGraph(request) ? request.path.slice('/v1.0'.length) : request.path.replace(/^\/[^/]+/, '/{tenant}');
    return `${request.method} ${path.replace(GUID, '{id}')}`;
}

/** A line for each word: how often it is there. */
export function counted(words) {
    const counts = new Map();
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
    const lines = [...counts].sort().map(([word, count]) => `  ${String(count).padStart(6)}  ${word}\n`);
    return lines.join('');
}
