// Node, as the web has it: a Request in, a Response out. It answers with server-sent events, each when it is ready.
export default {
  async fetch(request) {
    const words = (await request.text()).split(' ');
    async function* stream() {
      for (const word of words) yield `data: ${word}\n\n`;
    }
    return new Response(ReadableStream.from(stream()).pipeThrough(new TextEncoderStream()), {
      headers: { 'content-type': 'text/event-stream' },
    });
  },
};
