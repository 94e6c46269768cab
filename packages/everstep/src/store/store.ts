/**
 * What the engine needs of a database, grouped by noun: this interface is the table of contents of storage.
 *
 * A store keeps bytes and columns; it never looks into a state or an event. Its one promise is `commit`: a group
 * is written whole or not at all, guarded by the version of every run in it, and when `commit` resolves the group
 * survives the death of the process. store.contract.ts is the suite that every store passes.
 *
 * Times are epoch milliseconds, 0 = none. Ids are compared byte for byte.
 */

/** The store's own handle of a run, from `load` or `commit`. Opaque, small, never reused. */
export type RunRef = number;

export interface RunKey {
  readonly namespaceId: string;
  readonly workflowId: string;
  readonly runId: string;
}

/** By name, never by ordinal. */
export type RunStatusColumn =
  | 'created'
  | 'running'
  | 'completed'
  | 'failed'
  | 'canceled'
  | 'terminated'
  | 'continuedAsNew'
  | 'timedOut'
  /** Open, and standing still. */
  | 'paused';

export type SearchValue = string | number | boolean | readonly string[];

/** The columns of a run that somebody looks for; the rest is in the state. Also what visibility lists. */
export interface RunColumns {
  readonly workflowType: string;
  readonly taskQueue: string;
  readonly status: RunStatusColumn;
  readonly startTime: number;
  readonly executionTime: number;
  readonly closeTime: number;
  /**
   * No later than the run's earliest deadline; 0 = none. It may be earlier, so that a deadline that moves away
   * does not rewrite the index at every step.
   */
  readonly wakeAt: number;
  /** When the run may be deleted (close + retention); 0 while open. */
  readonly deleteAt: number;
  readonly historyEvents: number;
  readonly historyBytes: number;
  /** Process with started attempts of this run; '*' = several; '' = none. */
  readonly holder: string;
  readonly parentWorkflowId: string;
  readonly parentRunId: string;
  readonly rootWorkflowId: string;
  readonly rootRunId: string;
  readonly firstRunId: string;
  /** Encoded temporal.api.common.v1.Memo and SearchAttributes, absent when empty. */
  readonly memo?: Uint8Array | undefined;
  readonly searchAttributes?: Uint8Array | undefined;
  /** Custom search attributes as values that can be compared, for the query language. */
  readonly searchValues?: Readonly<Record<string, SearchValue>> | undefined;
}

export interface HistoryBatch {
  readonly firstEventId: number;
  /** The id after the batch's last event. */
  readonly nextEventId: number;
  readonly bytes: Uint8Array;
}

export type TaskKind = 'workflow' | 'activity';

/** A row of a task queue: a run has work for whoever polls it. */
export interface TaskInsert {
  readonly kind: TaskKind;
  readonly taskQueue: string;
  /** For a sticky queue the normal queue, '' otherwise. */
  readonly normalTaskQueue: string;
  readonly scheduledEventId: number;
  readonly stamp: number;
  readonly type: string;
  readonly createdAt: number;
}

export interface TaskRow extends TaskInsert {
  readonly taskId: number;
  readonly ref: RunRef;
  readonly key: RunKey;
}

/** A note to another process, such as "the step you run was cancelled". Lost with the process it is for. */
export interface MailInsert {
  readonly processId: string;
  readonly bytes: Uint8Array;
}

export interface OutboxRow {
  readonly outboxId: number;
  readonly ref: RunRef;
  readonly key: RunKey;
  readonly createdAt: number;
  readonly bytes: Uint8Array;
}

/** One run's part of a commit. */
export interface RunWrite {
  readonly key: RunKey;
  /** Absent exactly when the run is new. */
  readonly ref?: RunRef | undefined;
  /** The version this write was computed from, 0 for a new run. It becomes expectedVersion + 1. */
  readonly expectedVersion: number;
  /** Unique per try; lets an ambiguous commit be resolved by reading it back. */
  readonly operationToken: string;
  /**
   * Only for a new run that becomes its workflow id's current run: the run that must be current now, or null when
   * there must be none. Absent: the new run does not become current.
   */
  readonly replaces?: RunRef | null | undefined;
  readonly state: Uint8Array;
  readonly columns: RunColumns;
  readonly history?: HistoryBatch | undefined;
  readonly tasks: readonly TaskInsert[];
  readonly outbox: readonly Uint8Array[];
  readonly mail: readonly MailInsert[];
}

