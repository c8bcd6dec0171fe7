// Node, as Knative's func has it: `handle` gets the context and the event.
export const handle = (context, event) => {
  const { lines } = event.data;
  const total = lines.reduce((sum, { price, count }) => sum + price * count, 0);
  context.log.info(`priced ${event.subject}`);
  return context.cloudEventResponse({ total }).type('com.example.order.priced').subject(event.subject).response();
};
