import { childName } from '@millrace/resources/child-name';
import { keyOf } from '@millrace/resources/resource';
import type { Sequence } from '@millrace/resources/sequence';

import { channelInlet } from './channel.ts';
import { makeChannel, makeSubscription, shown, statusesOf } from './children.ts';
import { conditionsOf } from './conditions.ts';
import { flowInlet, flowPath } from './flow-inlet.ts';
import { concurrencyFault, planPart, planResults } from './parts.ts';
import type { Planned, Whole } from './parts.ts';
import type { Status } from './plan.ts';
import { flowName, resultsTopic, stepNames, stepTopics } from './topics.ts';
import type { World } from './world.ts';

const CONDITIONS = ['ChannelsReady', 'SubscriptionsReady', 'Addressable', 'EventPoliciesReady'];

/** A Sequence is a topic and a route for each step, each replying into the next topic, the last into its results. */
export function planSequence(sequence: Sequence, world: World, dataUrl: string): Planned {
  const { metadata, spec } = sequence;
  const { namespace, name } = metadata;
  const key = keyOf(sequence);
  const flow = flowName(sequence);
  const results = resultsTopic(flow);
  const topics = stepTopics(sequence);
  const whole: Whole = { key, metadata, condition: 'SubscriptionsReady', manner: 'flow' };
  const end = planResults(spec.reply, results, whole, world);

  const child = (index: number) => ({ namespace, name: childName(name, `-kn-sequence-${index}`), owner: key });
  const steps = stepNames(spec.steps).map((step, index) => {
    const { delivery = spec.channelTemplate.spec?.delivery, ...subscriber } = spec.steps[index]!;
    const topic = topics[index]!;
    const planned = planPart(
      {
        name: topic,
        topic,
        step: { flow, name: step },
        subscriber,
        delivery,
        replyTopic: topics[index + 1] ?? results,
      },
      whole,
      world,
    );
    const isLast = index === spec.steps.length - 1;
    const inlet = channelInlet(child(index), topic, key);
    const channel = makeChannel(child(index), spec.channelTemplate, dataUrl + inlet.path);
    const reply = isLast ? spec.reply : { ref: { ...channel.reference, name: child(index + 1).name } };
    const said = { channel: channel.reference, subscriber, reply, delivery };
    return {
      inlet,
      channel,
      route: planned.route,
      trouble: planned.trouble && { ...planned.trouble, message: `spec.steps[${index}]: ${planned.trouble.message}` },
      subscription: makeSubscription(child(index), said, planned.trouble ?? (isLast ? end.trouble : undefined)),
    };
  });
  const trouble = steps.find((it) => it.trouble !== undefined)?.trouble ?? end.trouble;
  const status: Status = {
    kind: 'Sequence',
    namespace,
    name,
    conditions: conditionsOf(CONDITIONS, { SubscriptionsReady: trouble }),
    url: dataUrl + flowPath(sequence),
    details: {
      channelStatuses: steps.map(({ channel }) => shown(channel, 'channel')),
      subscriptionStatuses: steps.map(({ subscription }) => shown(subscription, 'subscription')),
    },
  };
  const children = steps.flatMap(({ channel, subscription }) => [channel, subscription]);
  const fault = concurrencyFault(metadata, key);
  return {
    inlets: [flowInlet(sequence, topics[0]!), ...steps.map((it) => it.inlet)],
    routes: [...steps.map((it) => it.route), ...end.routes],
    statuses: statusesOf(key, status, children),
    faults: fault === undefined ? [] : [fault],
  };
}