/** Written whole or not at all. Groups of one `commit` call are independent of one another. */
export interface CommitGroup {
  readonly writes: readonly RunWrite[];
  /** Runs that were only read, and on whose state the writes depend: they too must have that version still. */
  readonly reads?:
    readonly { readonly ref: RunRef; readonly expectedVersion: number }[] | undefined;
  /** Rows that this commit has used up; deleting one that is gone already is no error. */
  readonly doneTasks: readonly number[];
  readonly doneOutbox: readonly number[];
  readonly now: number;
}

export type CommitResult =
  | {
      readonly outcome: 'committed';
      /** One for each write, in order. */
      readonly refs: readonly RunRef[];
      /** Ids of the outbox rows, a list for each write, in order. */
      readonly outboxIds: readonly (readonly number[])[];
    }
  /** Some version or current run was not as expected: nothing of the group was written. Reload and try again. */
  | { readonly outcome: 'conflict' }
  /** The group could not be written and was not (a full disk, a constraint). Others of the call may have been. */
  | { readonly outcome: 'failed'; readonly error: StoreError };

export interface StoredRun {
  readonly ref: RunRef;
  readonly key: RunKey;
  readonly version: number;
  readonly operationToken: string;
  readonly isCurrent: boolean;
  readonly columns: RunColumns;
  readonly state: Uint8Array;
}

export interface RunHead {
  readonly ref: RunRef;
  readonly version: number;
}

export interface NamespaceRow {
  readonly namespaceId: string;
  readonly name: string;
  /** Encoded by the engine: description, owner, data, retention, custom search attributes … */
  readonly config: Uint8Array;
  readonly version: number;
}

export interface ProcessRow {
  readonly processId: string;
  readonly pid: number;
  /** Of the machine, so that a pid is only looked up where it means something. */
  readonly hostId: string;
  readonly startedAt: number;
  readonly heartbeatAt: number;
  /** Queues it polls, as `<namespaceId>/<kind>/<queue>`. */
  readonly queues: readonly string[];
}

/**
 * A visibility query as a tree; the engine parses the language, a store only evaluates it.
 *
 * Conditions are as SQL has them: a run that lacks the field satisfies neither a condition nor its negation. A store
 * does not know an attribute's type, so what a type changes stands in the tree: a KeywordList's `!=`, which runs
 * without the list satisfy, is `or` of `isNull` and `!=`; a Text is kept as the list of its words. On a list `=` means
 * that it has the value. A value of another type than the field's compares with nothing. Of the columns, closeTime and
 * executionDuration (milliseconds) are lacking while open, and the parent's ids where there is none.
 */
export type Filter =
  | { readonly op: 'and' | 'or'; readonly terms: readonly Filter[] }
  | { readonly op: 'not'; readonly term: Filter }
  | { readonly op: FilterComparison; readonly field: FilterField; readonly value: FilterValue }
  | { readonly op: 'in'; readonly field: FilterField; readonly values: readonly FilterValue[] }
  | { readonly op: 'isNull'; readonly field: FilterField };

export type FilterComparison = '=' | '!=' | '<' | '>' | '<=' | '>=' | 'startsWith';

export type FilterValue = string | number | boolean;

export type FilterField = { readonly system: VisibilityColumn } | { readonly custom: string };

export type VisibilityColumn =
  | 'workflowId'
  | 'runId'
  | 'workflowType'
  | 'status'
  | 'startTime'
  | 'executionTime'
  | 'closeTime'
  | 'executionDuration'
  | 'taskQueue'
  | 'historyEvents'
  | 'historyBytes'
  | 'parentWorkflowId'
  | 'parentRunId'
  | 'rootWorkflowId'
  | 'rootRunId';

/** Newest first: by start time, then ref, both descending. */
export interface ListCursor {
  readonly startTime: number;
  readonly ref: RunRef;
}

export interface ListedRun {
  readonly ref: RunRef;
  readonly key: RunKey;
  readonly columns: RunColumns;
}

export interface GlanceRequest {
  readonly processId: string;
  /** Written as the heartbeat of that process; undefined: none is due. */
  readonly heartbeatAt: number | undefined;
  readonly queues: readonly {
    readonly namespaceId: string;
    readonly kind: TaskKind;
    readonly taskQueue: string;
  }[];
  /** Messages in the outbox that are older are overdue. */
  readonly createdBefore: number;
}

