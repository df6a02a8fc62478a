import { readFileSync } from 'node:fs';
import { CONTROL_ACTIONS } from '@swell/shared/domain/intent.ts';
import { expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';
import { CONNECTION_OPTIONS } from './connection.ts';

const DOCS = readFileSync(new URL('../../../../docs/CLI.md', import.meta.url), 'utf8');

test('docs/CLI.md shows every command as its help does', () => {
  const words: readonly string[] = CONTROL_ACTIONS;
  for (const { name, usage } of COMMANDS) {
    // Words of control that are said alike share a line there.
    const alike = COMMANDS.filter((one) => words.includes(one.name) && one.usage === usage);
    const shown = words.includes(name) ? alike.map((one) => one.name).join('|') : name;
    expect(DOCS).toContain(`\nswell ${shown} ${usage}\n`);
  }
});

test('docs/CLI.md shows every option of the connection', () => {
  for (const option of Object.keys(CONNECTION_OPTIONS)) expect(DOCS).toContain(`\`--${option}\``);
});
