// Names in queries: the proxy lets any name pass, so those that the contract does not declare are found here.

import { readFileSync } from 'node:fs';
import { links } from './beyond.mjs';
import { pattern } from './calls.mjs';

/** A function that tells what is wrong with the query of an exchange. */
export function undeclared(contractFile) {
    const contract = JSON.parse(readFileSync(contractFile, 'utf8'));
    const paths = Object.entries(contract.paths).map(([path, item]) => ({ item, path, fits: pattern(path) }));
    // As routers do: a path that is named beats one with a name in braces.
    paths.sort((one, other) => one.path.split('{').length - other.path.split('{').length);
    return ({ request }) => {
        const item = paths.find(({ fits }) => fits.test(request.path))?.item;
        const parameters = item?.[request.method.toLowerCase()]?.parameters ?? [];
        const shared = ({ $ref }) => contract.components.parameters[$ref.split('/').at(-1)];
        const declared = parameters.map((one) => (one.$ref ? shared(one) : one).name);
        const names = [...new URLSearchParams(request.query).keys()];
        const unknown = names.filter((name) => !declared.includes(name) && !links.includes(name));
        return unknown.map((name) => `request.query.${name} is not in the contract`);
    };
}