export interface Glance {
  /** False when the row of that process is gone: somebody gave it up. */
  readonly isAnnounced: boolean;
  readonly processes: readonly ProcessRow[];
  /** Whether one of the queues has a row that nobody has claimed. */
  readonly hasTasks: boolean;
  /** Whether something lies there for that process. */
  readonly hasMail: boolean;
  readonly hasOverdue: boolean;
  /** The earliest wakeAt of all runs, 0 = none. */
  readonly nextWakeAt: number;
  /** Another text whenever a namespace was made, changed or deleted. */
  readonly namespacesMark: string;
}

export interface Store {
  /** 'memory', 'sqlite', …; for messages. */
  readonly kind: string;
  /** For people: 'SQLite file .everstep/everstep.db'. */
  readonly description: string;
  /** Set once the database cannot be used any more, whatever is tried: every call is refused with it from then on. */
  readonly failure: StoreError | undefined;
  /** Opens, migrates when needed, checks. Throws a StoreError that says what to do. Once. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Whether that process of this machine has the database open; undefined, or no such method: it cannot be told. */
  isOpenIn?(pid: number): boolean | undefined;

  /**
   * What a process wants to know every second, in one question to the database, so that one which has nothing to do
   * costs no more than that. A store without it is asked for each thing.
   */
  glance?(request: GlanceRequest): Promise<Glance>;

  /** All groups share one durable write where the database allows it (group commit). */
  commit(groups: readonly CommitGroup[]): Promise<readonly CommitResult[]>;
  /**
   * The store as a transaction of the application sees it. What is committed there exists exactly if that transaction
   * commits; until then nobody else sees it, and afterwards the store tells every process that listens, this one too.
   * A store without this method joins none.
   *
   * @throws StoreError STORE_TRANSACTION_INVALID: what was given is no connection to this database, or is in no
   * transaction.
   */
  joinTransaction?(request: { readonly transaction: unknown }): Promise<JoinedStore>;

