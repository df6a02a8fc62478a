import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MemoryNode } from './memory-engine.ts';
import { keepMemoryStatus } from './memory-status.ts';

it('tells by its file what a machine in memory runs, from the start and after every change', () => {
  const directory = mkdtempSync(join(tmpdir(), 'swell-memory-'));
  const file = join(directory, 'state', 'memory-engine.json');
  const status = (): unknown => JSON.parse(readFileSync(file, 'utf8'));
  try {
    const node = new MemoryNode({ web: { up: true, digest: `sha256:${'1'.repeat(64)}` } });
    keepMemoryStatus(node, file);
    expect(status()).toEqual({ web: { up: true, digest: `sha256:${'1'.repeat(64)}` } });
    node.put('web', { up: false });
    expect(status()).toEqual({ web: { up: false } });
    node.remove('web');
    expect(status()).toEqual({});
  } finally {
    rmSync(directory, { recursive: true });
  }
});
