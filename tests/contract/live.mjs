// What passed through the proxy, by its log, and what it found wrong with it.
// usage: node live.mjs PROXY-LOG

import { readFileSync } from 'node:fs';
import { counted, named, outside } from './calls.mjs';

/** Fewer calls than that are no dialogue. */
const LEAST = 40;

const lines = readFileSync(process.argv[2], 'utf8').split('\n');
const received = lines.map((line) => line.match(/\[HTTP SERVER\] (\w+) (\S+) .*Request received/)).filter(Boolean);
const seen = received.map(([, method, path]) => ({ method: method.toUpperCase(), path }));
const beyond = seen.filter(outside);
const before = (at) => lines.slice(Math.max(0, at - 8), at + 1);
const wrong = lines.flatMap((line, at) => (line.includes('Violation') ? before(at) : []));
const held = seen.length - beyond.length;

console.log(`contract: ${seen.length} calls through the proxy, ${held} of them held against the contract`);
console.log(`outside the contract: ${beyond.length}\n${counted(beyond.map(named))}`.trimEnd());
console.log(wrong.length === 0 ? 'no violation' : `violations:\n${wrong.join('\n')}`);
if (seen.length < LEAST) console.log(`error: fewer than ${LEAST} calls came through the proxy`);
process.exitCode = wrong.length > 0 || seen.length < LEAST ? 1 : 0;
