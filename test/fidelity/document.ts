/** docs/FIDELITY.md, from the configurations that the tests make. */

import type { CliConfiguration, ComposeConfiguration } from './configuration.ts';
import { madeByCli } from './made-by-cli.ts';
import { madeByCompose } from './made-by-compose.ts';

const HEAD = `# What an update keeps

A service's container is given another image and nothing else: before anything stops, the new container is created beside the old one and
compared with it field by field. Below is every configuration that \`npm test\` makes with the real \`docker run\` and the real \`docker compose\`,
updates from v1 to v2, and returns. After the update Docker must show of it what it would show if the command had made it of v2; after the
return, what it showed before (test/e2e/fidelity-cli.test.ts, fidelity-compose.test.ts). This file is written by
\`npm test -- test/fidelity -u\`, and a test keeps it true.

What Docker chooses, it chooses again: ids, addresses, free ports. Four things are special everywhere:

* **A wish that says what the old image says anyway** (a label, a user, a command) cannot be told from the image's, and follows the image.
  Variables can be told, since Docker lists what somebody gave first.
* **Anonymous volumes** come along by the name that Docker gave them, with what lies in them, as when Compose makes a container anew. From then on
  \`docker rm -v\` and \`down -v\` leave them, and Docker shows their mode as \`z\` instead of none. A volume that the new image brought is left behind on
  the way back; it stays on the node.
* **Files that Compose writes into the container itself** (\`configs\` with \`content\` or \`environment\`, \`secrets\` from the environment) are copied. They are known by
  lying below \`/run/secrets\`, or by their time: whole seconds, within ten minutes of the container's creation. One that the service itself has written over is its
  own, and is lost like everything else in a container. Of a service that has written more than 5,000 files into its container, the shallowest are looked at.
* **MAC addresses**: below API 1.44 a container has one. From 1.44 on each network has its own, and Docker tells only for the main one whether somebody asked for it
  (since 1.52 for none): what is there is kept, but for addresses made of the IP address.

All of it was seen on dockerd 20.10.24 (API 1.41), and all of \`docker run\` on moby v2.0.0-beta.24 (API 1.56), with images in containerd's store: what needs a newer API
than that of the machine is left out. In that store a container for another kind of machine than this one (\`--platform\`) is refused, as dockerd would make the new one for this.

In docs/OPERATIONS.md stands what is refused, and what to do about it.

`;

export function fidelityDocument(): string {
  const rows = [
    ...madeByCli.map((one) => row('`docker run`', one)),
    ...madeByCompose.map((one) => row('Compose', one)),
  ];
  return `${HEAD}| made by | configuration | | from API | |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

function row(by: string, { name, refused, since, special }: CliConfiguration | ComposeConfiguration): string {
  const verdict = refused === undefined ? 'carried' : `refused: \`${refused}\``;
  return `| ${by} | ${name} | ${verdict} | ${since ?? ''} | ${special ?? ''} |`;
}
