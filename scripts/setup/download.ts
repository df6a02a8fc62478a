import { getCACertificates, setDefaultCACertificates } from 'node:tls';

// Like curl and Go, and unlike Node by itself: whom the machine trusts, a company's proxy for instance, is trusted.
setDefaultCACertificates([...getCACertificates('default'), ...getCACertificates('system')]);

// A source that is out of reach is passed over after this; one that answers may take its time.
const connectTimeoutMs = 8_000;
const transferTimeoutMs = 300_000;

/** What lies at that address. */
export async function download(url: string): Promise<Buffer> {
  try {
    const response = await answerTo((signal) => fetch(url, { signal }));
    if (!response.ok) {
      throw new Error(`${url} answers ${response.status}`);
    }
    return Buffer.from(await response.arrayBuffer());
  } catch (error) {
    // fetch hides what happened behind "fetch failed".
    throw (error as Error).cause ?? error;
  }
}

/** Begins a transfer: aborted where its first answer does not come soon, or all of it does not come in the end. */
export async function answerTo<Answer>(begin: (signal: AbortSignal) => Promise<Answer>): Promise<Answer> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error('no answer')), connectTimeoutMs);
  try {
    return await begin(AbortSignal.any([silence.signal, AbortSignal.timeout(transferTimeoutMs)]));
  } finally {
    clearTimeout(timer);
  }
}
