import { join } from 'node:path';

/**
 * vitest's global setup, before any process of tests begins: how the user's machine reaches the network, whom it trusts
 * and which AWS account it is signed in to is not handed on to tests. Time zone and locale stay as they are: nothing may
 * depend on them, and .ci/lived-in sets odd ones.
 */
export default function setup(): void {
  for (const name of Object.keys(process.env)) if (USERS.test(name)) delete process.env[name];
  Object.assign(process.env, {
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    // Workers and the processes that tests start compile the same modules over and over.
    NODE_COMPILE_CACHE: join(import.meta.dirname, '../../node_modules/.cache/compiled'),
  });
}

/** Of AWS, of the network, of Node itself, of where programs put things, of colours. */
const USERS =
  /^(AWS_\w+|(https?|all|no)_proxy|NODE_(OPTIONS|EXTRA_CA_CERTS|USE_ENV_PROXY|USE_SYSTEM_CA|TLS_REJECT_UNAUTHORIZED)|SSL_CERT_(FILE|DIR)|XDG_\w+|(NO|FORCE)_COLOR|MSAL_\w+)$/i;
