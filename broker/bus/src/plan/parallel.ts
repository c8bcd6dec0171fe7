import { childName } from '@millrace/resources/child-name';
import { joinOf } from '@millrace/resources/join';
import type { Join } from '@millrace/resources/join';
import type { Parallel } from '@millrace/resources/parallel';
import { keyOf } from '@millrace/resources/resource';

import { channelInlet } from './channel.ts';
import { makeChannel, makeSubscription, shown, statusesOf } from './children.ts';
import { conditionsOf } from './conditions.ts';
import type { Trouble } from './conditions.ts';
import { flowInlet, flowPath } from './flow-inlet.ts';
import { concurrencyFault, filterFault, planPart, planReply, planResults } from './parts.ts';
import type { Planned, Whole } from './parts.ts';
import type { Inlet, JoinBranch, Route, Status } from './plan.ts';
import { flowName, repliesTopic, resultsTopic, stepNames } from './topics.ts';
import { waitingRoute } from './waiting-route.ts';
import type { World } from './world.ts';

const CONDITIONS = ['ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady'];

interface Branch {
  readonly routes: readonly Route[];
  /** What a join follows. */
  readonly joined: JoinBranch;
  readonly inlet: Inlet;
  readonly trouble: Trouble | undefined;
  readonly filterTrouble: Trouble | undefined;
}

/**
 * A Parallel is a topic that the routes of all branches read. A branch whose filter is a service has two: the service
 * answers with what the branch goes on with. With a join, one more route waits for the branches of each event.
 */
export function planParallel(parallel: Parallel, world: World, dataUrl: string): Planned {
  const { metadata, spec } = parallel;
  const { namespace, name } = metadata;
  const key = keyOf(parallel);
  const flow = flowName(parallel);
  const whole: Whole = { key, metadata, condition: 'SubscriptionsReady', manner: 'flow' };
  const join = joinOf(metadata.annotations);
  const results = resultsTopic(flow);
  const end = join === undefined ? undefined : planResults(spec.reply, results, whole, world);
  const ingress = channelInlet({ namespace, name: childName(name, '-kn-parallel') }, flow, key);
  const names = stepNames(spec.branches.map((it) => it.subscriber));
  const branches = names.map((branch, index) => planBranch(parallel, { index, branch, flow, join, whole }, world));

  const routes = branches.flatMap((it) => it.routes);
  if (join !== undefined) {
    const target = { kind: 'join', ...join, branches: branches.map((it) => it.joined) } as const;
    const step = { flow, name: 'join' };
    routes.push(waitingRoute({ name: flow, topic: flow, step, target, replyTopic: results }, whole));
  }
  const trouble = branches.find((it) => it.trouble !== undefined)?.trouble ?? end?.trouble;

  const owned = (suffix: string) => ({ namespace, name: childName(name, suffix), owner: key });
  const ingressChannel = makeChannel(owned('-kn-parallel'), spec.channelTemplate, dataUrl + ingress.path);
  const children = branches.map((it, index) => {
    const { filter, subscriber, delivery, reply = spec.reply } = spec.branches[index]!;
    const filterChannel = makeChannel(owned(`-kn-parallel-${index}`), spec.channelTemplate, dataUrl + it.inlet.path);
    const [ingressOf, channel] = [ingressChannel.reference, filterChannel.reference];
    const filtered =
      filter === undefined
        ? { channel: ingressOf, subscriber: { ref: channel } }
        : { channel: ingressOf, subscriber: filter, reply: { ref: channel } };
    const said = { channel, subscriber, reply, delivery };
    return {
      filterChannel,
      filterSubscription: makeSubscription(owned(`-kn-parallel-filter-${index}`), filtered, it.filterTrouble),
      subscription: makeSubscription(owned(`-kn-parallel-${index}`), said, it.trouble),
    };
  });
  const status: Status = {
    kind: 'Parallel',
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { SubscriptionsReady: trouble }),
    url: dataUrl + flowPath(parallel),
    details: {
      ingressChannelStatus: shown(ingressChannel, 'channel'),
      branchStatuses: children.map((it) => ({
        filterChannelStatus: shown(it.filterChannel, 'channel'),
        filterSubscriptionStatus: shown(it.filterSubscription, 'subscription'),
        subscriberSubscriptionStatus: shown(it.subscription, 'subscription'),
      })),
    },
  };
  const made = children.flatMap((it) => [it.filterChannel, it.filterSubscription, it.subscription]);
  const faults = spec.branches.map(({ filters }, index) =>
    filterFault(filters === undefined ? {} : { filters }, `spec.branches[${index}].`, key),
  );
  return {
    inlets: [flowInlet(parallel, flow), ingress, ...branches.map((it) => it.inlet)],
    routes: [...routes, ...(end?.routes ?? [])],
    statuses: statusesOf(key, status, [ingressChannel, ...made]),
    faults: [...faults, concurrencyFault(metadata, key)].filter((it) => it !== undefined),
  };
}

interface BranchPlace {
  readonly index: number;
  readonly branch: string;
  readonly flow: string;
  readonly join: Join | undefined;
  readonly whole: Whole;
}

function planBranch({ metadata, spec }: Parallel, place: BranchPlace, world: World): Branch {
  const { index, branch, flow, join, whole } = place;
  const said = spec.branches[index]!;
  const { subscriber } = said;
  const delivery = said.delivery ?? spec.channelTemplate.spec?.delivery;
  const name = `${flow}/${branch}`;
  const step = { flow, name: branch };
  const reply =
    join === undefined
      ? planReply(said.reply ?? spec.reply, { name: `reply/${name}`, delivery }, whole, world)
      : { topic: repliesTopic(flow), routes: [], trouble: undefined };
  const common = { step, subscriber, delivery, replyTopic: reply.topic };
  const filter = said.filters === undefined ? {} : { filters: said.filters };

  // What comes by the channel of the branch is for this branch alone.
  const byChannel = planPart(
    { ...common, name: said.filter === undefined ? `${name}/channel` : name, topic: name },
    whole,
    world,
  );
  const first =
    said.filter === undefined
      ? planPart({ ...common, name, topic: flow, filter }, whole, world)
      : planPart(
          { name: `${name}/filter`, topic: flow, step, subscriber: said.filter, delivery, replyTopic: name },
          whole,
          world,
        );
  const filterTrouble = said.filter === undefined ? undefined : first.trouble;
  const trouble = at(`filter`, filterTrouble) ?? at('subscriber', byChannel.trouble) ?? at('reply', reply.trouble);
  return {
    routes: [first.route, byChannel.route, ...reply.routes],
    joined: { name: branch, route: first.route.name, filter },
    inlet: channelInlet(
      { namespace: metadata.namespace, name: childName(metadata.name, `-kn-parallel-${index}`) },
      name,
      whole.key,
    ),
    trouble,
    filterTrouble,
  };

  function at(part: string, held: Trouble | undefined): Trouble | undefined {
    return held && { ...held, message: `spec.branches[${index}].${part}: ${held.message}` };
  }
}
