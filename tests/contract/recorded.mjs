// What the simulators wrote down (tests/entra-sim/src/recording.rs): each exchange, those of a batch one by one as well.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Every exchange in a folder of recordings, with the program that it is of. */
export function exchanges(folder) {
    const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'));
    return files.flatMap((name) => {
        const lines = readFileSync(join(folder, name), 'utf8').split('\n').filter(Boolean);
        const program = name.replace(/(-[0-9a-f]{16})?\..*$/, '');
        return lines.flatMap((line) => withItems({ program, ...JSON.parse(line) }));
    });
}

/** The exchange, and each call that is in it if it is a batch. */
function withItems(exchange) {
    const { request, answer } = exchange;
    if (exchange.on_order || request.path !== '/v1.0/$batch' || answer.status !== 200) return [exchange];
    const answers = new Map(answer.body.responses.map((item) => [item.id, item]));
    return [exchange, ...request.body.requests.map((item) => ({ ...exchange, ...alone(item, answers.get(item.id)) }))];
}

function alone(asked, answered) {
    const [path, query = ''] = asked.url.split('?');
    const request = {
        method: asked.method,
        path: `/v1.0/${path.replace(/^\//, '')}`,
        query,
        headers: inSmallLetters(asked.headers),
        body: asked.body ?? null,
    };
    const answer = { status: answered.status, headers: inSmallLetters(answered.headers), body: answered.body ?? null };
    return { request, answer };
}

function inSmallLetters(headers = {}) {
    return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
