// What the product or the simulator says beyond the contract, reviewed by hand. Whatever is neither in the contract
// nor here is a violation. The sources are those of docs/graph-calls.md, unless named.

/** Calls that the contract does not describe: they are counted and not held. A name in braces is one part of the path. */
export const calls = [
    'GET /groups',
    'GET /groups/{id}/members',
    'GET /groups/{id}/owners',
    'GET /policies/identitySecurityDefaultsEnforcementPolicy',
];

/** Properties that a schema of the contract lacks; `*` stands for every schema. */
export const properties = {
    // OData JSON format 4.01, control information: context.
    '*': ['@odata.context'],
    // Use delta query: what an entry says of an object that is gone.
    'microsoft.graph.user': ['@removed'],
};

/** Parts of the query that links bring along; a client passes them on as they are. Source: Use delta query, Paging. */
export const links = ['$deltatoken', '$skiptoken'];

/** Grants of a person, and the members of their token answers, which were not captured. Sources: OAuth 2.0 resource owner
 * password credentials; OAuth 2.0 device authorization grant; Refresh tokens. */
export const grantsOfUser = ['password', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];
export const tokenForUser = ['scope', 'id_token', 'refresh_token'];

/** The answer with a device code, which was not captured. Source: OAuth 2.0 device authorization grant. */
export const deviceCode = {
    device_code: 'text',
    user_code: 'text',
    verification_uri: 'text',
    expires_in: 900,
    interval: 5,
    message: 'text',
};

/** A member of an error that no capture has. Source: Handle errors and exceptions in MSAL, sub-errors. */
export const tokenError = ['suberror'];
