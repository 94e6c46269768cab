/** The business: a picture is asked for, and what becomes of that is derived from events. */
import {
  Action,
  Condition,
  Entity,
  Interaction,
  InteractionEventEntity,
  Payload,
  PayloadItem,
  Property,
  StateMachine,
  StateNode,
  StateTransfer,
  Transform,
} from 'interaqt';

/** What the integration says about a request: that it was submitted, and how it ended. */
export interface ImageEvent {
  readonly requestId: string;
  readonly status: 'submitted' | 'done' | 'failed';
  readonly imageUrl?: string;
  readonly error?: string;
}

export interface ImageRequestRecord {
  readonly id: string;
  readonly prompt: string;
  /** Pending: it is in the database, and not yet known to be submitted. */
  readonly status: 'pending' | ImageEvent['status'];
  readonly imageUrl: string | null;
  readonly error: string | null;
}

interface Mutation {
  readonly record?: ImageEvent;
}

const requestImage = 'RequestImage';
const promptCharactersMax = 1000;

export const RequestImage = Interaction.create({
  name: requestImage,
  action: Action.create({ name: 'requestImage' }),
  payload: Payload.create({
    items: [PayloadItem.create({ name: 'prompt', type: 'string', required: true })],
  }),
  // Asked before the framework compares the payload with its items.
  conditions: Condition.create({
    name: 'promptFits',
    content: async ({ payload }: { payload?: { prompt?: unknown } }) => {
      const prompt = payload?.prompt;
      const length = typeof prompt === 'string' ? prompt.trim().length : 0;
      if (length > 0 && length <= promptCharactersMax) return true;
      const given = typeof prompt === 'string' ? `has ${length} characters` : 'is no text';
      return {
        allowed: false,
        code: 'PROMPT_UNFIT',
        details: `payload.prompt ${given}; expected 1 to ${promptCharactersMax} characters`,
      };
    },
  }),
});

export const ImageGenerationEvent = Entity.create({
  name: 'ImageGenerationEvent',
  properties: ['requestId', 'status', 'imageUrl', 'error'].map((name) =>
    Property.create({ name, type: 'string' }),
  ),
});

const states = {
  pending: StateNode.create({ name: 'pending' }),
  submitted: StateNode.create({ name: 'submitted' }),
  done: StateNode.create({ name: 'done' }),
  failed: StateNode.create({ name: 'failed' }),
};

/** An end is an end: what comes after it, or twice, changes nothing. */
const transfers = [
  ['pending', 'submitted'],
  ['pending', 'done'],
  ['pending', 'failed'],
  ['submitted', 'done'],
  ['submitted', 'failed'],
] as const;

export const ImageRequest = Entity.create({
  name: 'ImageRequest',
  properties: [
    Property.create({ name: 'prompt', type: 'string' }),
    Property.create({
      name: 'status',
      type: 'string',
      computation: StateMachine.create({
        states: Object.values(states),
        initialState: states.pending,
        transfers: transfers.map(([from, to]) => transferOn(to, states[from], states[to])),
      }),
    }),
    lastOf('imageUrl', 'done'),
    lastOf('error', 'failed'),
  ],
  computation: Transform.create({
    record: InteractionEventEntity,
    attributeQuery: ['interactionName', 'payload'],
    callback: (event: { interactionName: string; payload: { prompt: string } }) =>
      event.interactionName === requestImage ? { prompt: event.payload.prompt } : null,
  }),
});

/** A property that has what the event of that status brought. */
function lastOf(name: 'imageUrl' | 'error', status: ImageEvent['status']) {
  const state = StateNode.create({
    name: `${name}Known`,
    computeValue: (last, event) => (event as Mutation | undefined)?.record?.[name] ?? last ?? null,
  });
  return Property.create({
    name,
    type: 'string',
    computation: StateMachine.create({
      states: [state],
      initialState: state,
      transfers: [transferOn(status, state, state)],
    }),
  });
}

function transferOn(
  status: ImageEvent['status'],
  current: ReturnType<typeof StateNode.create>,
  next: ReturnType<typeof StateNode.create>,
) {
  return StateTransfer.create({
    trigger: { recordName: ImageGenerationEvent.name, type: 'create', record: { status } },
    current,
    next,
    computeTarget: ({ record }: Mutation) => record && { id: record.requestId },
  });
}
