// Recorded exchanges once more, through the proxy: a server answers each request as it was answered.

import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { once } from 'node:events';

/** Names the recorded exchange that a request stands for. */
const NUMBER = 'x-recorded-exchange';
const AT_ONCE = 4;

/** What the proxy finds wrong with each exchange, as `{ exchange, faults }`. */
export async function violations(exchanges, proxy, contract) {
    const upstream = await answering(exchanges);
    const child = spawn(proxy, ['proxy', '--host', '127.0.0.1', '--port', '0', contract, upstream.url]);
    try {
        const url = await listening(child);
        const found = [];
        const waiting = exchanges.entries();
        const worker = async () => {
            for (const [number, exchange] of waiting) {
                const faults = await held(url, number, exchange);
                if (faults.length > 0) found.push({ exchange, faults });
            }
        };
        await Promise.all(Array.from({ length: AT_ONCE }, worker));
        if (upstream.answered() !== exchanges.length) {
            throw new Error(`the proxy passed on ${upstream.answered()} of ${exchanges.length} exchanges`);
        }
        return found;
    } finally {
        child.kill();
        upstream.close();
    }
}

async function answering(exchanges) {
    let count = 0;
    const server = createServer((request, response) => {
        count += 1;
        const { status, headers, body } = exchanges[request.headers[NUMBER]].answer;
        const text = body === null ? '' : JSON.stringify(body);
        request.resume().on('end', () => response.writeHead(status, headers).end(text));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return { url: `http://127.0.0.1:${server.address().port}`, answered: () => count, close: () => server.close() };
}

function listening(child) {
    let said = '';
    return new Promise((resolve, reject) => {
        const hear = (piece) => {
            said += piece;
            const url = said.match(/Prism is listening on (\S+)/);
            if (url) resolve(url[1]);
        };
        child.stdout.on('data', hear);
        child.stderr.on('data', hear);
        child.on('exit', () => reject(new Error(`the proxy ended:\n${said}`)));
    });
}

async function held(proxy, number, { request }) {
    const query = request.query && `?${request.query}`;
    const answer = await fetch(`${proxy}${request.path}${query}`, {
        method: request.method,
        headers: { ...request.headers, [NUMBER]: String(number) },
        body: request.body === null ? undefined : JSON.stringify(request.body),
    });
    await answer.arrayBuffer();
    const said = answer.headers.get('sl-violations');
    if (said === null) return [];
    if (said.startsWith('Too many')) return [said];
    return JSON.parse(said).map(({ location, message }) => `${location.join('.')} ${message}`);
}
