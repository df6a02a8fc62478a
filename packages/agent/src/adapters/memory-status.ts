/** What a machine in memory runs, in a file: an engine's own word for whoever looks from outside, as `docker ps` is. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ServiceName } from '@swell/shared/domain/names.ts';
import type { MemoryContainer, MemoryNode } from './memory-engine.ts';

export const MEMORY_STATUS_FILE = 'memory-engine.json';

/** One for each service of the machine. */
export type MemoryStatus = Readonly<Record<ServiceName, MemoryContainer>>;

/** Writes the file now and whenever a container has changed; a reader never sees half of it. */
export function keepMemoryStatus(node: MemoryNode, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const write = (): void => {
    const status = Object.fromEntries(node.services.map((service) => [service, node.container(service)]));
    writeFileSync(`${file}.new`, `${JSON.stringify(status)}\n`);
    renameSync(`${file}.new`, file);
  };
  write();
  node.touched.on('touched', write);
}
