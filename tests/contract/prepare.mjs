// The contract of Graph as the proxy is to read it: the version before each path, no property but those that it
// names, and the calls of beyond.mjs with anything allowed.
// usage: node prepare.mjs CONTRACT >contract.json      (beside node_modules)

import { readFileSync } from 'node:fs';
import { parse } from '@stoplight/yaml';
import { calls, properties } from './beyond.mjs';

const contract = parse(readFileSync(process.argv[2], 'utf8'));
const schemas = contract.components.schemas;

function named(reference) {
    return schemas[reference.split('/').at(-1)];
}

/** Composed parts as one: closed each on its own, they would shut each other out. */
function joined(schema) {
    const parts = schema.allOf.map((part) => (part.$ref ? named(part.$ref) : part));
    const { allOf, ...rest } = schema;
    return { ...rest, properties: Object.assign({}, ...parts.map((part) => part.properties)) };
}

function closed(value, name) {
    if (Array.isArray(value)) return value.map((item) => closed(item));
    if (value === null || typeof value !== 'object') return value;
    const schema = value.allOf?.length > 1 ? joined(value) : value;
    const copy = Object.fromEntries(Object.entries(schema).map(([key, part]) => [key, closed(part)]));
    if (copy.type !== 'object' || !copy.properties || copy.additionalProperties !== undefined) return copy;
    for (const extra of [...properties['*'], ...(properties[name] ?? [])]) copy.properties[extra] ??= {};
    return { ...copy, additionalProperties: false };
}

const paths = closed(contract.paths);
contract.paths = Object.fromEntries(Object.entries(paths).map(([path, item]) => [`/v1.0${path}`, item]));
for (const call of calls) {
    const [method, path] = call.split(' ');
    if (paths[path]?.[method.toLowerCase()]) throw new Error(`${call} is in the contract: strike it from beyond.mjs`);
    const open = { responses: { default: { description: 'not in the contract' } } };
    contract.paths[`/v1.0${path}`] = { ...contract.paths[`/v1.0${path}`], [method.toLowerCase()]: open };
}
const { responses, ...components } = contract.components;
contract.components = {
    ...components,
    responses: closed(responses),
    schemas: Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, closed(schema, name)])),
};
console.log(JSON.stringify(contract));
