// Artillery tells its makers of each run, with less in it but still where ARTILLERY_DISABLE_TELEMETRY is set; what is
// measured here is to leave no trace elsewhere. Without the package that would send it, it does without.
'use strict';

const Module = require('node:module');

const load = Module._load;

Module._load = function (request, ...others) {
    if (request === 'posthog-node') throw new Error(`${request} is not to be loaded`);
    return load.call(this, request, ...others);
};