  readonly runs: {
    load(request: { readonly key: RunKey }): Promise<StoredRun | undefined>;
    loadByRef(request: { readonly ref: RunRef }): Promise<StoredRun | undefined>;
    /** The workflow id's current run: the open one, or the last. */
    loadCurrent(request: {
      readonly namespaceId: string;
      readonly workflowId: string;
    }): Promise<StoredRun | undefined>;
    /** Which run loadCurrent would give, for who holds that run already. */
    currentHead(request: {
      readonly namespaceId: string;
      readonly workflowId: string;
    }): Promise<RunHead | undefined>;
    /** Versions only, for waiters; runs that are gone are left out. */
    heads(request: { readonly refs: readonly RunRef[] }): Promise<readonly RunHead[]>;
    /** Runs with wakeAt in (0, now], earliest first. */
    due(request: {
      readonly now: number;
      readonly limit: number;
    }): Promise<readonly { readonly ref: RunRef; readonly wakeAt: number }[]>;
    /** The earliest wakeAt of all runs, 0 = none. */
    nextWakeAt(): Promise<number>;
    /** Runs whose holder is that process or '*'. */
    heldBy(request: { readonly processId: string }): Promise<readonly RunRef[]>;
    /** Closed runs with deleteAt in (0, now], earliest first; without those of which a message waits. */
    expired(request: { readonly now: number; readonly limit: number }): Promise<readonly RunRef[]>;
    /** Deletes runs with everything of theirs: history, tasks, outbox. */
    delete(request: { readonly refs: readonly RunRef[] }): Promise<void>;
  };
  readonly history: {
    /** Batches that hold events with fromEventId <= id, in order, up to about that many bytes (at least one). */
    read(request: {
      readonly ref: RunRef;
      readonly fromEventId: number;
      readonly bytesMax: number;
    }): Promise<readonly HistoryBatch[]>;
  };
  readonly tasks: {
    /**
     * Oldest unclaimed rows of a queue, claimed for a process. A claim is a hint that keeps processes apart, not a
     * lock: the commit that uses the row decides. A process that is not announced gets none: nobody would give them
     * back after its death. Where a process is the only one that is announced, a store may leave out the claim.
     */
    claim(request: {
      readonly namespaceId: string;
      readonly kind: TaskKind;
      readonly taskQueue: string;
      readonly processId: string;
      readonly limit: number;
      /** Only rows of these types; absent: of all. So that rows nobody here knows do not hide those behind them. */
      readonly types?: readonly string[];
      /** Claims in any case, so that rows which are not used now do not hide those behind them. */
      readonly evenAlone?: boolean;
    }): Promise<readonly TaskRow[]>;
    /** Gives back rows that were claimed and not used. */
    release(request: { readonly taskIds: readonly number[] }): Promise<void>;
    /** Everything a dead process had claimed. */
    releaseAll(request: { readonly processId: string }): Promise<void>;
    delete(request: { readonly taskIds: readonly number[] }): Promise<void>;
    /** Moves the rows of a sticky queue whose process is gone to their normal queues. */
    unstick(request: { readonly namespaceId: string; readonly taskQueue: string }): Promise<number>;
    backlog(request: {
      readonly namespaceId: string;
      readonly kind: TaskKind;
      readonly taskQueue: string;
    }): Promise<{ readonly count: number; readonly oldestCreatedAt: number }>;
    /** Queues that have rows, with their counts. */
    queues(): Promise<
      readonly {
        readonly namespaceId: string;
        readonly kind: TaskKind;
        readonly taskQueue: string;
        readonly count: number;
      }[]
    >;
  };
  readonly outbox: {
    /** Rows older than that, oldest first: whoever wrote them should have delivered them by now. */
    overdue(request: {
      readonly createdBefore: number;
      readonly limit: number;
    }): Promise<readonly OutboxRow[]>;
    /** All rows of a run, oldest first. */
    ofRun(request: { readonly ref: RunRef }): Promise<readonly OutboxRow[]>;
    delete(request: { readonly outboxIds: readonly number[] }): Promise<void>;
  };
  readonly mail: {
    /** Outside a commit: a question to a process that happens to know. */
    send(request: { readonly mail: readonly MailInsert[] }): Promise<void>;
    /** Reads and removes what lies there for a process. */
    take(request: { readonly processId: string }): Promise<readonly Uint8Array[]>;
  };
  readonly processes: {
    announce(request: { readonly process: ProcessRow }): Promise<void>;
    /** False when the row is gone: somebody gave this process up. */
    heartbeat(request: { readonly processId: string; readonly now: number }): Promise<boolean>;
    list(): Promise<readonly ProcessRow[]>;
    remove(request: { readonly processId: string }): Promise<void>;
  };
  readonly namespaces: {
    list(): Promise<readonly NamespaceRow[]>;
    /** expectedVersion 0 = must be new. False: it was not as expected. */
    put(request: {
      readonly namespace: NamespaceRow;
      readonly expectedVersion: number;
    }): Promise<boolean>;
    delete(request: { readonly namespaceId: string }): Promise<void>;
  };
  readonly visibility: {
    list(request: {
      readonly namespaceId: string;
      readonly filter?: Filter;
      readonly limit: number;
      readonly after?: ListCursor;
    }): Promise<readonly ListedRun[]>;
    count(request: {
      readonly namespaceId: string;
      readonly filter?: Filter;
      readonly groupByStatus: boolean;
    }): Promise<{
      readonly count: number;
      readonly groups: readonly { readonly status: RunStatusColumn; readonly count: number }[];
    }>;
  };
  readonly hints: {
    /** Tells the other processes on this store that there is something to look for. Coalesced, may be lost. */
    ring(): void;
    /**
     * Called when another process rang, or at least looks as if it had. Returns the way to stop it. A listener that
     * rings because it was rung keeps processes awake for ever.
     */
    listen(listener: () => void): () => void;
  };
}

/** What is needed of a store to start a run: in the store's own transactions, or in one of the application. */
export type JoinedStore = Pick<
  Store,
  'failure' | 'commit' | 'runs' | 'history' | 'tasks' | 'outbox'
>;

export type StoreErrorCode =
  | 'STORE_URL_INVALID'
  | 'STORE_DRIVER_MISSING'
  | 'STORE_UNREACHABLE'
  | 'STORE_ACCESS_DENIED'
  | 'STORE_NOT_WRITABLE'
  | 'STORE_CORRUPT'
  | 'STORE_FILE_LOST'
  | 'STORE_NEWER_VERSION'
  | 'STORE_NETWORK_FILE_SYSTEM'
  | 'STORE_DISK_FULL'
  | 'STORE_BUSY'
  | 'STORE_TRANSACTION_INVALID'
  | 'STORE_CLOSED'
  | 'STORE_FAILED';

/** Says what happened, to which file, and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;
  /** STORE_CORRUPT of one run: which. Undefined when the file itself is damaged. */
  readonly damagedRun: RunRef | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    options?: { readonly cause?: unknown; readonly damagedRun?: RunRef },
  ) {
    super(message, options);
    this.code = code;
    this.damagedRun = options?.damagedRun;
  }
}
