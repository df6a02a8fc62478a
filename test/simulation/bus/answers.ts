/** How the server answers: with a value, or with one of the bus's words for no. */

import { BusError, type BusErrorCode } from '@swell/shared/adapters/bus.ts';

export type Answer<Value> =
  | { readonly is: 'yes'; readonly value: Value }
  | { readonly is: 'no'; readonly code: BusErrorCode; readonly reason: string };

export type Answering<Value> = (answer: Answer<Value>) => void;

export const yes = <Value>(value: Value): Answer<Value> => ({ is: 'yes', value });
export const no = (code: BusErrorCode, reason: string): Answer<never> => ({ is: 'no', code, reason });

export const errorOf = (doing: string, { code, reason }: { code: BusErrorCode; reason: string }): BusError =>
  new BusError(code, `${doing}: ${reason}`);
