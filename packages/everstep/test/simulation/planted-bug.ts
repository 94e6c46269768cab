/** What a planted bug may put itself around: the store and the core of each process, its service, its worker. */
import type { TransitionFunction } from '../../src/core/transition.ts';
import type { LocalWorkerSupport } from '../../src/service/local-worker.ts';
import type { WorkflowService } from '../../src/service/workflow-service.ts';
import type { Store } from '../../src/store/store.ts';
import type { Chance } from '../chance.ts';

export interface PlantedBug {
  readonly name: string;
  /** What goes wrong, for the table. */
  readonly what: string;
  readonly store?: (store: Store, chance: Chance) => Store;
  readonly core?: (core: TransitionFunction, chance: Chance) => TransitionFunction;
  /** Of what clients are given. */
  readonly service?: (service: WorkflowService, chance: Chance) => WorkflowService;
  readonly local?: (local: LocalWorkerSupport, chance: Chance) => LocalWorkerSupport;
}
