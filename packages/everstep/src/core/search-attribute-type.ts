/**
 * Which search attributes a run may have, and of which type (VS-1, VS-2): those the system fills in, those it knows
 * and a caller may set, and what a namespace has registered.
 */

export const attributeTypeNames = [
  'Text',
  'Keyword',
  'Int',
  'Double',
  'Bool',
  'Datetime',
  'KeywordList',
] as const;
export type AttributeType = (typeof attributeTypeNames)[number];

/** A namespace's registry: name to type. */
export type RegisteredAttributes = Readonly<Record<string, AttributeType>>;

/** VS-2: what the server itself fills in of every run. */
const filledIn: ReadonlyMap<string, AttributeType> = new Map([
  ['WorkflowId', 'Keyword'],
  ['RunId', 'Keyword'],
  ['WorkflowType', 'Keyword'],
  ['ExecutionStatus', 'Keyword'],
  ['StartTime', 'Datetime'],
  ['ExecutionTime', 'Datetime'],
  ['CloseTime', 'Datetime'],
  ['ExecutionDuration', 'Int'],
  ['TaskQueue', 'Keyword'],
  ['HistoryLength', 'Int'],
  ['HistorySizeBytes', 'Int'],
  ['StateTransitionCount', 'Int'],
  ['ParentWorkflowId', 'Keyword'],
  ['ParentRunId', 'Keyword'],
  ['RootWorkflowId', 'Keyword'],
  ['RootRunId', 'Keyword'],
]);

/** Known without registering. A run carries them to the next of its chain, so a caller may set them. */
const predefined: ReadonlyMap<string, AttributeType> = new Map([
  ['BatcherNamespace', 'Keyword'],
  ['BatcherUser', 'Keyword'],
  ['BinaryChecksums', 'KeywordList'],
  ['BuildIds', 'KeywordList'],
  ['TemporalChangeVersion', 'KeywordList'],
  ['TemporalNamespaceDivision', 'Keyword'],
  ['TemporalPauseInfo', 'KeywordList'],
  ['TemporalReportedProblems', 'KeywordList'],
  ['TemporalScheduledById', 'Keyword'],
  ['TemporalScheduledStartTime', 'Datetime'],
  ['TemporalSchedulePaused', 'Bool'],
]);

/** Of worker versioning: known, and the server's alone. */
const ofWorkers: ReadonlyMap<string, AttributeType> = new Map([
  ['TemporalWorkerDeployment', 'Keyword'],
  ['TemporalWorkerDeploymentVersion', 'Keyword'],
  ['TemporalWorkflowVersioningBehavior', 'Keyword'],
]);

export const systemAttributeTypes: ReadonlyMap<string, AttributeType> = new Map([
  ...filledIn,
  ...predefined,
  ...ofWorkers,
]);

/** VS-2. */
export function isFilledIn(name: string): boolean {
  return filledIn.has(name) || ofWorkers.has(name);
}

/** Undefined: nobody knows it. */
export function attributeTypeOf(
  name: string,
  registered: RegisteredAttributes,
): AttributeType | undefined {
  return (
    systemAttributeTypes.get(name) ??
    (Object.hasOwn(registered, name) ? registered[name] : undefined)
  );
}
