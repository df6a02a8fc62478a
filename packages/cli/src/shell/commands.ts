/** Every command there is, in the order of the help. */

import type { Command } from './command.ts';
import { audit } from './commands/audit.ts';
import { controls } from './commands/control.ts';
import { doctor } from './commands/doctor.ts';
import { explain } from './commands/explain.ts';
import { history } from './commands/history.ts';
import { nodes } from './commands/nodes.ts';
import { policy } from './commands/policy.ts';
import { release } from './commands/release.ts';
import { replay } from './commands/replay.ts';
import { status } from './commands/status.ts';

export const COMMANDS: readonly Command[] = [
  release,
  status,
  history,
  ...controls,
  nodes,
  explain,
  policy,
  audit,
  replay,
  doctor,
];
