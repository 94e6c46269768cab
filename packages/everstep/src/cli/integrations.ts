/** `everstep integrations`: what discovery finds, and what it leaves out and why. */
import { Command } from 'commander';
import type { IntegrationWorkflowInfo } from '../integrations/workflow-collector.ts';
import { jsonText } from './json-text.ts';
import { exitCodes, oneLine } from './problem.ts';
import { tableText } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

interface ListFlags {
  readonly exclude?: readonly string[];
  readonly json?: true;
}

const examples = `
Examples:
  everstep integrations list
  everstep integrations list src/integrations --exclude 'legacy_*' 'kafka.old' --json

It loads the modules it finds. The JSON is { integrations: [{ name, path, taskQueue, workflowsPath?, activitiesPath?,
tasks: [{ name, taskQueue }] }], skipped: [{ name, path, reason }], failures: [{ name, path, code, reason }] }; the
task queue of a task is empty where it takes its worker's. The exit code is 1 where one cannot be loaded.`;

export function integrationsCommand(terminal: Terminal): Command {
  const list = new Command('list')
    .description('Show the integrations of a folder: their workflows, queues and tasks.')
    .argument('[folder]', 'that has a folder for each', 'integrations')
    .option('--exclude <pattern...>', 'names to leave out (default: example_*, kafka.old, docs)')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', examples)
    .action(async (folder: string, flags: ListFlags) => {
      const { WorkflowCollector } = await import('../integrations/workflow-collector.ts');
      const nothing = (): void => undefined;
      const collector = new WorkflowCollector({
        ...(flags.exclude !== undefined && { blacklist: flags.exclude }),
        logger: { debug: nothing, info: nothing, warn: nothing, error: nothing },
      });
      const { integrations, skipped, failures } = await collector.collect(folder);
      if (failures.length > 0) terminal.exitCode = exitCodes.failure;
      const failed = failures.map(({ name, path, error: { code, message } }) => {
        return { name, path, code, reason: message };
      });
      if (flags.json) {
        const shown = integrations.map(documentOf);
        terminal.out.write(jsonText({ integrations: shown, skipped, failures: failed }));
        return;
      }
      const rows = integrations.map(rowOf);
      const head = ['INTEGRATION', 'WORKFLOWS ON', 'TASKS'];
      if (rows.length > 0) terminal.out.write(tableText([head, ...rows]));
      else terminal.out.write('no integrations\n');
      for (const { name, reason } of skipped) {
        terminal.err.write(paint(terminal, terminal.err, 'dim', `skipped ${name}: ${reason}`));
        terminal.err.write('\n');
      }
      for (const { name, reason } of failed) {
        const label = paint(terminal, terminal.err, 'red', 'failed');
        terminal.err.write(`${label} ${name}: ${oneLine(reason)}\n`);
      }
    });
  return new Command('integrations')
    .description('Look at folders of integrations.')
    .addCommand(list);
}

function documentOf(integration: IntegrationWorkflowInfo): object {
  const { integrationName, integrationPath, tasks, ...rest } = integration;
  return {
    name: integrationName,
    path: integrationPath,
    ...rest,
    tasks: tasks.map((task) => ({ name: task.getName(), taskQueue: task.taskQueue })),
  };
}

function rowOf({ integrationName, workflowsPath, taskQueue, tasks }: IntegrationWorkflowInfo) {
  const names = tasks.map((task) => task.getName()).join(', ');
  return [integrationName, workflowsPath === undefined ? '' : taskQueue, names];
}
