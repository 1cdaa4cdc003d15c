// Holds recorded exchanges against the contract of Graph, and those of the sign-in service against captured answers.
// usage: node judge.mjs RECORDINGS CONTRACT CAPTURES PROXY      (CONTRACT as prepare.mjs leaves it)

import { calls } from './beyond.mjs';
import { counted, isGraph, named, outside } from './calls.mjs';
import { uncaptured } from './captures.mjs';
import { undeclared } from './queries.mjs';
import { exchanges } from './recorded.mjs';
import { violations } from './replay.mjs';
import { spoiled } from './spoiled.mjs';

/** An answer that the contract allows, where only the request is to be judged. */
const STAND_IN = { status: 429, headers: { 'content-type': 'application/json' }, body: { error: { code: '', message: '' } } };

const [recordings, contract, captures, proxy] = process.argv.slice(2);

/** What is wrong with these exchanges, as `{ exchange, faults }`. */
async function judged(held) {
    const graph = held.filter(({ request }) => isGraph(request));
    const signIn = held.filter(({ request }) => !isGraph(request));
    const [query, answer] = [undeclared(contract), uncaptured(captures)];
    const found = [
        ...(await violations(graph, proxy, contract)),
        ...graph.map((exchange) => ({ exchange, faults: query(exchange) })),
        ...signIn.map((exchange) => ({ exchange, faults: answer(exchange) })),
    ];
    return found.filter(({ faults }) => faults.length > 0);
}

function report(title, list, word) {
    process.stdout.write(`${title}: ${list.length}\n${counted(list.map(word))}`);
}

const seen = exchanges(recordings);
const onOrder = seen.filter((exchange) => exchange.on_order);
const answered = seen.filter((exchange) => !exchange.on_order);
const beyond = answered.filter(({ request }) => outside(request));
const held = answered.filter(({ request }) => !outside(request));
report('exchanges seen, those of batches one by one as well', seen, ({ program }) => program);
report('held against the contract or a capture', held, ({ request, answer }) => `${named(request)} ${answer.status}`);
report('answers left out, faults on order; of Graph, their requests are held', onOrder, ({ request }) => named(request));
report('outside the contract', beyond, ({ request }) => outside(request));

const wrong = spoiled(held);
const noticed = (await judged(wrong)).map(({ exchange }) => exchange);
const missed = wrong.filter((exchange) => !noticed.includes(exchange));
report(`spoiled for a trial of this judge (${wrong.length}), and not noticed`, missed, ({ spoilt }) => spoilt);
const unused = calls.filter((call) => !beyond.some(({ request }) => outside(request) === call));
report('in beyond.mjs, and never called', unused, (call) => call);
const asked = onOrder.filter(({ request }) => isGraph(request)).map((exchange) => ({ ...exchange, answer: STAND_IN }));
const found = await judged([...held, ...asked]);
report('violations', found, ({ exchange: { program, request, answer }, faults }) => {
    return `${program}: ${named(request)} ${answer.status}: ${faults.join('; ')}`;
});
if (found.length > 0) console.log(`the first of them: ${JSON.stringify(found[0].exchange)}`);
process.exitCode = found.length + missed.length + unused.length > 0 ? 1 : 0;
