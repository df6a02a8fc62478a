/**
 * Every request by which an agent changes something at dockerd, announced. What it only asks is not: a question changes
 * nothing, so whoever dies around one has died after the effect before it.
 */

import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import type Docker from 'dockerode';
import type { OnStep } from '../../packages/agent/src/adapters/docker/swap/swap.ts';
import type { Announcer, At } from './announcer.ts';

/** As the client's own types leave it open. */
interface Modem {
  dial(options: { readonly method: string; readonly path: string }, callback: Answered): void;
}
type Answered = (error: unknown, answer: unknown) => void;

/** Announces what goes through this client. Returns what the engine tells its steps to: requests are named by them. */
export function announceDocker(docker: Docker, announcer: Announcer): OnStep {
  const modem = docker.modem as Modem;
  const dial = modem.dial.bind(modem);
  const sending = new AsyncLocalStorage<At>();
  let present: string | undefined;

  // Node tells of each request of its client; it has left when its stream has finished.
  subscribe('http.client.request.start', (message) => {
    const at = sending.getStore();
    if (at !== undefined) (message as { request: ClientRequest }).request.once('finish', () => at('during'));
  });
  modem.dial = (options, answered) => {
    if (options.method === 'GET' || options.method === 'HEAD') {
      dial(options, answered);
      return;
    }
    const at = announcer.effect(
      [present, requestName(options)].filter((part) => part !== undefined).join(': '),
    );
    at('before');
    sending.run(at, () =>
      dial(options, (error, answer) => {
        at('after');
        answered(error, answer);
      }),
    );
  };
  return (step, moment) => {
    present = moment === 'before' ? step : undefined;
  };
}

/** `POST /containers/:id/rename` */
function requestName({ method, path }: { readonly method: string; readonly path: string }): string {
  const [place = ''] = path.split('?');
  return `${method} ${place.replace(/^\/(containers|images|networks)\/.+\/(\w+)$/, '/$1/:id/$2').replace(/^\/containers\/[0-9a-f]{64}$/, '/containers/:id')}`;
}
