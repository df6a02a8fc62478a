/** A command that was used wrongly: what is wrong with it, and what is wanted. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** It took longer than somebody wanted to wait. */
export class TooLateError extends Error {
  override readonly name = 'TooLateError';
}

export const CONNECTION_USAGE = `\
Connection (or the environment: SWELL_NATS_SERVERS, SWELL_NATS_CREDS, …, as of the other programs):
  --server <url,…>       nats://127.0.0.1:4222
  --creds <file>         --nkey <file>       --user <name> --password <word>      --token <word>
  --tlsca <file>         --tlscert <file>    --tlskey <file>                      --tlsfirst
  --js-domain <name>     --js-api-prefix <subject>     --inbox-prefix <subject>

Every command takes --json (one object on standard output) and --help.
Exit codes: 0 done; 1 wrong use, refused, not right, or failed; 2 the rollout was stopped; 3 it took too long.`;
