/** The public API by name. A name that comes or goes here is a decision, and a line in the changelog. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import * as everstep from '../../src/index.ts';

const publicValues: readonly string[] = [
  'Activity',
  'ActivityFailure',
  'ApplicationFailure',
  'AsyncTask',
  'AsyncTaskComponent',
  'CancelledFailure',
  'ChildWorkflowFailure',
  'CompensationFailed',
  'EverstepError',
  'StoreError',
  'TaskPuller',
  'TemporalAsyncTask',
  'TerminatedFailure',
  'TimeoutFailure',
  'WorkerManager',
  'Workflow',
  'WorkflowCollector',
  'activity',
  'all',
  'collectIntegrationWorkflows',
  'loadDomains',
  'remoteJob',
  'retryAfterMs',
  'signal',
  'sleep',
  'step',
  'workflow',
];

const publicTypes: readonly string[] = [
  'AsyncTaskProvider',
  'DiscoveryFailure',
  'DomainActivity',
  'DomainBundle',
  'DomainCollection',
  'DomainInfo',
  'IntegrationWorkflowInfo',
  'WorkerManagerOptions',
  'WorkerState',
  'WorkerStatus',
  'LoadDomainsOptions',
  'WorkflowCollection',
  'WorkflowCollectorOptions',
  'ActivityDefinition',
  'ActivityFunction',
  'ActivityOptions',
  'ActivityRetry',
  'AnyActivity',
  'AnyWorkflow',
  'ChildWorkflowHandle',
  'ChildWorkflowOptions',
  'ContextBranch',
  'ContinueAsNewOptions',
  'ExecuteActivityOptions',
  'Registrable',
  'Saga',
  'WorkflowContext',
  'WorkflowFunction',
  'WorkflowInfo',
  'WorkflowLike',
  'WorkflowOf',
  'WorkflowOptions',
  'WorkflowStartOptions',
  'AnyAsyncTask',
  'BackpressureOptions',
  'PollingOptions',
  'PullRetryOptions',
  'PullerState',
  'PullerStatus',
  'TaskPullerOptions',
  'AsyncTaskComponentOptions',
  'CancelOptions',
  'ConcurrencyOptions',
  'Duration',
  'ErrorCode',
  'ListQuery',
  'LogFields',
  'Logger',
  'PollResult',
  'RemoteJobOptions',
  'ResultOptions',
  'RetryPolicy',
  'StandardSchema',
  'StepContext',
  'StepDescriptor',
  'StepOptions',
  'StopOptions',
  'Store',
  'StoreOnPool',
  'StoreErrorCode',
  'SubmitOptions',
  'TransactionHandle',
  'TaskFailure',
  'TaskFunction',
  'TaskLimit',
  'TaskList',
  'TaskOptions',
  'TaskPage',
  'TaskState',
  'TaskStatus',
  'TaskSummary',
  'Timeouts',
  'UpdateOptions',
  'WaitOptions',
  'WebhookDelivery',
  'Yieldable',
];

const text = readFileSync(new URL('../../src/index.ts', import.meta.url), 'utf8')
  .replace(/\/\*[\s\S]*?\*\//g, '')
  .replace(/^\s*\/\/.*$/gm, '');

it('index.ts is a list of exports and nothing else', () => {
  const rest = text.replace(/export\s+(?:type\s+)?\{[^}]*\}(?:\s*from\s*'[^']+')?\s*;/g, '');
  expect(rest.trim()).toBe('');
});

it('the package exports the values that are written down here', () => {
  expect(Object.keys(everstep).sort()).toEqual([...publicValues].sort());
});

it('the package exports the types that are written down here', () => {
  expect(exportedTypes(text).sort()).toEqual([...publicTypes].sort());
});

function exportedTypes(source: string): string[] {
  return [...source.matchAll(/export\s+(type\s+)?\{([^}]*)\}/g)].flatMap(([, type, list = '']) =>
    list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '' && (type !== undefined || item.startsWith('type ')))
      .map((item) => item.replace(/^type\s+/, '').replace(/^.*\sas\s+/, '')),
  );
}
