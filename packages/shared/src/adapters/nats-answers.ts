import { createInbox, type Msg, type NatsConnection, type Subscription } from '@nats-io/nats-core';

/**
 * Listens for the answers to requests on `subject`, below an inbox of its own that ends in a dot. The callback also hears
 * that the server forbids the request: nats.js tells whoever says which subject its requests go to, as its own do.
 */
export function subscribeForAnswers(
  connection: NatsConnection,
  inboxPrefix: string | undefined,
  subject: string,
  callback: (error: Error | null, message: Msg) => void,
): { readonly subscription: Subscription; readonly inbox: string } {
  const inbox = `${createInbox(inboxPrefix)}.`;
  const subscription = connection.subscribe(`${inbox}*`, { callback });
  Object.assign(subscription, { requestSubject: subject });
  return { subscription, inbox };
}
