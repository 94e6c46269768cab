/** `everstep integrations`: what discovery finds, integrations and domains, and what it leaves out and why. */
import { Command } from 'commander';
import { existsSync } from 'node:fs';
import type { AnyAsyncTask } from '../component/async-task-component.ts';
import type { DomainInfo } from '../integrations/domain.ts';
import type { IntegrationWorkflowInfo } from '../integrations/workflow-collector.ts';
import { jsonText } from './json-text.ts';
import { exitCodes, oneLine } from './problem.ts';
import { tableText } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

interface ListFlags {
  readonly exclude?: readonly string[];
  readonly domains?: string;
  readonly json?: true;
}

const defaultFolder = 'integrations';

const examples = `
Examples:
  everstep integrations list
  everstep integrations list src/integrations --exclude 'legacy_*' 'kafka.old' --json
  everstep integrations list --domains domains/hello,domains/pizza

It loads the modules it finds. The JSON is { integrations: [{ name, path, taskQueue, workflowsPath?, activitiesPath?,
tasks: [{ name, taskQueue }] }], domains: [{ name, path, taskQueue, workflowsPath?, workflows, activities, tasks }],
skipped: [{ name, path, reason }], failures: [{ name, path, code, reason }] }; the task queue of a task is empty where
it takes its worker's. Domains are those of --domains or ENABLE_DOMAINS; where some are named, the folder integrations
need not be there. The exit code is 1 where something cannot be loaded.`;

export function integrationsCommand(terminal: Terminal): Command {
  const list = new Command('list')
    .description(
      'Show the integrations of a folder, and domains: their workflows, queues and tasks.',
    )
    .argument('[folder]', `that has a folder for each (default: ${defaultFolder})`)
    .option('--exclude <pattern...>', 'names to leave out (default: example_*, kafka.old, docs)')
    .option('--domains <names>', 'with commas between them (default: ENABLE_DOMAINS)')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', examples)
    .action(async (folder: string | undefined, flags: ListFlags) => {
      const { integrations, domains, skipped, failed } = await found(folder, flags, terminal);
      if (failed.length > 0) terminal.exitCode = exitCodes.failure;
      if (flags.json) {
        terminal.out.write(
          jsonText({
            integrations: integrations.map(documentOf),
            domains: domains.map(domainDocument),
            skipped,
            failures: failed,
          }),
        );
        return;
      }
      const tables = [
        [['INTEGRATION', 'WORKFLOWS ON', 'TASKS'], ...integrations.map(rowOf)],
        [['DOMAIN', 'QUEUE', 'WORKFLOWS', 'ACTIVITIES', 'TASKS'], ...domains.map(domainRow)],
      ].filter((rows) => rows.length > 1);
      terminal.out.write(tables.map(tableText).join('\n') || 'no integrations\n');
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

async function found(folder: string | undefined, flags: ListFlags, { env }: Terminal) {
  const { WorkflowCollector } = await import('../integrations/workflow-collector.ts');
  const { loadDomains } = await import('../integrations/load-domains.ts');
  const nothing = (): void => undefined;
  const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
  const collector = new WorkflowCollector({
    ...(flags.exclude !== undefined && { blacklist: flags.exclude }),
    logger,
  });
  const names = flags.domains ?? env['ENABLE_DOMAINS'] ?? '';
  const hasDomains = flags.domains !== undefined || names.trim() !== '';
  const isDomainsOnly = folder === undefined && hasDomains && !existsSync(defaultFolder);
  const { integrations, skipped, failures } = isDomainsOnly
    ? { integrations: [], skipped: [], failures: [] }
    : await collector.collect(folder ?? defaultFolder);
  const named = hasDomains ? await loadDomains(names, { logger }) : { domains: [], failures: [] };
  const failed = [...failures, ...named.failures].map(({ name, path, error }) => {
    return { name, path, code: error.code, reason: error.message };
  });
  return { integrations, domains: named.domains, skipped, failed };
}

function domainDocument({ name, path, taskQueue, workflowsPath, ...domain }: DomainInfo): object {
  const { workflows = [], activities, tasks } = domain;
  return {
    name,
    path,
    taskQueue,
    ...(workflowsPath !== undefined && { workflowsPath }),
    workflows: workflows.map((one) => one.getName()),
    activities: Object.keys(activities),
    tasks: tasks.map(taskDocument),
  };
}

/** Names of official workflows are known to their bundle alone. */
function domainRow(domain: DomainInfo): string[] {
  const { name, taskQueue, workflowsPath, workflowBundle, workflows = [], activities } = domain;
  const isOfficial = workflowsPath !== undefined || workflowBundle !== undefined;
  const shown = isOfficial ? 'official' : workflows.map((one) => one.getName()).join(', ');
  const tasks = domain.tasks.map((task) => task.getName()).join(', ');
  return [name, taskQueue, shown, Object.keys(activities).join(', '), tasks];
}

function taskDocument(task: AnyAsyncTask): object {
  return { name: task.getName(), taskQueue: task.taskQueue };
}

function documentOf(integration: IntegrationWorkflowInfo): object {
  const { integrationName, integrationPath, tasks, ...rest } = integration;
  return {
    name: integrationName,
    path: integrationPath,
    ...rest,
    tasks: tasks.map(taskDocument),
  };
}

function rowOf({ integrationName, workflowsPath, taskQueue, tasks }: IntegrationWorkflowInfo) {
  const names = tasks.map((task) => task.getName()).join(', ');
  return [integrationName, workflowsPath === undefined ? '' : taskQueue, names];
}
